"""What a cart costs today, and what its shopper should know: computed anew whenever it is asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.utils import timezone

from shop import pricing
from shop.actions import promotions, shipping
from shop.actions.catalog.cart_lines import full_name
from shop.compiled import Compiled
from shop.errors import what_is_left
from shop.models import Cart, CartLine, Product, ProductStatus, Variant, Voucher
from shop.models.carts import StoredNotice
from shop.models.customers import email_key


class NoticeCode(StrEnum):
    """What a shopper is told about a cart. None of these is an error of the request."""

    LINE_REMOVED = StoredNotice.LINE_REMOVED.value
    MERGE_REDUCED = StoredNotice.MERGE_REDUCED.value
    MERGE_DROPPED = StoredNotice.MERGE_DROPPED.value
    REORDER_REDUCED = StoredNotice.REORDER_REDUCED.value
    REORDER_OUT_OF_STOCK = StoredNotice.REORDER_OUT_OF_STOCK.value
    REORDER_UNAVAILABLE = StoredNotice.REORDER_UNAVAILABLE.value
    PRICE_CHANGED = "PRICE_CHANGED"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    NOT_PURCHASABLE = "NOT_PURCHASABLE"
    VOUCHER_NOT_STARTED = "VOUCHER_NOT_STARTED"
    VOUCHER_EXPIRED = "VOUCHER_EXPIRED"
    VOUCHER_USED_UP = "VOUCHER_USED_UP"
    VOUCHER_USED_BY_CUSTOMER = "VOUCHER_USED_BY_CUSTOMER"
    VOUCHER_WRONG_CURRENCY = "VOUCHER_WRONG_CURRENCY"
    VOUCHER_BELOW_MINIMUM = "VOUCHER_BELOW_MINIMUM"
    SHIPPING_NOT_OFFERED = "SHIPPING_NOT_OFFERED"
    SHIPPING_RATE_NOT_OFFERED = "SHIPPING_RATE_NOT_OFFERED"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the shopper should know.

    Attributes:
        message: for people; one sentence.
        line: primary key of the line that it is about; None for the cart as a whole.
        name, quantity: of a line that is gone: what it was, and how many units are not in the cart.
        old_price, new_price: minor units, of PRICE_CHANGED: the price that the shopper saw, and
            today's.
    """

    code: NoticeCode
    message: str
    line: int | None = None
    name: str | None = None
    quantity: int | None = None
    old_price: int | None = None
    new_price: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedCart:
    """A cart and what it costs.

    Attributes:
        lines: those that can be bought, in the order in which they were added, with their variants,
            products and stock; in the order of `price.lines`.
        left_out: those that cannot be bought and cost nothing.
        rates: of shipping, that are on offer, the chosen one among them.
    """

    cart: Cart
    lines: Sequence[CartLine]
    left_out: Sequence[CartLine]
    price: pricing.Priced
    rates: Sequence[pricing.ShippingRate]
    notices: Sequence[Notice]


# What people are told.
WORDS = {
    pricing.Notice.VOUCHER_NOT_STARTED: "The voucher does not hold yet.",
    pricing.Notice.VOUCHER_EXPIRED: "The voucher has expired.",
    pricing.Notice.VOUCHER_USED_UP: "The voucher is used up.",
    pricing.Notice.VOUCHER_USED_BY_CUSTOMER: "You have used this voucher already.",
    pricing.Notice.VOUCHER_WRONG_CURRENCY: "The voucher is in another currency.",
    pricing.Notice.VOUCHER_BELOW_MINIMUM: "The cart is below the minimum of the voucher.",
    pricing.Notice.SHIPPING_NOT_OFFERED: "We do not ship this there.",
    pricing.Notice.SHIPPING_RATE_NOT_OFFERED: "The shipping that was chosen is not offered here.",
}


_GONE = {
    NoticeCode.LINE_REMOVED: "{name} is no longer available. We removed it from your cart "
    "(quantity {quantity}).",
    NoticeCode.MERGE_REDUCED: "We could not add all units of {name} to your cart: {quantity} are "
    "missing.",
    NoticeCode.MERGE_DROPPED: "We could not add {name} to your cart (quantity {quantity}).",
    NoticeCode.REORDER_REDUCED: "We do not have as many units of {name} as you ordered: {quantity} "
    "are missing.",
    NoticeCode.REORDER_OUT_OF_STOCK: "{name} is out of stock (quantity {quantity}).",
    NoticeCode.REORDER_UNAVAILABLE: "{name} is no longer available (quantity {quantity}).",
}
# Of a product, what may be long and has no part in selling it.
LONG_TEXTS = ("description", "seo_description", "search_text")
_LINES: Compiled[CartLine] = Compiled(
    lambda carts: (
        CartLine.objects.filter(cart__pk__in=carts)
        .select_related("variant__product", "variant__stock")
        .defer(*(f"variant__product__{name}" for name in LONG_TEXTS))
        .order_by("pk")
    )
)


def priced(cart: Cart) -> PricedCart:
    """The cart at today's prices: at most six statements, whatever is in it.

    Raises:
        AmountTooLarge: it comes to more than can be paid at once.
    """
    return priced_all([cart])[0]


def priced_all(carts: Sequence[Cart]) -> list[PricedCart]:
    """As `priced`, for many: their lines in one statement, the rules once for each destination."""
    lines: dict[int, list[CartLine]] = {cart.pk: [] for cart in carts}
    for line in lines_of(*carts):
        lines[line.cart_id].append(line)
    rules = _Rules()
    return [_priced(cart, lines[cart.pk], rules) for cart in carts]


