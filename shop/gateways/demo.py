"""A provider that moves no money, for development and tests.

Its books are a table of this database, written outside the shop's transactions as a real provider's
are. The `method` of a payment chooses what happens to it:

    "", "ok"             captured at once
    authorize            authorized; staff capture it
    declined             declined
    insufficient_funds   declined, for want of money
    requires_action      waits until the customer confirms (`confirm`)
    timeout              captured, but the answer is lost: the shop has to look it up
    never                the answer is lost, and nothing was done
"""

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least

from shop.compiled import Compiled
from shop.gateways.base import (
    Failure,
    Gateway,
    Outcome,
    PaymentRequest,
    RefundOutcome,
    Refused,
    Result,
    Unavailable,
)
from shop.models import DemoCharge

_BEGINS = {
    "": Result.CAPTURED,
    "ok": Result.CAPTURED,
    "authorize": Result.AUTHORIZED,
    "declined": Result.DECLINED,
    "insufficient_funds": Result.DECLINED,
    "requires_action": Result.REQUIRES_ACTION,
    "timeout": Result.CAPTURED,
}
_FAILURES = {"insufficient_funds": Failure.INSUFFICIENT_FUNDS}
_BY_KEY: Compiled[DemoCharge] = Compiled(lambda key: DemoCharge.objects.filter(key=key))
_OPEN = (Result.REQUIRES_ACTION, Result.AUTHORIZED)


class Demo(Gateway):
    """Does as the payment's `method` says."""

    name = "demo"

    def is_offered(self, currency: str) -> bool:
        return settings.DEMO_PAYMENTS

    def pay(self, request: PaymentRequest) -> Outcome:
        if request.method == "never":
            raise Unavailable
        begins = _BEGINS.get(request.method)
        if begins is None:
            return Outcome(result=Result.DECLINED, failure=Failure.INVALID_METHOD)
        _enter(request, begins)
        if request.method == "timeout":
            raise Unavailable
        return self.look_up(request)

    def look_up(self, request: PaymentRequest) -> Outcome:
        charge = _BY_KEY.first(key=request.key)
        return _outcome(charge, request) if charge else Outcome(result=Result.UNKNOWN)

    def capture(self, request: PaymentRequest) -> Outcome:
        charges = DemoCharge.objects.filter(key=request.key, state=Result.AUTHORIZED)
        taken = charges.update(state=Result.CAPTURED, captured=Least(F("amount"), request.amount))
        outcome = self.look_up(request)
        if not taken and outcome.result not in (Result.CAPTURED, Result.VOIDED):
            raise Refused
        return outcome

    def void(self, request: PaymentRequest) -> Outcome:
        # Written down also when it is not known: whoever comes late with this key finds it closed.
        _enter(request, Result.VOIDED)
        charges = DemoCharge.objects.filter(key=request.key, state__in=_OPEN)
        charges.update(state=Result.VOIDED)
        outcome = self.look_up(request)
        if outcome.result == Result.DECLINED:
            # It has ended, in another way.
            return Outcome(result=Result.VOIDED, reference=outcome.reference)
        return outcome

    def refund(self, request: PaymentRequest, *, key: str, amount: int) -> RefundOutcome:
        # SQLite takes no lock, but lets one transaction write at a time.
        with transaction.atomic():
            charge = DemoCharge.objects.select_for_update().filter(key=request.key).first()
            if charge is None:
                raise Refused
            if key not in charge.refunds:
                if sum(charge.refunds.values()) + amount > charge.captured:
                    raise Refused
                charge.refunds[key] = amount
                charge.save(update_fields=["refunds"])
        return RefundOutcome(done=True, reference=key)

    def look_up_refund(
        self, request: PaymentRequest, *, key: str, reference: str
    ) -> RefundOutcome | None:
        charge = DemoCharge.objects.filter(key=request.key).first()
        known = charge is not None and key in charge.refunds
        return RefundOutcome(done=True, reference=key) if known else None


def confirm(key: str, *, accept: bool = True) -> bool:
    """The customer confirms a payment that waits for them, or refuses.

    False when none waits under this key.
    """
    charges = DemoCharge.objects.filter(key=key, state=Result.REQUIRES_ACTION)
    if accept:
        return bool(charges.update(state=Result.CAPTURED, captured=F("amount")))
    return bool(charges.update(state=Result.DECLINED))


def _enter(request: PaymentRequest, state: Result) -> None:
    """Writes a charge into the books, unless there is one with this key."""
    charge = DemoCharge(
        key=request.key,
        state=state,
        currency=request.currency,
        amount=request.amount,
        captured=request.amount if state == Result.CAPTURED else 0,
    )
    DemoCharge.objects.bulk_create([charge], ignore_conflicts=True)


def _outcome(charge: DemoCharge, request: PaymentRequest) -> Outcome:
    result = Result(charge.state)
    if result == Result.DECLINED:
        failure = _FAILURES.get(request.method, Failure.DECLINED)
        return Outcome(result=result, reference=charge.key, failure=failure)
    if result == Result.REQUIRES_ACTION:
        client_data = {"url": f"{settings.SITE_URL}/payments/demo/confirm/?token={charge.key}"}
        return Outcome(result=result, reference=charge.key, client_data=client_data)
    if result == Result.VOIDED:
        return Outcome(result=result, reference=charge.key)
    return Outcome(
        result=result,
        reference=charge.key,
        amount=charge.captured if result == Result.CAPTURED else charge.amount,
        authorized=charge.amount,
        currency=charge.currency,
    )
