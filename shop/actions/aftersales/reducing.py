"""Units that are removed from an order before it is paid: its total shrinks."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from shop import events, gateways
from shop.actions import audit, inventory, orders
from shop.actions.aftersales.fulfilling import unshipped
from shop.actions.aftersales.holding import Chosen, Units, by_variant, chosen, facts, hold
from shop.actions.aftersales.repeating import once
from shop.actions.aftersales.shares import share
from shop.actions.aftersales.texts import REASON, checked
from shop.errors import IllegalMove, Invalid, LastUnit
from shop.input_errors import InputErrors
from shop.models import (
    Order,
    OrderEventKind,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentState,
    PaymentStatus,
)
from shop.pricing.arithmetic import spread

# As `orders.placing` names the part of the discounts that is no line's.
_FREE_SHIPPING = "Free shipping"


@transaction.atomic
def cancel_lines(
    order: Order, lines: Units, *, reason: str = "", by: Any, key: str | None = None
) -> Order:
    """Removes units from an order whose payment is authorized only, and has not been captured.

    Line and order cost less by what a refund of the units would come to; the price of the shipping
    and its discount stay, and its tax follows the goods that are left. Discounts are not checked
    anew. The stock of the units is free, and the capture
    takes the new total. The customer gets a mail.

    Args:
        lines: units by the primary key of the order's line; None stands for all unshipped ones.
        reason: the customer can read it.
        by: who of the staff removes them.
        key: by which a request that comes again is known.

    Raises:
        IllegalMove: the order is not confirmed, its payment is not just authorized, or the provider
            has not answered to a capture yet.
        LastUnit: no unit would be left, or nothing to pay: cancel the order.
        NotFound, InvalidQuantity, ExceedsOrder, Required: as `holding.chosen`.
        Invalid: the reason is too long, or the provider cannot move exactly the new total.
        IdempotencyConflict, Busy: as `idempotency.once`.
        Several: more than one of these.
    """
    errors = InputErrors()
    with errors.collect():
        reason = checked(reason, "reason", longest=REASON)
    asked = {"order": order.pk, "lines": lines, "reason": reason}
    once(
        by,
        "order.lines_cancel",
        key,
        asked,
        lambda: _cancel_lines(order, lines, reason, by, errors),
        errors,
    )
    order.refresh_from_db()
    return order


def _facts(order: Order) -> dict[str, Any]:
    lines = OrderLine.objects.filter(order=order.pk).values_list("position", "quantity")
    quantities = {str(position): quantity for position, quantity in lines}
    return {**facts(order), "quantity": quantities, "total": order.total}


@audit.recorded("order.lines_cancel", _facts)
def _cancel_lines(order: Order, lines: Units, reason: str, by: Any, errors: InputErrors) -> None:
    with errors.collect():
        hold(
            order,
            illegal="Only units of a confirmed order that is not paid yet are removed. Of a paid "
            "one, refund them with restock.",
            status=OrderStatus.CONFIRMED,
            payment_status=PaymentStatus.AUTHORIZED,
        )
        payment = _uncaptured(order)
        items = chosen(order, lines, unshipped)
        rest = sum(line.quantity - line.cancelled for line in order.lines.all())
        if rest == sum(item.units for item in items):
            raise LastUnit
    errors.raise_any()
    before = order.total
    for item in items:
        _remove(order, item)
    _share_postage(order, before)
    if not order.total:
        raise LastUnit("Nothing would be left to pay. Cancel the order.")
    if not gateways.gateway_of(payment.provider).takes(order.total, order.currency):
        raise Invalid("The provider cannot move exactly the new total.", field=["lines"])
    order.save(
        update_fields=["subtotal", "discount", "tax", "total", "discounts", "shipping_taxes"]
    )
    inventory.release(order.reference, by_variant(items))
    orders.set_fulfillment_status(order)
    removed = [
        {"sku": item.line.sku, "name": _name_of(item.line), "quantity": item.units}
        for item in items
    ]
    told = orders.record(
        order,
        OrderEventKind.LINES_CANCELLED,
        actor=by,
        text=reason,
        amount=before - order.total,
        quantity=sum(item.units for item in items),
        lines=removed,
    )
    events.emit("order.lines_cancelled", order, event=told.pk)


def _uncaptured(order: Order) -> Payment:
    """The order's authorized payment, locked; no capture of it is under way.

    Raises:
        IllegalMove: the provider was asked to capture, and has not answered.
    """
    rows = Payment.objects.filter(order=order.pk, state=PaymentState.AUTHORIZED)
    locked = rows.filter(settle_at=None).update(updated_at=timezone.now())
    if locked != 1 or rows.count() != 1:
        raise IllegalMove("The provider has not answered yet. Try again in a minute.")
    return rows.get()


def _remove(order: Order, item: Chosen) -> None:
    """Takes units off a line, and what they cost off the line and the order."""
    line, units = item.line, item.units
    left = line.quantity - units
    total = line.total - share(line.total, line.quantity, before=0, units=units)
    tax = line.tax - share(line.tax, line.quantity, before=0, units=units)
    subtotal = left * line.unit_price
    discount = subtotal - (total if order.tax_included else total - tax)
    less = line.discount - discount
    order.subtotal -= line.subtotal - subtotal
    order.discount -= less
    order.tax -= line.tax - tax
    order.total -= line.total - total
    order.discounts = _reduced(order.discounts, less)
    if not left:
        OrderLine.objects.filter(pk=line.pk).delete()
        return
    OrderLine.objects.filter(pk=line.pk).update(
        quantity=left, subtotal=subtotal, discount=discount, tax=tax, total=total
    )


def _share_postage(order: Order, before: int) -> None:
    """Taxes the postage by the goods that are left, unless the order would cost more than before.

    It could where the tax comes on top: with the goods of a low rate removed, all of the postage is
    taxed at the high one.
    """
    former = orders.loaded(order.shipping_taxes)
    shares = orders.shared_anew(order, list(order.lines.all()))
    more = sum(one.tax for one in shares) - sum(one.tax for one in former)
    total = order.total if order.tax_included else order.total + more
    if total > before:
        return
    order.shipping_taxes = orders.stored(shares)
    order.tax, order.total = order.tax + more, total


def _reduced(discounts: list[dict[str, Any]], less: int) -> list[dict[str, Any]]:
    """The discounts with `less` taken off those of the lines, in proportion."""
    weights = [0 if one["name"] == _FREE_SHIPPING else one["amount"] for one in discounts]
    if not less or not any(weights):
        return discounts
    parts = spread(less, weights)
    return [
        one | {"amount": one["amount"] - part} for one, part in zip(discounts, parts, strict=True)
    ]


def _name_of(line: OrderLine) -> str:
    return f"{line.name}, {line.variant_name}" if line.variant_name else line.name
