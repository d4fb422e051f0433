"""Orders that are called off before anything of them was shipped."""

from typing import Any

from django.utils import timezone

from shop import events
from shop.actions import audit, carts, inventory, orders, payments
from shop.actions.aftersales.holding import facts, hold
from shop.actions.aftersales.repeating import once
from shop.actions.aftersales.texts import REASON, checked
from shop.actions.rows import atomically
from shop.errors import IllegalMove
from shop.input_errors import InputErrors
from shop.models import (
    FulfillmentStatus,
    MovementReason,
    Order,
    OrderEventKind,
    OrderStatus,
    Payment,
    PaymentStatus,
    Stock,
)

_ILLEGAL = "Only what has not ended, and of which nothing was shipped, is called off."


def cancel(
    order: Order, *, reason: str = "", restock: bool = True, by: Any, key: str | None = None
) -> Order:
    """Calls an order off. Not to be called in a transaction: providers are asked outside of them.

    One that was not paid yet reopens its cart, as a declined payment does; where the account has
    another cart by then, its lines go into that one. Money that comes for it later goes back.

    First, in one transaction, the order is cancelled, its stock is free, its voucher can be used
    again, and it is written down that all its money goes back. Then the providers are asked: what
    is promised is voided, what was paid is refunded. A process that dies in between, or an answer
    that is lost, is made up for by `payments.settle`.

    Args:
        reason: the customer can read it.
        restock: false for units that are lost or damaged: they are taken off the stock.
        by: who of the staff does it, or the customer; None for one without an account.
        key: by which a request that comes again is known.

    Raises:
        IllegalMove: something was shipped, or the order has ended.
        Invalid: the reason is too long.
        IdempotencyConflict, Busy: as `idempotency.once`.
        Several: more than one of these.
    """
    errors = InputErrors()
    with errors.collect():
        reason = checked(reason, "reason", longest=REASON)
    asked = {"order": order.pk, "reason": reason, "restock": restock}
    atomically(
        lambda: once(
            by,
            "order.cancel",
            key,
            asked,
            lambda: _call_off(order, reason, restock, by, errors),
            errors,
        )
    )
    # It is committed; from here on the next turn of `payments.settle` would do as well.
    payments.settle(order=order)
    order.refresh_from_db()
    return order


@audit.recorded("order.cancel", facts)
def _call_off(order: Order, reason: str, restock: bool, by: Any, errors: InputErrors) -> None:
    with errors.collect():
        hold(
            order,
            illegal=_ILLEGAL,
            status__in=(OrderStatus.PENDING, OrderStatus.CONFIRMED),
            fulfillment_status__in=(
                FulfillmentStatus.UNFULFILLED,
                FulfillmentStatus.CANCELLED,
                FulfillmentStatus.AWAITING_DELIVERY,
            ),
        )
        if (
            order.fulfillment_status == FulfillmentStatus.AWAITING_DELIVERY
            and order.lines.filter(fulfilled__gt=0).exists()
        ):
            raise IllegalMove(_ILLEGAL)
    errors.raise_any()
    was_pending = order.status == OrderStatus.PENDING
    held = carts.hold_carts(order) if was_pending else {}
    Order.objects.filter(pk=order.pk).update(
        status=OrderStatus.CANCELLED, ended_at=timezone.now(), expires_at=None
    )
    orders.record(order, OrderEventKind.CANCELLED, actor=by, text=reason)
    if not Payment.objects.filter(order=order.pk).exists():
        # An order that cost nothing was PAID without a payment.
        Order.objects.filter(pk=order.pk).update(payment_status=PaymentStatus.VOIDED)
    payments.give_back(order, reason=reason, by=by)
    released = inventory.release(order.reference)
    if not restock:
        _write_off(order, released)
    orders.give_back_voucher(order)
    if was_pending:
        carts.reopen(order, held)
    events.emit("order.cancelled", order)


def _write_off(order: Order, units: dict[int, int]) -> None:
    """Takes units off the stock that cannot be sold; of what is not there, none are lost."""
    there = dict(Stock.objects.filter(variant__in=units).values_list("variant", "on_hand"))
    lost = {key: -min(number, max(there[key], 0)) for key, number in units.items()}
    inventory.adjust(lost, reason=MovementReason.DAMAGED, reference=order.reference)
