"""Money that goes back: for units of lines, for the shipping, or as an amount."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shop.actions import audit, orders, payments
from shop.actions.aftersales.fulfilling import cancel_units, finish, unshipped
from shop.actions.aftersales.holding import (
    Chosen,
    Units,
    chosen,
    facts,
    hold,
)
from shop.actions.aftersales.repeating import once
from shop.actions.aftersales.shares import share
from shop.actions.aftersales.texts import REASON, checked
from shop.actions.payments import Part
from shop.actions.rows import atomically
from shop.errors import ExceedsOrder, ExceedsPayment, Invalid, Required
from shop.input_errors import InputErrors
from shop.models import Order, OrderLine, OrderStatus, Payment, PaymentState, Refund, RefundState
from shop.money import format_minor
from shop.pricing import TaxShare, taken_from, without

_REFUNDABLE = (
    OrderStatus.CONFIRMED,
    OrderStatus.COMPLETED,
    OrderStatus.CANCELLED,
    OrderStatus.EXPIRED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to go back. Lines and shipping, or an amount.

    Attributes:
        lines: units by the primary key of the order's line; None stands for all that are left of
            that line.
        shipping: what is left of the shipping.
        shipping_amount: instead of `shipping`, a part of it; minor units, tax included.
        amount: minor units.
        restock: whether the units are taken out of the order as well: they are not shipped any
            more, and free for others.
    """

    lines: Units = field(default_factory=dict)
    shipping: bool = False
    shipping_amount: int | None = None
    amount: int | None = None
    restock: bool = False

    def check(self, errors: InputErrors) -> None:
        """Adds Required or Invalid for what makes no refund.

        With an error in `errors` an amount may be missing because it could not be read.
        """
        if self.shipping and self.shipping_amount is not None:
            message = "Either all that is left of the shipping, or an amount of it."
            errors.add(Invalid(message, field=["shippingAmount"]))
        if self.shipping_amount is not None and self.shipping_amount <= 0:
            message = "An amount of the shipping to pay back is above zero."
            errors.add(Invalid(message, field=["shippingAmount"]))
        by_parts = bool(self.lines) or self.shipping or self.shipping_amount is not None
        if not by_parts and self.amount is None and not errors:
            errors.add(Required("Say what goes back: lines, the shipping or an amount."))
        if by_parts and self.amount is not None:
            errors.add(Invalid("Either lines and shipping, or an amount.", field=["amount"]))
        if self.amount is not None and self.amount <= 0:
            errors.add(Invalid("An amount to pay back is above zero.", field=["amount"]))
        if self.restock and not self.lines:
            errors.add(Invalid("Only lines are put back into stock.", field=["restock"]))


def refund(
    order: Order,
    wanted: Wanted,
    *,
    reason: str = "",
    by: Any,
    key: str | None = None,
    errors: InputErrors | None = None,
) -> Refund | None:
    """Pays money back. Not to be called in a transaction: the provider is asked outside of them.

    First the refund is written, and counts as paid back from then on; then the provider is asked. A
    process that dies in between, or an answer that is lost, is made up for by `payments.settle`. A
    refund that comes back PENDING is on its way.

    Args:
        reason: the customer can read it.
        by: who of the staff pays it back.
        key: by which a request that comes again is known.
        errors: found in the input so far; with any of them nothing is written.

    Returns:
        None where units for which nothing goes back were taken out of the order: they cost nothing,
        or were paid back before.

    Raises:
        IllegalMove: the order waits for its payment; or it is not confirmed, and units of it are to
            be put back into stock.
        NotFound, InvalidQuantity, ExceedsOrder: as `holding.chosen`; ExceedsOrder also for shipping
            of which nothing, or less, is left to pay back.
        ExceedsPayment: it is more than was paid, not paid back and not taken by a dispute.
        Required, Invalid: nothing, or too much, is said about what goes back.
        IdempotencyConflict, Busy: as `idempotency.once`.
        Several: more than one of these.
    """
    errors = InputErrors() if errors is None else errors
    wanted.check(errors)
    with errors.collect():
        reason = checked(reason, "reason", longest=REASON)
    asked = {
        "order": order.pk,
        "lines": wanted.lines,
        "shipping": wanted.shipping,
        "amount": wanted.amount,
        "restock": wanted.restock,
        "reason": reason,
    }
    if wanted.shipping_amount is not None:
        asked["shipping_amount"] = wanted.shipping_amount
    pk = atomically(
        lambda: once(
            by,
            "order.refund",
            key,
            asked,
            lambda: _begin(order, wanted, reason, by, errors),
            errors,
        )
    )
    # It is committed; from here on `payments.settle` would do as well.
    return None if pk is None else payments.carry_out(pk)


