"""Vouchers at the till: found by their codes, used by orders, given back by those that end."""

from datetime import UTC, datetime

from django.db.models import F, Q

from shop import pricing
from shop.models import Redemption, User, Voucher, VoucherKind
from shop.text import normalize_code

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def find(code: str) -> Voucher | None:
    """The active voucher with this code, in one statement. Whether it applies, pricing says."""
    return Voucher.objects.filter(code=normalize_code(code), is_active=True).first()


def as_priced(voucher: Voucher) -> pricing.Voucher:
    """A voucher as pricing takes it.

    One that was deactivated counts as over, so that carts which have it say why it takes off
    nothing.
    """
    names_an_amount = voucher.kind == VoucherKind.FIXED or voucher.minimum_subtotal
    return pricing.Voucher(
        code=voucher.code,
        kind=pricing.VoucherKind(voucher.kind.upper()),
        value=voucher.value,
        currency=voucher.currency if names_an_amount else None,
        minimum_subtotal=voucher.minimum_subtotal,
        starts_at=voucher.starts_at,
        ends_at=voucher.ends_at if voucher.is_active else _LONG_AGO,
        usage_limit=voucher.usage_limit,
        customer_limit=voucher.customer_limit,
    )


def uses_by_customer(voucher_id: int, *, email_key: str, account: int | None) -> int:
    """Counts the orders of one customer that use a voucher, in one statement.

    These are orders with the e-mail address, those of the account whatever their addresses, and
    those of the account that has confirmed the address.

    Args:
        email_key: of the address that the order goes by; empty while there is none.
        account: primary key of the account that orders; None for guests.
    """
    owner = Q(email_key=email_key, confirmed_at__isnull=False)
    accounts = User.objects.filter(owner if account is None else owner | Q(pk=account))
    uses = Redemption.objects.filter(voucher=voucher_id).values("pk")
    # A union of three, each of which has an index; an OR would read all uses of the voucher.
    found = uses.filter(customer_key=email_key).union(
        uses.filter(customer_key__in=accounts.values("email_key")),
        uses.filter(order__user__in=accounts.values("pk")),
    )
    return found.count()


def redeem(voucher_id: int) -> bool:
    """Counts one more order with a voucher, in one guarded statement; call it in a transaction.

    The row stays locked until the transaction ends, so whoever counts a customer's redemptions
    after this, and adds one, is not overtaken by another order of the customer's: there the limit
    of each customer is to be checked. Roll back if it is reached.

    Returns:
        Whether there was one left; else nothing was written.
    """
    left = Q(usage_limit=None) | Q(used__lt=F("usage_limit"))
    rows = Voucher.objects.filter(left, pk=voucher_id, is_active=True)
    return rows.update(used=F("used") + 1) == 1


def give_back(voucher_id: int) -> bool:
    """Takes back what `redeem` did, for an order that is cancelled or has expired.

    Returns:
        Whether it was counted; a voucher that was deleted meanwhile is not.
    """
    return Voucher.objects.filter(pk=voucher_id, used__gt=0).update(used=F("used") - 1) == 1