def _priced(cart: Cart, everything: Sequence[CartLine], rules: "_Rules") -> PricedCart:
    lines = [line for line in everything if is_for_sale(line.variant)]
    basket = _basket(cart, lines)
    found = rules.of(cart, basket.destination)
    price = pricing.price(basket, found, now=timezone.now())
    rates: Sequence[pricing.ShippingRate] = ()
    if basket.destination and basket.shipped:
        rates = pricing.offered(
            found.zones, basket.destination, weight=basket.weight, total=basket.shipped_subtotal
        )
    return PricedCart(
        cart=cart,
        lines=lines,
        left_out=[line for line in everything if not is_for_sale(line.variant)],
        price=price,
        rates=rates,
        notices=[*_stored_notices(cart), *_line_notices(everything), *_price_notices(price)],
    )


def lines_of(*carts: Cart) -> list[CartLine]:
    """The lines in the order in which they were added, with all that pricing needs to know."""
    return _LINES.all(carts=[cart.pk for cart in carts])


def is_for_sale(variant: Variant) -> bool:
    """Whether it is published and has a price; whether there is any left is another question."""
    product: Product = variant.product
    return (
        variant.price is not None
        and product.status == ProductStatus.PUBLISHED
        and product.published_at is not None
        and product.published_at <= timezone.now()
    )


def left(variant: Variant) -> int | None:
    """Units that can be promised yet; None stands for as many as one likes."""
    stock = getattr(variant, "stock", None)
    if stock is None:
        return 0
    return None if stock.backorder else max(stock.available, 0)


def name_of(variant: Variant) -> str:
    """How people call it."""
    return full_name(variant.product.name, variant.name)


def _basket(cart: Cart, lines: Sequence[CartLine]) -> pricing.Basket:
    voucher = cart.voucher if cart.voucher_id else None
    return pricing.Basket(
        currency=cart.currency,
        lines=tuple(
            pricing.Line(
                key=line.variant_id,
                quantity=line.quantity,
                unit_price=line.variant.price or 0,
                compare_at=line.variant.compare_at,
                weight=line.variant.weight_grams,
                tax_category=line.variant.product.tax_category,
                requires_shipping=line.variant.requires_shipping,
            )
            for line in lines
        ),
        destination=destination_of(cart, lines),
        shipping_rate=cart.shipping_rate_id,
        voucher=promotions.as_priced(voucher) if voucher else None,
        usage=_usage(cart, voucher) if voucher else pricing.Usage(),
    )


def requires_shipping(lines: Sequence[CartLine]) -> bool:
    """Whether a cart with these lines is shipped; one without lines is."""
    return not lines or any(line.variant.requires_shipping for line in lines)


def destination_of(cart: Cart, lines: Sequence[CartLine]) -> pricing.Destination | None:
    """Where the cart goes, or to whom it is billed if nothing is shipped; None without an address.

    Args:
        lines: those that can be bought.
    """
    address = cart.shipping_address
    if not requires_shipping(lines):
        address = cart.billing_address or address
    return pricing.Destination(address["country"], address["region"]) if address else None


def _usage(cart: Cart, voucher: Voucher) -> pricing.Usage:
    """Orders that have used the voucher; of this customer only where there is a limit to it."""
    customer = 0
    if voucher.customer_limit is not None and (cart.email or cart.user_id):
        customer = promotions.uses_by_customer(
            voucher.pk, email_key=email_key(cart.email), account=cart.user_id
        )
    return pricing.Usage(everybody=voucher.used, customer=customer)


class _Rules:
    """The shop's rules, read once for each destination."""

    def __init__(self) -> None:
        self._found: dict[tuple[pricing.Destination | None, str], pricing.Rules] = {}
        self._automatic: tuple[pricing.AutomaticDiscount, ...] | None = None

    def of(self, cart: Cart, place: pricing.Destination | None) -> pricing.Rules:
        if (place, cart.currency) not in self._found:
            if self._automatic is None:
                self._automatic = promotions.automatic()
            # Rates and discounts are in the shop's currency, which may not be what it was.
            is_ours = cart.currency == settings.SHOP_CURRENCY
            self._found[place, cart.currency] = pricing.Rules(
                currency=cart.currency,
                taxes=shipping.taxes(place.country, place.region) if place else shipping.taxes(""),
                zones=shipping.zones(place.country) if place and is_ours else (),
                automatic=self._automatic if is_ours else (),
            )
        return self._found[place, cart.currency]


def _stored_notices(cart: Cart) -> Iterable[Notice]:
    for stored in cart.stored_notices:
        code, name, quantity = NoticeCode(stored["code"]), stored["name"], stored["quantity"]
        message = _GONE[code].format(name=name, quantity=quantity)
        yield Notice(code, message, name=name, quantity=quantity)


def _line_notices(lines: Iterable[CartLine]) -> Iterable[Notice]:
    for line in lines:
        variant, name = line.variant, name_of(line.variant)
        if not is_for_sale(variant):
            yield Notice(NoticeCode.NOT_PURCHASABLE, f"{name} is not sold any more.", line.pk)
            continue
        available = left(variant)
        if available is not None and line.quantity > available:
            yield Notice(NoticeCode.OUT_OF_STOCK, what_is_left(name, available), line.pk)
        if line.seen_price is not None and line.seen_price != variant.price:
            yield Notice(
                NoticeCode.PRICE_CHANGED,
                f"The price of {name} has changed.",
                line.pk,
                old_price=line.seen_price,
                new_price=variant.price,
            )


def _price_notices(price: pricing.Priced) -> Iterable[Notice]:
    for notice in price.notices:
        yield Notice(NoticeCode(notice.value), WORDS[notice])
