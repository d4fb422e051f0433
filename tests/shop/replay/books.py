"""Whether every book of the shop agrees with the others: stock, orders, money, vouchers, traces."""

from collections import Counter, defaultdict
from typing import Any

from django.db.models import Count, F, Max, Min, Sum

from shop.actions import inventory
from shop.models import (
    AuditEntry,
    Cart,
    CartLine,
    CartStatus,
    DemoCharge,
    Dispute,
    Fulfillment,
    Order,
    OrderEvent,
    OrderLine,
    OutboxEvent,
    Payment,
    PaymentStatus,
    Redemption,
    Refund,
    RefundLine,
    Reservation,
    Return,
    Stock,
    StockMovement,
    Voucher,
    WebhookDelivery,
    WebhookEndpoint,
)
from shop.models.inventory import OPEN_STATES

LIVING = ("pending", "confirmed", "completed")
ENDED = ("cancelled", "expired")
OPEN_PAYMENTS = ("created", "requires_action")


def check_all(staff_moves: Counter[str]) -> dict[str, int]:
    """Raises AssertionError where two books differ. Returns how much was compared."""
    check_stock()
    check_orders()
    check_money()
    check_vouchers()
    check_carts()
    check_timeline()
    check_audit(staff_moves)
    check_events()
    return {
        "orders": Order.objects.count(),
        "stock movements": StockMovement.objects.count(),
        "reservations": Reservation.objects.count(),
        "payments": Payment.objects.count(),
        "refunds": Refund.objects.count(),
        "disputes": Dispute.objects.count(),
        "parcels": Fulfillment.objects.count(),
        "returns": Return.objects.count(),
        "redemptions": Redemption.objects.count(),
        "timeline entries": OrderEvent.objects.count(),
        "audit entries": AuditEntry.objects.count(),
        "events": OutboxEvent.objects.count(),
        "webhook deliveries": WebhookDelivery.objects.count(),
    }


def check_stock() -> None:
    """The ledger adds up to the stock; reserved is what living orders have yet to get."""
    assert inventory.discrepancies() == []
    assert not Stock.objects.filter(backorder=False, reserved__gt=F("on_hand")).exists()
    closed = Order.objects.filter(status__in=(*ENDED, "completed"))
    references = [order.reference for order in closed]
    open_ = Reservation.objects.filter(state__in=OPEN_STATES)
    assert not open_.filter(reference__in=references).exists()
    unshipped: Counter[int] = Counter()
    for line in OrderLine.objects.filter(order__status__in=LIVING):
        unshipped[line.variant_id] += line.unshipped
    reserved = dict(Stock.objects.values_list("variant", "reserved"))
    assert reserved == {key: unshipped[key] for key in reserved}
    shipped: Counter[str] = Counter()
    for reference, delta in StockMovement.objects.filter(
        reason__in=("shipped", "unshipped")
    ).values_list("reference", "delta"):
        shipped[reference] -= delta
    for order in Order.objects.prefetch_related("lines"):
        assert shipped[order.reference] == sum(line.fulfilled for line in order.lines.all())


def check_orders() -> None:
    """Lines add up to their order, parcels and returns to their lines."""
    parcels, returns = _units(Fulfillment), _units(Return)
    for order in Order.objects.prefetch_related("lines"):
        lines = list(order.lines.all())
        assert sum(line.subtotal for line in lines) == order.subtotal
        assert sum(one["amount"] for one in order.discounts) == order.discount
        on_top = 0 if order.tax_included else order.tax
        assert order.total == order.subtotal - order.discount + order.shipping + on_top
        for line in lines:
            discounted = line.subtotal - line.discount
            assert line.total == discounted + (0 if order.tax_included else line.tax)
            assert line.fulfilled == parcels[line.pk]
            assert line.returned == returns[line.pk] <= line.fulfilled
            assert line.fulfilled + line.cancelled <= line.quantity
    done = Order.objects.filter(status="completed")
    left = done.filter(lines__quantity__gt=F("lines__fulfilled") + F("lines__cancelled"))
    assert not left.exists()


def _units(model: Any) -> Counter[int]:
    """Units by line of the order, of all parcels that were not undone, or of all returns."""
    rows = model.objects.filter(cancelled_at=None) if model is Fulfillment else model.objects.all()
    found: Counter[int] = Counter()
    for line, units in rows.values_list("lines__line").annotate(units=Sum("lines__quantity")):
        found[line] += units or 0
    return found


