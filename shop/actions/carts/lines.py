"""What is in a cart: so many of each variant, as many as can be had."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from shop.actions.carts.holding import changed, hold
from shop.actions.carts.opening import find, insert_own
from shop.actions.carts.pricing import LONG_TEXTS, left, name_of
from shop.compiled import Compiled
from shop.errors import (
    CartFull,
    CurrencyMismatch,
    Invalid,
    InvalidQuantity,
    NotFound,
    NotPurchasable,
    OutOfStock,
)
from shop.input_errors import InputErrors
from shop.models import Cart, CartLine, ProductStatus, Variant

MAX_QUANTITY = 9999
_PUBLISHED = Q(product__status=ProductStatus.PUBLISHED, product__published_at__lte=Now())
_LINES: Compiled[CartLine] = Compiled(lambda cart: CartLine.objects.filter(cart=cart))
_FOR_SALE: Compiled[Variant] = Compiled(
    lambda keys: (
        Variant.objects.filter(_PUBLISHED, pk__in=keys)
        .select_related("product", "stock")
        .defer(*(f"product__{name}" for name in LONG_TEXTS))
    )
)


@transaction.atomic
def add(cart: Cart, wanted: Sequence[tuple[int, int]], *, version: int | None = None) -> None:
    """Puts variants in the cart, beside what is there of them.

    Args:
        wanted: primary keys of variants with quantities. A variant may stand there twice.
        version: the one that the client has seen.

    Raises:
        InvalidQuantity, NotFound, NotPurchasable, OutOfStock, CurrencyMismatch: at the line's path.
        CartFull: the cart would have more than CART_MAX_LINES lines.
        CartClosed, CartChanged: as `holding.hold`.
        Several: more than one of these.
    """
    _add(cart, wanted, version)


@transaction.atomic
def add_to_own(user: Any, wanted: Sequence[tuple[int, int]], *, version: int | None = None) -> Cart:
    """Adds variants to the account's own cart, and creates it if there is none.

    Args:
        user: the caller. Guests have no cart of their own.
        version: of the cart that the client has seen; then there must be one.

    Raises:
        NotFound: the caller is a guest; or `version` is given and the account has no cart.
        IntegrityError: the account got a cart at the same moment; tried again, it is found.
        ShopError: as `add`; then no cart is created.
    """
    try:
        cart = find(user, None)
    except NotFound:
        if version is not None or not user.is_authenticated:
            raise
        cart = insert_own(user)
    _add(cart, wanted, version)
    return cart


def _add(cart: Cart, wanted: Sequence[tuple[int, int]], version: int | None) -> None:
    errors = InputErrors()
    for index, (_, quantity) in enumerate(wanted):
        if not 1 <= quantity <= MAX_QUANTITY:
            errors.add(InvalidQuantity(field=["lines", str(index), "quantity"]))
    totals: dict[int, int] = {}
    with errors.collect():
        hold(cart, version)
        there = {line.variant_id: line for line in _LINES.all(cart=cart.pk)}
        if not there:
            # Nothing in it is in the currency that the shop had before.
            cart.currency = settings.SHOP_CURRENCY
        variants = _for_sale(variant for variant, _ in wanted)
        for index, (key, quantity) in enumerate(wanted):
            with errors.collect("lines", str(index)):
                variant = variants.get(key)
                if variant is None:
                    raise NotFound("There is no such Variant.", field=["variant"])
                before = there[key].quantity if key in there else 0
                totals[key] = totals.get(key, before) + quantity
                _check_variant(cart, variant, totals[key])
        if len(there.keys() | totals.keys()) > settings.CART_MAX_LINES:
            raise CartFull(settings.CART_MAX_LINES, field=["lines"])
    errors.raise_any()
    store(cart, totals, variants, there)
    changed(cart, currency=cart.currency)


@transaction.atomic
def update(
    cart: Cart,
    wanted: Mapping[int, int] | Sequence[tuple[int, int]],
    *,
    version: int | None = None,
) -> None:
    """Sets the quantities of lines; 0 takes a line out.

    Args:
        wanted: primary keys of lines with quantities, in the order of the input.

    Raises:
        Invalid: a line is named twice; at its path.
        InvalidQuantity, NotFound, NotPurchasable, OutOfStock: at the line's path.
        CartClosed, CartChanged: as `holding.hold`.
        Several: more than one of these.
    """
    pairs = [*wanted.items()] if isinstance(wanted, Mapping) else wanted
    errors, named = InputErrors(), set()
    for index, (key, quantity) in enumerate(pairs):
        path = ["lines", str(index)]
        if key in named:
            errors.add(Invalid("The line is named twice.", field=[*path, "line"]))
        named.add(key)
        if not 0 <= quantity <= MAX_QUANTITY:
            message = f"A quantity is a whole number from 1 to {MAX_QUANTITY}, or 0 for none."
            errors.add(InvalidQuantity(message, field=[*path, "quantity"]))
    totals: dict[int, int] = {}
    with errors.collect():
        hold(cart, version)
        there = {line.pk: line for line in CartLine.objects.filter(cart=cart.pk, pk__in=named)}
        variants = _for_sale(line.variant_id for line in there.values())
        for index, (key, quantity) in enumerate(pairs):
            with errors.collect("lines", str(index)):
                if key not in there:
                    raise NotFound("There is no such CartLine.", field=["line"])
                if quantity:
                    variant = variants.get(there[key].variant_id)
                    if variant is None:
                        raise NotPurchasable(field=["line"])
                    _check_variant(cart, variant, quantity)
                    totals[variant.pk] = quantity
    errors.raise_any()
    _take_out(cart, [key for key, quantity in pairs if not quantity])
    store(cart, totals, variants, {line.variant_id: line for line in there.values()})
    changed(cart)


@transaction.atomic
def remove(cart: Cart, lines: Sequence[int], *, version: int | None = None) -> None:
    """Takes lines out.

    Raises:
        NotFound: one is not in the cart; at its path. Several, when more than one is not.
        CartClosed, CartChanged: as `holding.hold`.
    """
    hold(cart, version)
    there = set(CartLine.objects.filter(cart=cart.pk, pk__in=lines).values_list("pk", flat=True))
    errors = InputErrors()
    for index, key in enumerate(lines):
        if key not in there:
            errors.add(NotFound("There is no such CartLine.", field=["lines", str(index)]))
    errors.raise_any()
    _take_out(cart, lines)
    changed(cart)


@transaction.atomic
def dismiss_notices(cart: Cart, *, version: int | None = None) -> None:
    """Says that the shopper has seen today's prices, and drops the notices of lines that are gone.

    Raises as `holding.hold`.
    """
    hold(cart, version)
    lines = list(CartLine.objects.filter(cart=cart.pk).select_related("variant"))
    moved = [line for line in lines if line.seen_price != line.variant.price]
    for line in moved:
        line.seen_price = line.variant.price
    CartLine.objects.bulk_update(moved, ["seen_price"])
    changed(cart, stored_notices=[])


def store(
    cart: Cart,
    totals: Mapping[int, int],
    variants: Mapping[int, Variant],
    there: Mapping[int, CartLine],
    seen: Mapping[int, int | None] | None = None,
) -> None:
    """Writes the lines of some variants: at most one statement for new ones and one for others.

    Args:
        totals: quantities by primary keys of variants.
        there: lines that are there, by primary keys of variants.
        seen: prices that the shopper saw last, by primary keys of variants; today's without.
    """
    new: list[CartLine] = []
    old: list[CartLine] = []
    for key, quantity in totals.items():
        line = there.get(key)
        if line is None:
            line = CartLine(cart=cart, variant_id=key)
        (old if line.pk else new).append(line)
        line.quantity = quantity
        line.seen_price = variants[key].price if seen is None else seen[key]
    if new:
        CartLine.objects.bulk_create(new)
    if len(old) == 1:
        old[0].save(update_fields=["quantity", "seen_price"])
    elif old:
        CartLine.objects.bulk_update(old, ["quantity", "seen_price"])


def _for_sale(keys: Iterable[int]) -> dict[int, Variant]:
    """Variants of published products, with what is in stock of them."""
    return {row.pk: row for row in _FOR_SALE.all(keys=sorted(set(keys)))}


def _check_variant(cart: Cart, variant: Variant, quantity: int) -> None:
    """Raises what stands against so many units, with fields relative to the input of the line."""
    if variant.price is None:
        raise NotPurchasable(field=["variant"])
    if variant.currency != cart.currency:
        raise CurrencyMismatch(field=["variant"])
    if quantity > MAX_QUANTITY:
        raise InvalidQuantity(field=["quantity"])
    available = left(variant)
    if available is not None and quantity > available:
        raise OutOfStock(name=name_of(variant), available=available, field=["quantity"])


def _take_out(cart: Cart, lines: Sequence[int]) -> None:
    if lines:
        # Nothing refers to lines: one statement, without looking for what else would go.
        CartLine.objects.filter(cart=cart.pk, pk__in=lines).delete()
