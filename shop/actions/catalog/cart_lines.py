"""Lines of carts whose variants are deleted: their shoppers get a notice."""

from collections.abc import Collection, Sequence

from django.db import OperationalError
from django.db.models import QuerySet

from shop.actions.rows import locked
from shop.errors import Conflict
from shop.models import Cart, CartLine, CartStatus, Stock, Variant
from shop.models.carts import StoredNotice, stored_notice

_BATCH = 500


def full_name(product: str, variant: str) -> str:
    """Display name of a variant: "Mug (Small)"."""
    return f"{product} ({variant})" if variant else product


def remove_from_carts(variants: QuerySet[Variant]) -> None:
    """Replaces lines of active carts that hold any of `variants` by notices.

    Call it in the transaction that deletes the variants, which are locked with their stock then.
    Takes four statements for 500 lines, and six for the locks.

    Raises:
        Conflict: others were in the way.
    """
    keys = list(variants.order_by("pk").values_list("pk", flat=True))
    lock_with_carts(keys, stock=Stock.objects.filter(variant__in=keys))
    _remove(keys)


def lock_with_carts(
    gone: Collection[int], *, stock: QuerySet[Stock], changed: Collection[int] = ()
) -> None:
    """Locks variants that may be deleted, the active carts that hold them, and stock.

    In the order of checkouts: cart, stock, variants. The lines of an order take a share of their
    variants' keys when the checkout commits, because foreign keys are checked then.

    Args:
        gone: primary keys of the variants that may be deleted: no cart gets a line of them, and no
            unit of them is reserved, until the transaction ends.
        stock: rows to be locked, those of `gone` among them.
        changed: primary keys of variants that will get another SKU or other options. PostgreSQL
            takes those for keys, too.

    Raises:
        Conflict: a cart got a line meanwhile, and somebody has locked it. Waiting for it now could
            be a deadlock.
    """
    if gone:
        _lock_carts(gone)
    list(locked(stock))
    if gone or changed:
        rows = Variant.objects.select_for_update().filter(pk__in={*gone, *changed}).order_by("pk")
        list(rows.values_list("pk"))
    if gone:
        try:
            _lock_carts(gone, nowait=True)
        except OperationalError as error:
            raise Conflict from error


def _lock_carts(variants: Collection[int], *, nowait: bool = False) -> None:
    lines = CartLine.objects.filter(variant__in=variants, cart__status=CartStatus.ACTIVE)
    carts = list(lines.order_by("cart").values_list("cart_id", flat=True).distinct())
    for start in range(0, len(carts), _BATCH):
        rows = locked(Cart.objects.filter(pk__in=carts[start : start + _BATCH]), nowait=nowait)
        list(rows.values_list("pk"))


def _remove(keys: Sequence[int]) -> None:
    lines = CartLine.objects.filter(variant__in=keys, cart__status=CartStatus.ACTIVE)
    while found := list(lines.order_by("cart", "pk").values_list("cart_id", flat=True)[:_BATCH]):
        # Locked first and read again: a shopper may have changed or ordered one meanwhile.
        carts = {cart.pk: cart for cart in locked(Cart.objects.filter(pk__in=set(found)))}
        active = [cart.pk for cart in carts.values() if cart.status == CartStatus.ACTIVE]
        gone = CartLine.objects.filter(cart__in=active, variant__in=keys).order_by("pk")
        columns = ("pk", "cart_id", "quantity", "variant__product__name", "variant__name")
        rows = list(gone.values_list(*columns))
        for _, cart, quantity, product, variant in rows:
            name = full_name(product, variant)
            carts[cart].add_notices(stored_notice(StoredNotice.LINE_REMOVED, name, quantity))
        changed = [carts[pk] for pk in {row[1] for row in rows}]
        for cart in changed:
            cart.version += 1
        # Not `updated_at`: a deletion by staff does not keep a cart from being purged.
        Cart.objects.bulk_update(changed, ["stored_notices", "version"])
        CartLine.objects.filter(pk__in=[row[0] for row in rows]).delete()
