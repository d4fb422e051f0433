"""The mail to staff about a payment that a customer's bank asks back, or asks about."""

from django.conf import settings
from django.urls import reverse

from shop.actions import mails
from shop.models import Dispute, DisputeState
from shop.money import Money

_INQUIRIES = (DisputeState.INQUIRY, DisputeState.INQUIRY_ANSWERED)


def tell_of_dispute(order_id: int, event_id: int, dispute_id: int) -> None:
    """Mails STAFF_EMAIL how a dispute stands; nobody, where there is no such address.

    It tells nothing of who bought.

    Raises:
        OSError: the mail server does not take it.
    """
    if not settings.STAFF_EMAIL:
        return
    disputes = Dispute.objects.select_related("payment__order")
    dispute = disputes.filter(pk=dispute_id, payment__order=order_id).first()
    if dispute is None:
        return
    context = {
        "number": dispute.payment.order.number,
        "amount": str(Money(dispute.amount, dispute.currency)),
        "reason": dispute.reason.replace("_", " "),
        "reference": dispute.reference,
        "state": dispute.get_state_display(),
        "is_inquiry": dispute.state in _INQUIRIES,
        "is_open": dispute.closed_at is None,
        "is_withdrawn": dispute.is_withdrawn,
        "due": f"{dispute.due_at:%Y-%m-%d %H:%M} UTC" if dispute.due_at else "",
        "url": f"{settings.SITE_URL}{reverse('admin:shop_order_change', args=[order_id])}",
    }
    mails.send("disputed", to=settings.STAFF_EMAIL, key=f"disputed-{event_id}", context=context)
