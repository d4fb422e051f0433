"""What the export of an account tells of orders and carts, and of what staff did with such.

Amounts are decimal strings of the currency beside them. What staff wrote about an order is about
its customer too: it is told, without saying who wrote it.
"""

from typing import Any

from django.db.models import Prefetch

from shop.actions.accounts import sales
from shop.models import (
    CartLine,
    FulfillmentLine,
    FulfillmentStatus,
    Order,
    OrderEvent,
    OrderLine,
    Payment,
    Redemption,
    Refund,
    RefundLine,
    Return,
    ReturnLine,
    StockMovement,
    User,
)
from shop.money import format_minor


def orders(user: User) -> list[dict[str, Any]]:
    """Their orders, those among them that they placed as a guest."""
    rows = sales.orders_of(user).prefetch_related(
        Prefetch("lines", OrderLine.objects.select_related("digital_delivery")),
        "payments__refunds",
        Prefetch("payments__refunds__lines", RefundLine.objects.select_related("line")),
        "payments__disputes",
        Prefetch("fulfillments__lines", FulfillmentLine.objects.select_related("line")),
        Prefetch("returns__lines", ReturnLine.objects.select_related("line")),
        Prefetch("events", OrderEvent.objects.order_by("created_at", "pk")),
    )
    return [_order(row) for row in rows.order_by("pk")]


def carts(user: User) -> list[dict[str, Any]]:
    """Their carts, whatever became of them."""
    lines = CartLine.objects.select_related("variant__product").order_by("pk")
    rows = sales.carts_of(user).select_related("voucher", "shipping_rate")
    return [
        {
            "status": row.status,
            "email": row.email,
            "shippingAddress": row.shipping_address,
            "billingAddress": row.billing_address,
            "shipping": row.shipping_rate.name if row.shipping_rate else None,
            "voucher": row.voucher.code if row.voucher else None,
            "reminder": row.reminder,
            "remindedAt": row.reminded_at,
            "createdAt": row.created_at,
            "updatedAt": row.updated_at,
            "lines": [
                {
                    "sku": line.variant.sku,
                    "name": line.variant.product.name,
                    "options": line.variant.options,
                    "quantity": line.quantity,
                    "createdAt": line.created_at,
                }
                for line in row.lines.all()
            ],
        }
        for row in rows.prefetch_related(Prefetch("lines", lines)).order_by("pk")
    ]


def vouchers(user: User) -> list[dict[str, Any]]:
    """The vouchers that their orders used."""
    rows = Redemption.objects.filter(order__in=sales.orders_of(user))
    return [
        {"code": row.voucher.code, "order": row.order.number, "createdAt": row.created_at}
        for row in rows.select_related("voucher", "order").order_by("pk")
    ]


def stock_deeds(user: User) -> list[dict[str, Any]]:
    """What they moved in the store, without the notes: those may tell of others."""
    rows = StockMovement.objects.filter(actor=user).select_related("stock__variant")
    return [
        {
            "sku": row.stock.variant.sku,
            "delta": row.delta,
            "reason": row.reason,
            "createdAt": row.created_at,
        }
        for row in rows.order_by("pk")
    ]


def order_deeds(user: User) -> list[dict[str, Any]]:
    """What they did to orders, as staff or as a customer, without the words."""
    rows = OrderEvent.objects.filter(actor=user).select_related("order")
    return [
        {"kind": row.kind, "order": row.order.number, "createdAt": row.created_at}
        for row in rows.order_by("pk")
    ]


def refund_deeds(user: User) -> list[dict[str, Any]]:
    """What they paid back as staff, without the reasons."""
    rows = Refund.objects.filter(actor=user).select_related("payment__order")
    return [
        {
            "order": row.payment.order.number,
            "amount": format_minor(row.amount, row.currency),
            "currency": row.currency,
            "createdAt": row.created_at,
        }
        for row in rows.order_by("pk")
    ]


