"""Which orders have used a voucher: each once, and no more of them than it allows."""

from shop.actions import promotions
from shop.errors import InvalidVoucher
from shop.models import Order, Redemption, Voucher

_FIELD = ("cart",)


def redeem(order: Order, voucher: Voucher) -> None:
    """Counts the order as one that has used the voucher.

    The voucher's row is written first, and stays locked: whoever counts a customer's orders after
    that is not overtaken by another one of theirs.

    Raises:
        InvalidVoucher: it is used up, of everybody or of this customer.
    """
    if not promotions.redeem(voucher.pk):
        raise InvalidVoucher("The voucher is used up.", field=_FIELD)
    if voucher.customer_limit is not None:
        used = promotions.uses_by_customer(
            voucher.pk, email_key=order.email_key, account=order.user_id
        )
        if used >= voucher.customer_limit:
            raise InvalidVoucher("You have used this voucher already.", field=_FIELD)
    Redemption.objects.create(voucher=voucher, order=order, customer_key=order.email_key)


def give_back_voucher(order: Order) -> None:
    """Lets the voucher of an order be used by another one. Twice does no more than once."""
    for redemption in Redemption.objects.filter(order=order.pk):
        # The row that is deleted is deleted once: whoever gets it gives the use back.
        if Redemption.objects.filter(pk=redemption.pk).delete()[0]:
            promotions.give_back(redemption.voucher_id)


def redeem_again(order: Order) -> None:
    """The customer has paid the lower price: a voucher that is used up meanwhile is let go."""
    for discount in order.discounts:
        voucher = promotions.find(discount["code"]) if discount["code"] else None
        if voucher is not None and promotions.redeem(voucher.pk):
            Redemption.objects.create(voucher=voucher, order=order, customer_key=order.email_key)
