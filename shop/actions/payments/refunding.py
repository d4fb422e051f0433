"""Money that goes back.

From the moment it is asked for it counts as refunded, in the same transaction, so that all who ask
at the same time never get more than was captured. Then the provider is asked; if it will not, the
amount and the units of the order's lines are given back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from shop import events, gateways
from shop.actions import audit, orders
from shop.actions.payments import machine
from shop.actions.payments.beginning import must_be_outside, patience, request_of
from shop.actions.payments.holding import hold
from shop.actions.rows import atomically
from shop.errors import ExceedsOrder, ExceedsPayment, IdempotencyConflict, IllegalMove, Invalid
from shop.gateways import Failure, PaymentRequest, RefundOutcome, Refused, Unavailable
from shop.models import (
    Order,
    OrderEventKind,
    OrderLine,
    Payment,
    PaymentState,
    Refund,
    RefundLine,
    RefundState,
)
from shop.pricing import TaxShare

_REFUNDABLE = (PaymentState.CAPTURED, PaymentState.PARTIALLY_REFUNDED)


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """What of a refund is for units of a line.

    Attributes:
        line: primary key of the order's line.
        amount: minor units.
        tax: minor units of the amount.
    """

    line: int
    units: int
    amount: int
    tax: int = 0


def refund(
    payment: Payment,
    *,
    amount: int,
    key: str,
    lines: Sequence[Part] = (),
    reason: str = "",
    by: Any = None,
) -> Refund:
    """Pays back `amount` minor units: `begin_refund`, and after its commit `carry_out`.

    Look at the state of what is returned: PENDING, the provider did not answer, and is asked again
    by `settle`; FAILED, it refused, and the amount may be refunded anew.

    Raises:
        As `begin_refund`.
        RuntimeError: inside a transaction.
    """
    must_be_outside()
    asked: dict[str, Any] = {"amount": amount, "key": key, "lines": lines, "reason": reason}
    begun = atomically(lambda: begin_refund(payment, by=by, **asked))
    return carry_out(begun.pk)


def begin_refund(
    payment: Payment,
    *,
    amount: int,
    key: str,
    lines: Sequence[Part] = (),
    postage: Sequence[TaxShare] = (),
    reason: str = "",
    by: Any = None,
) -> Refund:
    """Counts `amount` as refunded and writes the refund, PENDING, in the caller's transaction.

    The same key again returns the refund that was made with it.

    Args:
        amount: minor units, above 0.
        key: at most 64 characters; one refund for each.
        lines: what of it is for which lines, each named once; empty for an amount of money only.
        postage: what of the amount is for the shipping, by tax rate.
        reason: what staff wrote.
        by: the member of staff who asks for it.

    Raises:
        ExceedsPayment: it is more than was captured, not paid back yet and not taken by a dispute.
        ExceedsOrder: of a line it is more than was bought and not paid back yet.
        IllegalMove: nothing was captured.
        IdempotencyConflict: the key was used for another refund.
        Invalid: the amount is not above 0, or the provider cannot move exactly this much.
        RuntimeError: outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A refund is written in the transaction of what it is for.")
    parts, shipping = sorted(lines), sum(share.total for share in postage)
    payment = hold(payment.pk)
    known = Refund.objects.filter(key=key).first()
    if known is not None:
        asked = (payment.pk, amount, parts, shipping)
        if (known.payment_id, known.amount, _parts(known), known.shipping) != asked:
            raise IdempotencyConflict
        return known
    _check(payment, amount)
    count(payment, amount)
    _count_lines(payment.order, parts)
    made = Refund.objects.create(
        payment=payment,
        key=key,
        currency=payment.currency,
        amount=amount,
        shipping=shipping,
        shipping_taxes=orders.stored(postage),
        reason=reason,
        actor_id=getattr(by, "pk", None),
        settle_at=timezone.now() + patience(),
    )
    RefundLine.objects.bulk_create(
        RefundLine(
            refund=made,
            line_id=part.line,
            quantity=part.units,
            amount=part.amount,
            tax=part.tax,
            currency=made.currency,
        )
        for part in parts
    )
    audit.created("refund.create", made, facts)
    orders.set_payment_status(payment.order)
    orders.revoke_given_back(payment.order, actor=by)
    return made


def give_back(order: Order, *, reason: str, by: Any = None) -> list[Refund]:
    """Has all money of an order go back, in the transaction in which it is cancelled.

    What was captured becomes refunds, PENDING; what is promised or open is marked to be voided.
    After the commit call `settle` with this order, or leave it to the next turn of the task.
    """
    made = []
    for payment in Payment.objects.filter(order=order.pk).order_by("pk"):
        rest = payment.left
        if rest:
            key = f"{payment.key}-all-{payment.refunded}"
            made.append(begin_refund(payment, amount=rest, key=key, reason=reason, by=by))
    now = timezone.now()
    Refund.objects.filter(pk__in=[one.pk for one in made]).update(settle_at=now)
    undone = (*machine.OPEN, PaymentState.AUTHORIZED)
    Payment.objects.filter(order=order.pk, state__in=undone).update(settle_at=now, attempts=0)
    return made


def carry_out(refund_id: int) -> Refund:
    """Asks the provider to pay back what `begin_refund` wrote, and applies what it answers.

    Raises:
        RuntimeError: inside a transaction.
    """
    must_be_outside()
    row = Refund.objects.select_related("payment__order").get(pk=refund_id)
    if row.state != RefundState.PENDING or row.reference or is_taken(row.payment):
        return row
    gateway = gateways.gateway_of(row.payment.provider)
    try:
        outcome = gateway.refund(request_for(row), key=row.key, amount=row.amount)
    except Unavailable:
        return row
    except Refused:
        outcome = RefundOutcome(done=False)
    return apply_refund(row.pk, outcome)


