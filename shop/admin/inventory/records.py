"""Movements and reservations of stock, for looking only: the shop itself keeps them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet

from shop.admin.filters import DayRangeFilter
from shop.admin.writing import ReadOnlyAdmin
from shop.models import Reservation, ReservationState, Stock, StockMovement

_STATES = {
    ReservationState.HELD.label: "warning",
    ReservationState.COMMITTED.label: "info",
    ReservationState.SHIPPED.label: "success",
    ReservationState.RELEASED.label: "default",
}


class _RecordInline(TabularInline):
    """Records of a stock, the newest first."""

    formset = PaginationInlineFormSet
    extra = 0
    hide_title = True
    ordering = ("-created_at", "-id")
    per_page = 10
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MovementInline(_RecordInline):
    model = StockMovement
    fields = ("created_at", "reason", "delta", "on_hand", "reference", "note", "actor")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockMovement]:
        return super().get_queryset(request).select_related("actor")


class ReservationInline(_RecordInline):
    model = Reservation
    fields = ("created_at", "reference", "state", "quantity", "shipped", "released", "expires_at")
    readonly_fields = fields


class _RecordAdmin(ReadOnlyAdmin):
    """A list of what the shop writes down about stock."""

    list_select_related: Any = ("stock__variant__product",)
    ordering = ("-created_at", "-id")
    sortable_by = ()
    search_fields = ("reference__exact",)
    search_help_text = "The whole reference, such as order:12"

    @admin.display(description="Variant")
    def variant(self, record: Any) -> str:
        return label(record.stock)


@admin.register(StockMovement)
class StockMovementAdmin(_RecordAdmin):
    fields = (
        "variant",
        ("reason", "delta", "on_hand"),
        ("reference", "actor", "created_at"),
        "note",
    )
    readonly_fields = ("variant",)
    list_display = (
        "created_at",
        "variant",
        "reason",
        "delta",
        "on_hand",
        "reference",
        "note",
        "actor",
    )
    list_filter = (("reason", ChoicesDropdownFilter), ("created_at", DayRangeFilter))
    list_select_related = ("stock__variant__product", "actor")


@admin.register(Reservation)
class ReservationAdmin(_RecordAdmin):
    fields = (
        "variant",
        ("reference", "shown_state"),
        ("quantity", "shipped", "released"),
        ("created_at", "expires_at"),
    )
    readonly_fields = ("variant", "shown_state", "created_at")
    list_display = (
        "created_at",
        "variant",
        "reference",
        "shown_state",
        "quantity",
        "shipped",
        "released",
        "expires_at",
    )
    list_filter = (("state", ChoicesDropdownFilter), ("expires_at", DayRangeFilter))

    @display(description="State", label=_STATES)
    def shown_state(self, reservation: Reservation) -> str:
        return reservation.get_state_display()


def label(stock: Stock) -> str:
    """The product and the variant, for people: "Mug, M / Red (MUG-M)"."""
    variant = stock.variant
    name = ", ".join(part for part in (variant.product.name, variant.name) if part)
    return f"{name} ({variant.sku})" if variant.sku else name