def check_money() -> None:
    """Payments, refunds, disputes and orders agree, and the provider's books with them."""
    charges = {charge.key: charge for charge in DemoCharge.objects.all()}
    refunds: dict[int, list[Refund]] = defaultdict(list)
    for refund in Refund.objects.prefetch_related("lines"):
        by_lines = sum(part.amount for part in refund.lines.all())
        assert by_lines + refund.shipping in (refund.amount, 0)
        if refund.state == "succeeded":
            refunds[refund.payment_id].append(refund)
        else:
            # A bank took the money before the provider was asked.
            assert refund.state == "failed"
            assert Dispute.objects.filter(payment=refund.payment_id).exists()
    by_order: dict[int, list[Payment]] = defaultdict(list)
    for payment in Payment.objects.select_related("order"):
        by_order[payment.order_id].append(payment)
        back = sum(refund.amount for refund in refunds[payment.pk])
        assert back == payment.refunded <= payment.captured <= payment.amount
        assert payment.refunded + payment.left <= payment.captured
        assert payment.state not in OPEN_PAYMENTS
        assert payment.settle_at is None
        has = Dispute.objects.filter(payment=payment.pk, is_withdrawn=True)
        taken = sum(has.values_list("amount", flat=True))
        assert payment.disputed == min(taken, payment.captured)
        charge = charges.pop(payment.key, None)
        if charge is not None:
            assert charge.captured == payment.captured
            assert sum(charge.refunds.values()) == payment.refunded
            assert sorted(charge.refunds.values()) == sorted(
                refund.amount for refund in refunds[payment.pk]
            )
    assert not charges
    for order in Order.objects.all():
        _check_status(order, by_order[order.pk])
    _check_refunded_parts()


def _check_status(order: Order, payments: list[Payment]) -> None:
    captured = sum(payment.captured for payment in payments)
    refunded = sum(payment.refunded for payment in payments)
    status = order.payment_status
    assert status != PaymentStatus.PENDING
    if order.status in ENDED:
        # Money that a bank took or gave back later is left to staff, and refunds that failed.
        disputed = Dispute.objects.filter(payment__order=order).values_list("amount", flat=True)
        failed = Refund.objects.filter(payment__order=order, state="failed")
        by_hand = sum(disputed) + sum(failed.values_list("amount", flat=True))
        assert refunded <= captured <= refunded + by_hand
        assert status in ("refunded", "voided", "failed") or disputed
    if refunded:
        assert status == ("refunded" if refunded == captured else "partially_refunded")
    elif captured:
        assert status == ("paid" if captured >= order.total else "partially_paid")
        # Captured past the shop before units were removed, the rest is left to staff.
        removed = OrderEvent.objects.filter(order=order, kind="lines_cancelled")
        assert captured <= order.total or removed.exists()
    elif not payments and order.status not in ENDED:
        assert (order.total, status) == (0, "paid")


def _check_refunded_parts() -> None:
    """Each unit is refunded once, the shipping too."""
    units: Counter[int] = Counter()
    paid: Counter[int] = Counter()
    done = Refund.objects.filter(state="succeeded")
    for part in RefundLine.objects.filter(refund__in=done):
        units[part.line_id] += part.quantity
        paid[part.line_id] += part.amount
    for line in OrderLine.objects.all():
        assert units[line.pk] == line.refunded <= line.quantity
        assert paid[line.pk] <= line.total
        if line.refunded == line.quantity:
            assert paid[line.pk] == line.total
    shipping: Counter[int] = Counter()
    for order, amount in done.values_list("payment__order", "shipping"):
        shipping[order] += amount
    for order in Order.objects.prefetch_related("lines"):
        fee = order.total - sum(line.total for line in order.lines.all())
        assert shipping[order.pk] in (0, fee)


def check_vouchers() -> None:
    """A voucher counts the living orders that have it, and no other."""
    for voucher in Voucher.objects.annotate(uses=Count("redemptions")):
        assert voucher.used == voucher.uses
        assert voucher.usage_limit is None or voucher.used <= voucher.usage_limit
    for redemption in Redemption.objects.select_related("order", "voucher"):
        order = redemption.order
        assert order.status in LIVING
        assert redemption.customer_key == order.email_key
        assert redemption.voucher.code in [one["code"] for one in order.discounts]