def apply_refund(refund_id: int, outcome: RefundOutcome) -> Refund:
    """Makes what a provider says of a refund true in the shop. Twice does no more than once.

    A provider may find out later that money cannot go back that it had sent.
    """
    return atomically(lambda: apply_refund_within(refund_id, outcome))


def apply_refund_within(refund_id: int, outcome: RefundOutcome) -> Refund:
    """As `apply_refund`, in the caller's transaction."""
    while True:
        row = Refund.objects.get(pk=refund_id)
        payment = hold(row.payment_id)
        if _apply(row, payment, outcome):
            return row


def request_for(row: Refund) -> PaymentRequest:
    """What a provider is told of the payment that is paid back."""
    payment = row.payment
    request = request_of(payment)
    if row.currency == payment.currency:
        return request
    # It came in another currency than was asked for, and goes back as it came.
    return PaymentRequest(
        key=request.key, amount=row.amount, currency=row.currency, reference=request.reference
    )


def count(payment: Payment, amount: int, *, was_paid: bool = False) -> None:
    """Counts `amount` as refunded, if so much was captured and no dispute has taken it.

    Args:
        was_paid: it has gone back already, whatever a dispute took besides.

    Raises:
        ExceedsPayment: it is more.
    """
    after = F("refunded") + amount
    most = F("captured") if was_paid else F("captured") - F("disputed")
    enough = Payment.objects.alias(most=most).filter(
        pk=payment.pk, state__in=_REFUNDABLE, most__gte=after
    )
    state = _either(Q(captured=after), PaymentState.REFUNDED)
    # The state comes first: MariaDB works from the left, with what it has just written.
    if not enough.update(state=state, refunded=after, updated_at=timezone.now()):
        raise ExceedsPayment


def is_taken(payment: Payment) -> bool:
    """Whether a dispute, which came after a refund was counted, has taken the money for it.

    It is not sent then; `settle` finds out whether it was sent before, and gives it up if not.
    """
    more = Payment.objects.filter(pk=payment.pk, captured__lt=F("refunded") + F("disputed"))
    return more.exists()


def facts(row: Refund) -> dict[str, Any]:
    """What the audit tells of a refund."""
    return {
        "payment": row.payment_id,
        "state": row.state,
        "currency": row.currency,
        "amount": row.amount,
        "lines": {str(part.line): part.units for part in _parts(row)},
        "shipping": row.shipping,
        "reason": row.reason,
    }


def _check(payment: Payment, amount: int) -> None:
    if amount <= 0:
        raise Invalid("An amount to be paid back is above zero.")
    if payment.state not in machine.TAKEN:
        raise IllegalMove("Only what was captured can be paid back.")
    if not gateways.gateway_of(payment.provider).takes(amount, payment.currency):
        raise Invalid("The provider cannot pay back exactly this amount.")


def _either(condition: Q, state: PaymentState) -> Case:
    """`state` where the condition holds, else partially refunded."""
    return Case(
        When(condition, then=Value(state)),
        default=Value(PaymentState.PARTIALLY_REFUNDED),
        output_field=Payment._meta.get_field("state"),
    )


def _parts(row: Refund) -> list[Part]:
    """By the keys of their lines, the order in which lines are locked."""
    return sorted(Part(*of) for of in row.lines.values_list("line", "quantity", "amount", "tax"))


def _count_lines(order: Order, parts: Sequence[Part]) -> None:
    for part in parts:
        after = F("refunded") + part.units
        line = OrderLine.objects.filter(pk=part.line, order=order.pk, quantity__gte=after)
        if not line.update(refunded=after):
            raise ExceedsOrder


def _apply(row: Refund, payment: Payment, outcome: RefundOutcome) -> bool:
    """False when somebody else was quicker, so that the refund is to be read again."""
    reference = outcome.reference or row.reference
    if outcome.done is None:
        if row.state != RefundState.PENDING or reference == row.reference:
            return True
        return _change(row, reference=reference)
    if outcome.done:
        if row.state != RefundState.PENDING:
            return True
        done = _change(row, state=RefundState.SUCCEEDED, reference=reference, settle_at=None)
        if done:
            _tell(row, payment, OrderEventKind.REFUNDED)
            events.emit("order.refunded", payment.order, refund=row.pk)
        return done
    if row.state == RefundState.FAILED:
        return True
    failed = _change(row, state=RefundState.FAILED, reference=reference, settle_at=None)
    if failed:
        _take_back(row, payment)
        _tell(row, payment, OrderEventKind.REFUND_FAILED)
    return failed


def _change(row: Refund, **changes: Any) -> bool:
    changes["updated_at"] = timezone.now()
    if not Refund.objects.filter(pk=row.pk, state=row.state).update(**changes):
        return False
    for name, value in changes.items():
        setattr(row, name, value)
    return True


def _tell(row: Refund, payment: Payment, kind: OrderEventKind) -> None:
    told = {"amount": row.amount, "currency": row.currency, "provider": payment.provider}
    orders.record(payment.order, kind, actor=row.actor, text=row.reason, **told)


def _take_back(row: Refund, payment: Payment) -> None:
    """The money did not go: neither the amount nor the units count as refunded any more."""
    if payment.failure != Failure.WRONG_AMOUNT:
        after = F("refunded") - row.amount
        counted = Payment.objects.filter(pk=payment.pk, refunded__gte=row.amount)
        state = _either(Q(refunded=row.amount), PaymentState.CAPTURED)
        counted.update(state=state, refunded=after, updated_at=timezone.now())
    for part in _parts(row):
        line = OrderLine.objects.filter(pk=part.line, refunded__gte=part.units)
        line.update(refunded=F("refunded") - part.units)
    orders.set_payment_status(payment.order)
