"""Mails to customers about their orders.

The link in them opens the order without an account. It is made when the mail is, so that no queue
and no table holds one.
"""

from collections.abc import Collection
from typing import Any

from shop.actions import mails
from shop.actions.customers import address_rules
from shop.actions.orders import delivery_url, token_of
from shop.models import (
    DigitalDelivery,
    DigitalKind,
    Fulfillment,
    FulfillmentStatus,
    Order,
    OrderEvent,
    OrderEventKind,
    Payment,
    PaymentState,
    Refund,
)
from shop.money import Money

# Of a payment that people make by themselves nothing has come until staff say so.
_BY_HAND = "manual"


def tell_of_confirmation(order_id: int, event_id: int) -> None:
    """Mails what was bought, what it comes to and where it goes.

    Raises:
        OSError: the mail server does not take it; as do all below.
    """
    order = _told(order_id)
    if order is None:
        return
    _send(
        "order_confirmed",
        order,
        event_id,
        lines=[
            _line(line.name, line.variant_name, line.quantity)
            | {"total": _amount(line.subtotal, order)}
            for line in order.lines.order_by("position")
        ],
        sums=_sums(order),
        total=_amount(order.total, order),
        to_pay=_amount(order.total, order) if _is_to_be_paid(order) else "",
        address=address_rules.formatted(order.shipping_address) if order.shipping_address else [],
        shipping=order.shipping_name,
    )


def tell_of_parcel(order_id: int, event_id: int, parcel_id: int) -> None:
    """Mails what is on its way, and how to follow it."""
    order = _told(order_id)
    parcel = _parcel(order_id, parcel_id, is_cancelled=False)
    if order is None or parcel is None:
        return
    _send(
        "order_shipped",
        order,
        event_id,
        lines=_contents(parcel),
        is_part=order.fulfillment_status == FulfillmentStatus.PARTIAL,
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        tracking_url=parcel.tracking_url,
    )


def tell_of_tracking(order_id: int, event_id: int, parcel_id: int) -> None:
    """Mails how to follow a parcel of which the tracking was corrected."""
    order = _told(order_id)
    parcel = _parcel(order_id, parcel_id, is_cancelled=False)
    if order is None or parcel is None:
        return
    _send(
        "order_changed",
        order,
        event_id,
        text="The tracking of your parcel was corrected. This is in it:",
        lines=_contents(parcel),
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        tracking_url=parcel.tracking_url,
    )


def tell_of_cancelled_parcel(order_id: int, event_id: int, parcel_id: int) -> None:
    """Mails that a parcel was recorded by mistake, and is still to be shipped."""
    order = _told(order_id)
    parcel = _parcel(order_id, parcel_id, is_cancelled=True)
    if order is None or parcel is None:
        return
    told = OrderEvent.objects.filter(
        order=order.pk, kind=OrderEventKind.UNFULFILLED, data__fulfillment=parcel.pk
    )
    _send(
        "order_changed",
        order,
        event_id,
        text="We told you by mistake that a parcel is on its way. This has not been shipped:",
        lines=_contents(parcel),
        reason=told.values_list("text", flat=True).first() or "",
    )


def tell_of_removed_units(order_id: int, event_id: int, timeline_id: int) -> None:
    """Mails which units were removed from an order that is not paid yet, and its new total."""
    order = _told(order_id)
    told = OrderEvent.objects.filter(pk=timeline_id, order=order_id).first()
    if order is None or told is None:
        return
    _send(
        "order_changed",
        order,
        event_id,
        text="This was removed from it:",
        lines=told.data.get("lines", []),
        total=_amount(order.total, order),
        reason=told.text,
    )


def tell_of_update(order_id: int, event_id: int, changed: Collection[str]) -> None:
    """Mails which details of an order were changed, with the link that opens it now.

    Args:
        changed: `email`, `shippingAddress`, `billingAddress`, as far as they changed.
    """
    order = _told(order_id)
    if order is None:
        return
    addresses = {"shippingAddress", "billingAddress"}.intersection(changed)
    billing = order.billing_address or order.shipping_address
    _send(
        "order_updated",
        order,
        event_id,
        is_email="email" in changed,
        shipping=address_rules.formatted(order.shipping_address) if addresses else [],
        billing=address_rules.formatted(billing) if addresses else [],
    )