def _order(row: Order) -> dict[str, Any]:
    amounts = ("subtotal", "discount", "shipping", "tax", "total")
    return {
        "number": row.number,
        "status": row.status,
        "fulfillmentStatus": FulfillmentStatus(row.fulfillment_status).name.lower(),
        "paymentStatus": row.payment_status,
        "asGuest": row.user_id is None,
        "email": row.email,
        "shippingAddress": row.shipping_address,
        "billingAddress": row.billing_address,
        "shippingName": row.shipping_name,
        "note": row.note,
        "currency": row.currency,
        "taxIncluded": row.tax_included,
        **{name: format_minor(getattr(row, name), row.currency) for name in amounts},
        "shippingTaxes": _tax_shares(row.shipping_taxes, row.currency),
        "discounts": [
            {**told, "amount": format_minor(told["amount"], row.currency)} for told in row.discounts
        ],
        "createdAt": row.created_at,
        "confirmedAt": row.confirmed_at,
        "endedAt": row.ended_at,
        "lines": [_line(line) for line in sorted(row.lines.all(), key=lambda one: one.position)],
        "payments": [_payment(payment) for payment in row.payments.all()],
        "fulfilments": [
            {
                "carrier": parcel.carrier,
                "trackingNumber": parcel.tracking_number,
                "trackingUrl": parcel.tracking_url,
                "createdAt": parcel.created_at,
                "cancelledAt": parcel.cancelled_at,
                "lines": [_part(part) for part in parcel.lines.all()],
            }
            for parcel in row.fulfillments.all()
        ],
        "returns": [_return(parcel) for parcel in row.returns.all()],
        "timeline": [
            {
                "kind": event.kind,
                "data": event.data,
                "text": event.text,
                "createdAt": event.created_at,
            }
            for event in row.events.all()
        ],
    }


def _line(line: Any) -> dict[str, Any]:
    amounts = {
        "unitPrice": line.unit_price,
        "subtotal": line.subtotal,
        "discount": line.discount,
        "tax": line.tax,
        "total": line.total,
    }
    return {
        "sku": line.sku,
        "name": line.name,
        "variantName": line.variant_name,
        "quantity": line.quantity,
        "taxRate": line.tax_rate / 100,
        **{name: format_minor(minor, line.currency) for name, minor in amounts.items()},
        "requiresShipping": line.requires_shipping,
        "digitalDelivery": _delivery(line),
        "cancelled": line.cancelled,
        "fulfilled": line.fulfilled,
        "returned": line.returned,
        "refunded": line.refunded,
    }


def _delivery(line: Any) -> dict[str, Any] | None:
    """Leaves out the link, because anyone who has it can open the content."""
    row = getattr(line, "digital_delivery", None)
    if row is None:
        return None
    return {
        "kind": row.kind,
        "deliveredAt": row.created_at,
        "revokedAt": row.revoked_at,
        "downloads": row.downloads,
    }


def _payment(payment: Payment) -> dict[str, Any]:
    """Without the tokens by which a client goes on with it at the provider."""
    amounts = ("amount", "authorized", "captured", "refunded")
    return {
        "provider": payment.provider,
        "reference": payment.reference,
        "state": payment.state,
        "failure": payment.failure,
        "currency": payment.currency,
        **{name: format_minor(getattr(payment, name), payment.currency) for name in amounts},
        "createdAt": payment.created_at,
        "refunds": [
            {
                "state": refund.state,
                "amount": format_minor(refund.amount, refund.currency),
                "shipping": format_minor(refund.shipping, refund.currency),
                "shippingTaxes": _tax_shares(refund.shipping_taxes, refund.currency),
                "reason": refund.reason,
                "createdAt": refund.created_at,
                "lines": [
                    {
                        **_part(part),
                        "amount": format_minor(part.amount, part.currency),
                        "tax": format_minor(part.tax, part.currency),
                    }
                    for part in refund.lines.all()
                ],
            }
            for refund in payment.refunds.all()
        ],
        "disputes": [
            {
                "reference": dispute.reference,
                "state": dispute.state,
                "reason": dispute.reason,
                "amount": format_minor(dispute.amount, dispute.currency),
                "currency": dispute.currency,
                "openedAt": dispute.opened_at,
                "closedAt": dispute.closed_at,
            }
            for dispute in payment.disputes.all()
        ],
    }


def _tax_shares(rows: list[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    """Paid shipping by tax rate in percent; null where the rate is not known."""
    return [
        {
            "taxRate": None if row["rate"] is None else row["rate"] / 100,
            "total": format_minor(row["total"], currency),
            "tax": format_minor(row["tax"], currency),
        }
        for row in rows
    ]


def _return(parcel: Return) -> dict[str, Any]:
    return {
        "reason": parcel.reason,
        "createdAt": parcel.created_at,
        "lines": [_part(part) for part in parcel.lines.all()],
    }


def _part(part: Any) -> dict[str, Any]:
    return {"sku": part.line.sku, "name": part.line.name, "quantity": part.quantity}
