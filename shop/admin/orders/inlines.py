"""What belongs to an order, and to a cart: tables to look at."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localtime
from unfold.admin import TabularInline
from unfold.decorators import display

from shop.admin.fields import money
from shop.admin.orders.moves import LIVE
from shop.admin.orders.texts import contents, name_of
from shop.models import (
    CartLine,
    Dispute,
    Fulfillment,
    OrderEvent,
    OrderLine,
    Payment,
    RefundState,
    Return,
)

# Links to the forms of a parcel, by their names in the addresses.
CORRECTIONS = {"tracking": "Edit tracking", "undo": "Cancel parcel"}


class Rows(TabularInline):
    """Rows that other parts of the shop keep; whoever sees the page sees them."""

    extra = 0
    can_delete = False
    hide_title = True
    per_page = 25
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def amount(column: str, title: str) -> Callable[[Any, Any], str]:
    """A column of minor units, as people write it."""

    @display(description=title)
    def shown(inline: Any, row: Any) -> str:
        return money(getattr(row, column), row.currency)

    return shown


class LineInline(Rows):
    model = OrderLine
    fields = (
        "product",
        "sku",
        "quantity",
        "shown_unit_price",
        "shown_discount",
        "shown_tax",
        "shown_total",
        "fulfilled",
        "cancelled",
        "returned",
        "refunded",
        "delivery",
    )
    readonly_fields = fields
    ordering = ("position",)
    verbose_name_plural = "lines"
    shown_unit_price = amount("unit_price", "Unit price")
    shown_discount = amount("discount", "Discount")
    shown_tax = amount("tax", "Tax")
    shown_total = amount("total", "Total")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("digital_delivery")

    @display(description="Product")
    def product(self, line: OrderLine) -> str:
        return name_of(line)

    @display(description="Delivery")
    def delivery(self, line: OrderLine) -> str:
        """How it reaches the customer; never the link, which opens the content."""
        if line.requires_shipping:
            return "Parcel"
        row = getattr(line, "digital_delivery", None)
        if row is None:
            return "Digital"
        state = "revoked" if row.revoked_at else f"{row.downloads} downloads"
        return f"Digital, {state}"


class PaymentInline(Rows):
    model = Payment
    fields = (
        "provider",
        "reference",
        "state",
        "shown_amount",
        "shown_captured",
        "shown_refunds",
        "shown_disputes",
        "failure",
        "created_at",
    )
    readonly_fields = fields
    ordering = ("created_at", "id")
    shown_amount = amount("amount", "Amount")
    shown_captured = amount("captured", "Paid")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("refunds__lines__line", "disputes")

    @display(description="Paid back")
    def shown_refunds(self, payment: Payment) -> str:
        lines = (
            (
                money(refund.amount, refund.currency),
                "" if refund.state == RefundState.SUCCEEDED else f", {refund.get_state_display()}",
                f": {refund.reason}" if refund.reason else "",
                contents(refund.lines.all()),
            )
            for refund in sorted(payment.refunds.all(), key=lambda refund: refund.pk)
        )
        return format_html_join("", "<div>{}{}{}{}</div>", lines) or "–"

    @display(description="Disputes")
    def shown_disputes(self, payment: Payment) -> str:
        lines = (
            (
                money(dispute.amount, dispute.currency),
                dispute.get_state_display(),
                f", {dispute.reason.replace('_', ' ')}",
                _due(dispute),
                f" ({dispute.reference})",
            )
            for dispute in sorted(payment.disputes.all(), key=lambda dispute: dispute.pk)
        )
        return format_html_join("", "<div>{}: {}{}{}{}</div>", lines) or "–"


def _due(dispute: Dispute) -> str:
    if dispute.due_at is None or dispute.closed_at is not None:
        return ""
    return f", evidence until {date_format(localtime(dispute.due_at), 'SHORT_DATETIME_FORMAT')}"


class FulfillmentInline(Rows):
    model = Fulfillment
    fields = ("created_at", "contents", "carrier", "tracking", "corrections")
    readonly_fields = fields
    ordering = ("created_at", "id")
    verbose_name_plural = "parcels"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        # There is an inline for each request.
        self._may_correct = request.user.has_perm("shop.change_order")
        rows = super().get_queryset(request).select_related("order")
        return rows.prefetch_related("lines__line")

    @display(description="Corrections")
    def corrections(self, parcel: Fulfillment) -> str:
        if parcel.cancelled_at is not None:
            when = date_format(localtime(parcel.cancelled_at), "DATETIME_FORMAT")
            return f"Cancelled {when}"
        if not self._may_correct:
            return "–"
        links = [
            (reverse(f"admin:shop_fulfillment_{name}", args=[parcel.order_id, parcel.pk]), label)
            for name, label in CORRECTIONS.items()
            if parcel.order.status in LIVE
        ]
        link = '<div><a href="{}" class="text-primary-600 underline">{}</a></div>'
        return format_html_join("", link, links) or "–"

    @display(description="Contents")
    def contents(self, parcel: Fulfillment) -> str:
        return contents(parcel.lines.all())

    @display(description="Tracking")
    def tracking(self, parcel: Fulfillment) -> str:
        text = parcel.tracking_number or parcel.tracking_url or "–"
        if not parcel.tracking_url:
            return text
        link = '<a href="{}" rel="noreferrer" class="text-primary-600 underline">{}</a>'
        return format_html(link, parcel.tracking_url, text)


class ReturnInline(Rows):
    model = Return
    fields = ("created_at", "contents", "reason")
    readonly_fields = fields
    ordering = ("created_at", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("lines__line")

    @display(description="Contents")
    def contents(self, returned: Return) -> str:
        return contents(returned.lines.all())


class EventInline(Rows):
    model = OrderEvent
    fields = ("created_at", "what", "details", "actor")
    readonly_fields = fields
    ordering = ("created_at", "id")
    verbose_name_plural = "timeline"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("actor")

    @admin.display(description="What")
    def what(self, event: OrderEvent) -> str:
        return event.get_kind_display()

    @admin.display(description="Details")
    def details(self, event: OrderEvent) -> str:
        told = [event.text]
        if "amount" in event.data and event.data.get("currency"):
            told.append(money(event.data["amount"], event.data["currency"]))
        if "quantity" in event.data:
            count = event.data["quantity"]
            told.append("1 unit" if count == 1 else f"{count} units")
        return ", ".join(filter(None, told)) or "–"


class CartLineInline(Rows):
    model = CartLine
    fields = ("product", "quantity", "created_at")
    readonly_fields = fields
    ordering = ("id",)
    verbose_name_plural = "lines"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("variant__product")

    @display(description="Product")
    def product(self, line: CartLine) -> str:
        name = line.variant.product.name
        return f"{name} ({line.variant.name})" if line.variant.name else name
