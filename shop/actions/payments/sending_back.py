"""Money that the shop does not want goes back, whole: too late, twice, or another amount."""

from django.utils import timezone

from shop.actions.payments.holding import change
from shop.gateways import Outcome, Result
from shop.models import Payment, PaymentState, Refund


def send_back(payment: Payment) -> None:
    """What is promised is marked to be voided; what has come becomes a refund, PENDING."""
    now = timezone.now()
    if payment.state == PaymentState.AUTHORIZED:
        change(payment, settle_at=now)
        return
    if change(payment, state=PaymentState.REFUNDED, refunded=payment.captured):
        Refund.objects.create(
            payment=payment,
            key=_back_key(payment),
            currency=payment.currency,
            amount=payment.captured,
            reason="The order could not be confirmed.",
            settle_at=now,
        )


def send_back_wrong(payment: Payment, outcome: Outcome) -> bool:
    """Refunds a wrong amount that has come, once. It never counted as captured, nor does this."""
    key = _back_key(payment)
    is_money = outcome.result == Result.CAPTURED and outcome.amount > 0
    if is_money and not Refund.objects.filter(key=key).exists():
        Refund.objects.create(
            payment=payment,
            key=key,
            currency=outcome.currency,
            amount=outcome.amount,
            reason="It was not the amount of the order.",
            settle_at=timezone.now(),
        )
    return True


def _back_key(payment: Payment) -> str:
    """The key of the refund of a whole payment that the shop does not want."""
    return f"{payment.key}-back"