def tell_former_address(order_id: int, event_id: int, former: str) -> None:
    """Mails the former address of an order that it gets no more mails about it.

    It may be a stranger's: no name, no link and not the new address.
    """
    order = _told(order_id)
    if order is not None:
        key, context = f"order-email-changed-{event_id}", {"number": order.number}
        mails.send("order_email_changed", to=former, key=key, context=context)


def tell_of_delivery(order_id: int, event_id: int) -> None:
    """Mails links to what was delivered without a parcel, and its texts.

    The links are made when the mail is, so that no queue holds one. Nothing is mailed of what was
    revoked meanwhile.
    """
    order = _told(order_id)
    live = DigitalDelivery.objects.filter(line__order=order_id, revoked_at=None)
    deliveries = live.select_related("line").order_by("line__position")
    if order is None or not deliveries:
        return
    _send(
        "order_delivered",
        order,
        event_id,
        lines=[
            _line(row.line.name, row.line.variant_name, row.line.fulfilled)
            | {
                "link": delivery_url(row.key),
                "text": row.content if row.kind == DigitalKind.TEXT else "",
            }
            for row in deliveries
        ],
    )


def tell_of_refund(order_id: int, event_id: int, refund_id: int) -> None:
    """Mails that money is on its way back."""
    order = _told(order_id)
    refund = Refund.objects.filter(pk=refund_id, payment__order=order_id).first()
    if order is None or refund is None:
        return
    amount = str(Money(refund.amount, refund.currency))
    _send("order_refunded", order, event_id, amount=amount, reason=refund.reason)


def tell_of_cancellation(order_id: int, event_id: int) -> None:
    """Mails that an order was called off.

    Nobody is told of one that was never confirmed: its payment was declined, and they know.
    """
    order = _told(order_id)
    if order is None or order.confirmed_at is None:
        return
    paid = Payment.objects.filter(order=order.pk, captured__gt=0).exists()
    told = OrderEvent.objects.filter(order=order.pk, kind=OrderEventKind.CANCELLED)
    reason = told.order_by("-pk").values_list("text", flat=True).first() or ""
    _send("order_cancelled", order, event_id, paid=paid, reason=reason)


def _parcel(order_id: int, parcel_id: int, *, is_cancelled: bool) -> Fulfillment | None:
    rows = Fulfillment.objects.filter(pk=parcel_id, order=order_id)
    return rows.filter(cancelled_at__isnull=not is_cancelled).first()


def _contents(parcel: Fulfillment) -> list[dict[str, Any]]:
    return [
        _line(item.line.name, item.line.variant_name, item.quantity)
        for item in parcel.lines.select_related("line").order_by("line__position")
    ]


def _told(order_id: int) -> Order | None:
    return Order.objects.filter(pk=order_id).exclude(email="").select_related("user").first()


def _send(template: str, order: Order, event_id: int, **context: Any) -> None:
    full = {
        "name": (order.shipping_address or order.billing_address or {}).get("name", ""),
        "number": order.number,
        "url": mails.page_url(f"/orders/{order.number}", token=token_of(order)),
        **context,
    }
    key = f"{template.replace('_', '-')}-{event_id}"
    mails.send(template, to=order.email, key=key, context=full, user=order.user)


def _line(name: str, variant_name: str, quantity: int) -> dict[str, Any]:
    full = f"{name}, {variant_name}" if variant_name else name
    return {"name": full, "quantity": quantity}


def _sums(order: Order) -> list[dict[str, str]]:
    """What leads from the goods to the total, in the order in which it is added up."""
    found = [("Goods", order.subtotal)]
    for discount in order.discounts:
        named = " ".join(filter(None, (discount["name"], discount["code"])))
        found.append((named or "Discount", -discount["amount"]))
    if order.shipping_name or order.shipping:
        found.append(("Shipping", order.shipping))
    if order.tax:
        found.append(("Tax (included)" if order.tax_included else "Tax", order.tax))
    return [{"name": name, "amount": _amount(minor, order)} for name, minor in found]


def _is_to_be_paid(order: Order) -> bool:
    """Whether the customer has yet to send or bring the money by themselves."""
    waiting = Payment.objects.filter(order=order.pk, state=PaymentState.AUTHORIZED)
    return waiting.filter(provider=_BY_HAND).exists()


def _amount(minor: int, order: Order) -> str:
    return str(Money(minor, order.currency))
