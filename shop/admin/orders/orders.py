"""The screens of orders and carts."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from shop.admin.fields import money, on_one_line
from shop.admin.filters import DayRangeFilter, OpenDisputeFilter
from shop.admin.orders.corrections import FORMS, PARCEL_FORMS
from shop.admin.orders.inlines import (
    CartLineInline,
    EventInline,
    FulfillmentInline,
    LineInline,
    PaymentInline,
    ReturnInline,
)
from shop.admin.orders.moves import MOVES
from shop.admin.orders.texts import address
from shop.admin.writing import ReadOnlyAdmin
from shop.errors import ShopError
from shop.models import (
    Cart,
    Fulfillment,
    FulfillmentStatus,
    Order,
    OrderStatus,
    PaymentStatus,
)
from shop.models.customers import email_key
from shop.text import normalize_code

_LABELS = {
    OrderStatus.PENDING.label: "info",
    OrderStatus.CONFIRMED.label: "warning",
    OrderStatus.COMPLETED.label: "success",
    OrderStatus.CANCELLED.label: "danger",
    FulfillmentStatus.PARTIAL.label: "info",
    FulfillmentStatus.FULL.label: "success",
    FulfillmentStatus.AWAITING_DELIVERY.label: "info",
    PaymentStatus.AUTHORIZED.label: "info",
    PaymentStatus.PARTIALLY_PAID.label: "warning",
    PaymentStatus.PAID.label: "success",
    PaymentStatus.FAILED.label: "danger",
}


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "shown_status"),
                    ("shown_fulfillment", "shown_payment"),
                    ("email", "user"),
                    ("created_at", "confirmed_at"),
                    ("ended_at", "expires_at"),
                    ("shown_shipping_address", "shown_billing_address"),
                    "shipping_name",
                    "note",
                )
            },
        ),
        (
            "Amounts",
            {
                "fields": (
                    ("shown_subtotal", "shown_discount", "shown_shipping"),
                    ("shown_tax", "tax_included", "shown_total"),
                    "shown_discounts",
                )
            },
        ),
    )
    readonly_fields = (
        "shown_status",
        "shown_fulfillment",
        "shown_payment",
        "shown_shipping_address",
        "shown_billing_address",
        "shown_subtotal",
        "shown_discount",
        "shown_shipping",
        "shown_tax",
        "shown_total",
        "shown_discounts",
    )
    inlines = (
        LineInline,
        PaymentInline,
        FulfillmentInline,
        ReturnInline,
        EventInline,
    )
    list_display = (
        "shown_number",
        "created_at",
        "email",
        "shown_status",
        "shown_fulfillment",
        "shown_payment",
        "shown_total",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("fulfillment_status", ChoicesDropdownFilter),
        ("payment_status", ChoicesDropdownFilter),
        OpenDisputeFilter,
        ("created_at", DayRangeFilter),
    )
    ordering = ("-created_at", "-id")
    sortable_by = ()
    search_fields = ("number", "email_key")
    search_help_text = "How the number or the e-mail address begins"
    change_form_outer_before_template = "admin/shop/order_moves.html"

    def get_urls(self) -> list[URLPattern]:
        move = self.admin_site.admin_view(require_POST(self.move_view))
        form = self.admin_site.admin_view(self.form_view)
        views = [*((name, move) for name in MOVES), *((name, form) for name in FORMS)]
        own = [
            path(f"<int:pk>/{name}/", view, {"name": name}, name=f"shop_order_{name}")
            for name, view in views
        ]
        parcels = [
            path(
                f"<int:pk>/parcels/<int:parcel>/{name}/",
                form,
                {"name": name},
                name=f"shop_fulfillment_{name}",
            )
            for name in PARCEL_FORMS
        ]
        return [*own, *parcels, *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        number, address = normalize_code(term), email_key(term)
        begins = Q(number__startswith=number) | Q(email_key__startswith=address)
        return queryset.filter(begins), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        order = Order.objects.filter(pk=object_id).first() if object_id.isdecimal() else None

        def fitting(kind: Mapping[str, Any]) -> list[tuple[Any, str]]:
            return [
                (one, reverse(f"admin:shop_order_{name}", args=[order.pk]))
                for name, one in kind.items()
                if order and one.fits(order) and request.user.has_perm(one.permission)
            ]

        context = {"moves": fitting(MOVES), "forms": fitting(FORMS), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def move_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """What a button sends."""
        move = MOVES[name]
        if not request.user.has_perm(move.permission):
            raise PermissionDenied
        order = get_object_or_404(Order, pk=pk)
        try:
            move.make(order, request.user, request.POST.get("text", "").replace("\x00", ""))
        except ShopError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.message_user(request, move.done, messages.SUCCESS)
        return redirect("admin:shop_order_change", pk)

    def form_view(
        self, request: HttpRequest, pk: int, name: str, parcel: int | None = None
    ) -> HttpResponseBase:
        """A form about an order, or about one of its parcels, and what it sends."""
        kind: Any = FORMS[name] if parcel is None else PARCEL_FORMS[name]
        # It shows the order's lines, refused or not.
        if not (request.user.has_perm(kind.permission) and self.has_view_permission(request)):
            raise PermissionDenied
        about: dict[str, Any] = {"order": get_object_or_404(Order, pk=pk)}
        if parcel is not None:
            about["parcel"] = get_object_or_404(Fulfillment, pk=parcel, order=pk)
        form = kind(request.POST or None, **about)
        told = form.write(request.user) if form.is_valid() else None
        if told:
            self.message_user(request, *told)
            return redirect("admin:shop_order_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{form.order.number}: {kind.label.lower()}",
            "form": form,
        }
        return TemplateResponse(request, "admin/shop/order_form.html", context)

    @display(description="Number")
    def shown_number(self, order: Order) -> str:
        return on_one_line(order.number)

    @display(description="Status", label=_LABELS)
    def shown_status(self, order: Order) -> str:
        return order.get_status_display()

    @display(description="Shipped", label=_LABELS)
    def shown_fulfillment(self, order: Order) -> str:
        return order.get_fulfillment_status_display()

    @display(description="Payment", label=_LABELS)
    def shown_payment(self, order: Order) -> str:
        return order.get_payment_status_display()

    @display(description="Sent to")
    def shown_shipping_address(self, order: Order) -> str:
        return address(order.shipping_address)

    @display(description="Billed to")
    def shown_billing_address(self, order: Order) -> str:
        return address(order.billing_address or order.shipping_address)

    @display(description="Subtotal")
    def shown_subtotal(self, order: Order) -> str:
        return money(order.subtotal, order.currency)

    @display(description="Discount")
    def shown_discount(self, order: Order) -> str:
        return money(order.discount, order.currency)

    @display(description="Shipping")
    def shown_shipping(self, order: Order) -> str:
        return money(order.shipping, order.currency)

    @display(description="Tax")
    def shown_tax(self, order: Order) -> str:
        return money(order.tax, order.currency)

    @display(description="Total")
    def shown_total(self, order: Order) -> str:
        return on_one_line(money(order.total, order.currency))

    @display(description="Made cheaper by")
    def shown_discounts(self, order: Order) -> str:
        told = (
            (
                " ".join(filter(None, (one["name"], one["code"]))),
                money(one["amount"], order.currency),
            )
            for one in order.discounts
        )
        return format_html_join("", "<div>{}: {}</div>", told) or "–"


@admin.register(Cart)
class CartAdmin(ReadOnlyAdmin):
    fields = (
        ("email", "user"),
        ("status", "version"),
        ("created_at", "updated_at"),
        ("reminder", "reminded_at"),
    )
    inlines = (CartLineInline,)
    list_display = ("id", "email", "user", "status", "line_count", "updated_at")
    list_filter = (("status", ChoicesDropdownFilter), ("updated_at", DayRangeFilter))
    list_select_related = ("user",)
    ordering = ("-updated_at", "-id")
    sortable_by = ()
    search_fields = ("email__istartswith",)
    search_help_text = "How the e-mail address begins"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(line_count=Count("lines"))

    @display(description="Lines")
    def line_count(self, cart: Any) -> int:
        return cart.line_count