@audit.recorded("order.refund", facts)
def _begin(order: Order, wanted: Wanted, reason: str, by: Any, errors: InputErrors) -> int | None:
    """Writes the refund. Returns its primary key; None where nothing goes back for the units."""
    items, postage, payment = _checked(order, wanted, errors)
    parts = [] if wanted.restock and _is_spent(order) else _parts(items)
    by_parts = sum(part.amount for part in parts) + sum(share.total for share in postage)
    amount = by_parts if wanted.amount is None else wanted.amount
    if not amount and not wanted.restock:
        raise Invalid("Nothing was paid for it.", field=["lines"])
    made = None
    if amount:
        made = payments.begin_refund(
            payment or _payment(order, amount),
            amount=amount,
            key=secrets.token_hex(16),
            lines=parts,
            postage=postage,
            reason=reason,
            by=by,
        ).pk
    if wanted.restock:
        order.refresh_from_db(fields=["payment_status", "fulfillment_status"])
        cancel_units(order, items)
        # They may have been the last that were missing.
        finish(order)
    return made


def _checked(
    order: Order, wanted: Wanted, errors: InputErrors
) -> tuple[list[Chosen], tuple[TaxShare, ...], Payment | None]:
    """Locks the order and raises all errors.

    Returns:
        Units and shipping that go back; for an amount, the payment that it comes from.
    """
    items: list[Chosen] = []
    postage: tuple[TaxShare, ...] = ()
    payment = None
    with errors.collect():
        hold(
            order,
            illegal="Only units of confirmed orders are put back into stock."
            if wanted.restock
            else "What waits for its payment has nothing to pay back.",
            status__in=(OrderStatus.CONFIRMED,) if wanted.restock else _REFUNDABLE,
        )
        if wanted.lines:
            with errors.collect():
                items = chosen(order, wanted.lines, unshipped if wanted.restock else unrefunded)
        with errors.collect():
            postage = _postage(order, wanted)
        if wanted.amount is not None:
            payment = _payment(order, wanted.amount, field=["amount"])
    errors.raise_any()
    return items, postage, payment


def unrefunded(line: OrderLine) -> int:
    """Units that were not paid back yet."""
    return line.quantity - line.refunded


def _is_spent(order: Order) -> bool:
    """Whether all its money has gone back or never came, so that nothing can go back for units.

    What of the order is not shipped yet can be taken out of it all the same: there is no other way
    for it, once something was shipped.
    """
    payments_of = Payment.objects.filter(order=order.pk)
    return not any(one.left or one.state == PaymentState.AUTHORIZED for one in payments_of)


def _parts(items: list[Chosen]) -> list[Part]:
    """What goes back for the units; nothing for those that were paid back before."""
    units = {item.line: min(item.units, unrefunded(item.line)) for item in items}
    return [
        Part(line.pk, number, _share(line, line.total, number), _share(line, line.tax, number))
        for line, number in units.items()
        if number
    ]


def _share(line: OrderLine, amount: int, units: int) -> int:
    return share(amount, line.quantity, before=line.refunded, units=units)


def _postage(order: Order, wanted: Wanted) -> tuple[TaxShare, ...]:
    """Returns the shipping to refund, by tax rate. Raises ExceedsOrder."""
    if not wanted.shipping and wanted.shipping_amount is None:
        return ()
    left = postage_left(order)
    if wanted.shipping_amount is None:
        if not left:
            raise ExceedsOrder("Of the shipping nothing is left to pay back.", field=["shipping"])
        return left
    most = sum(one.total for one in left)
    if wanted.shipping_amount <= 0:
        # An error of the input already.
        return ()
    if wanted.shipping_amount > most:
        told = f"Of the shipping {format_minor(most, order.currency)} {order.currency} are left."
        raise ExceedsOrder(told, field=["shippingAmount"])
    return taken_from(left, wanted.shipping_amount)


def shipping_left(order: Order) -> int:
    """What was paid for the shipping and not paid back; minor units, tax included."""
    return sum(one.total for one in postage_left(order))


def postage_left(order: Order) -> tuple[TaxShare, ...]:
    """Returns the shipping that was paid and not refunded, by tax rate."""
    left = orders.postage_of(order, order.lines.all())
    refunds = Refund.objects.filter(payment__order=order.pk, shipping__gt=0)
    for row in refunds.exclude(state=RefundState.FAILED).order_by("pk"):
        gone = orders.loaded(row.shipping_taxes) or taken_from(left, row.shipping)
        left = without(left, gone)
    return left


def _payment(order: Order, amount: int, *, field: Sequence[str] = ()) -> Payment:
    """A payment of which so much is left. Usually there is one."""
    most = disputed = 0
    for payment in Payment.objects.filter(order=order.pk, captured__gt=0).order_by("pk"):
        if payment.left >= amount:
            return payment
        most = max(most, payment.left)
        disputed += payment.disputed
    told = f"At most {format_minor(most, order.currency)} {order.currency} can be paid back."
    if disputed:
        taken = format_minor(disputed, order.currency)
        told += f" A bank has taken {taken} {order.currency} by a dispute."
    raise ExceedsPayment(told, field=field)
