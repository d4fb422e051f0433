"""Bank transfer, cash and the like: people move the money, and staff say when it has come."""

from django.conf import settings

from shop.gateways.base import Gateway, Outcome, PaymentRequest, RefundOutcome, Result


class Manual(Gateway):
    """Keeps no books: it says yes to whatever the shop says."""

    name = "manual"
    by_hand = True

    def is_offered(self, currency: str) -> bool:
        return settings.MANUAL_PAYMENTS

    def pay(self, request: PaymentRequest) -> Outcome:
        return _outcome(request, Result.AUTHORIZED)

    def look_up(self, request: PaymentRequest) -> Outcome:
        return _outcome(request, Result.AUTHORIZED)

    def capture(self, request: PaymentRequest) -> Outcome:
        return _outcome(request, Result.CAPTURED)

    def void(self, request: PaymentRequest) -> Outcome:
        return Outcome(result=Result.VOIDED, reference=request.key)

    def refund(self, request: PaymentRequest, *, key: str, amount: int) -> RefundOutcome:
        return RefundOutcome(done=True, reference=key)

    def look_up_refund(
        self, request: PaymentRequest, *, key: str, reference: str
    ) -> RefundOutcome | None:
        return RefundOutcome(done=True, reference=key)


def _outcome(request: PaymentRequest, result: Result) -> Outcome:
    return Outcome(
        result=result,
        reference=request.key,
        amount=request.amount,
        currency=request.currency,
    )