def check_carts() -> None:
    """An account has one open cart; an order keeps its cart unless it was cancelled unpaid."""
    open_ = Cart.objects.filter(status=CartStatus.ACTIVE).exclude(user=None)
    assert open_.count() == open_.values("user").distinct().count()
    assert all(cart.active_key == cart.user_id for cart in open_)
    ordered = Cart.objects.filter(status=CartStatus.ORDERED)
    assert ordered.filter(order=None).count() == 0
    assert not Order.objects.filter(status__in=LIVING, cart=None).exists()
    assert not CartLine.objects.filter(quantity__lt=1).exists()


def check_timeline() -> None:
    """Everything that happened to an order is in its timeline, once."""
    kinds: dict[int, Counter[str]] = defaultdict(Counter)
    for order, kind in OrderEvent.objects.values_list("order", "kind"):
        kinds[order][kind] += 1
    parcels = _count(Fulfillment, "order")
    undone = _count(Fulfillment, "order", cancelled_at__isnull=False)
    returns = _count(Return, "order")
    refunds = _count(Refund, "payment__order", state="succeeded")
    failed = _count(Refund, "payment__order", state="failed")
    captured = _count(Payment, "order", captured__gt=0)
    for order in Order.objects.all():
        told = kinds[order.pk]
        assert told["placed"] == 1
        assert told["confirmed"] == (order.confirmed_at is not None)
        assert told["fulfilled"] == parcels[order.pk]
        assert told["unfulfilled"] == undone[order.pk]
        assert told["returned"] == returns[order.pk]
        assert told["refunded"] == refunds[order.pk]
        assert told["refund_failed"] == failed[order.pk]
        assert told["payment_captured"] == captured[order.pk]
        assert told["cancelled"] == (order.status == "cancelled")
        if order.status == "completed":
            assert told["completed"] >= 1
        assert told["expired"] == (order.status == "expired") or order.confirmed_at is not None


def _count(model: Any, order: str, **wanted: Any) -> Counter[int]:
    rows = model.objects.filter(**wanted).values_list(order).annotate(rows=Count("pk"))
    return Counter(dict(rows.order_by()))


def check_audit(staff_moves: Counter[str]) -> None:
    """One entry for each successful move of staff.

    Refunds that follow from a cancellation have entries too.
    """
    found = Counter(AuditEntry.objects.values_list("action", flat=True))
    refunds = staff_moves["refund.create"]
    others = {action: n for action, n in staff_moves.items() if action != "refund.create"}
    assert {action: found[action] for action in others} == others
    assert refunds <= found["refund.create"] <= Refund.objects.count()


def check_events() -> None:
    """Events are numbered without gaps, tell what the timeline tells, and are sent once each."""
    numbered = OutboxEvent.objects.values("aggregate").annotate(
        first=Min("sequence"), last=Max("sequence"), rows=Count("pk")
    )
    assert all((row["first"], row["last"]) == (1, row["rows"]) for row in numbered.order_by())
    topics: dict[str, Counter[str]] = defaultdict(Counter)
    for topic, aggregate in OutboxEvent.objects.values_list("topic", "aggregate"):
        topics[topic][aggregate] += 1
    same = {
        "order.confirmed": "confirmed",
        "order.cancelled": "cancelled",
        "order.expired": "expired",
        "order.completed": "completed",
        "order.lines_cancelled": "lines_cancelled",
        "order.fulfilled": "fulfilled",
        "order.fulfillment_updated": "tracking_updated",
        "order.fulfillment_cancelled": "unfulfilled",
        "order.updated": "address_updated",
    }
    for topic, kind in same.items():
        told = {f"order:{pk}": n for pk, n in _count(OrderEvent, "order", kind=kind).items()}
        assert dict(topics[topic]) == told, topic
    endpoint = WebhookEndpoint.objects.get()
    sent = Counter(
        WebhookDelivery.objects.filter(endpoint=endpoint).values_list("event", flat=True)
    )
    orders = OutboxEvent.objects.filter(topic__in=same, created_at__gte=endpoint.created_at)
    assert {pk: sent[pk] for pk in orders.values_list("pk", flat=True)} == dict.fromkeys(
        orders.values_list("pk", flat=True), 1
    )
