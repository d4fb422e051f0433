"""What is in stock, for looking only: it changes with sales and imports."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RadioFilter

from shop.admin.fields import on_one_line
from shop.admin.lookups import FoldedSearch
from shop.admin.writing import ReadOnlyAdmin
from shop.models import Stock


class AvailableFilter(RadioFilter):
    """What can be sold from the house, and what is sold out."""

    title = "availability"
    parameter_name = "available"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return (("yes", "In stock"), ("no", "Sold out"))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "yes":
            return queryset.filter(on_hand__gt=F("reserved"))
        if self.value() == "no":
            return queryset.filter(on_hand__lte=F("reserved"))
        return queryset


@admin.register(Stock)
class StockAdmin(FoldedSearch, ReadOnlyAdmin):
    fields = ("product", "variant_name", "on_hand", "reserved", "available", "backorder")
    readonly_fields = ("product", "variant_name", "available")
    list_display = (
        "sku",
        "product",
        "variant_name",
        "on_hand",
        "reserved",
        "available",
        "backorder",
    )
    list_filter = (AvailableFilter,)
    list_select_related = ("variant__product",)
    ordering = ("variant",)
    sortable_by = ()
    search_fields = ("variant__product__search_text",)
    search_help_text = "The product's name, SKU or brand"

    @admin.display(description="SKU", empty_value="–")
    def sku(self, stock: Stock) -> str | None:
        return on_one_line(stock.variant.sku) if stock.variant.sku else None

    @admin.display(description="Product")
    def product(self, stock: Stock) -> str:
        return stock.variant.product.name

    @admin.display(description="Variant", empty_value="–")
    def variant_name(self, stock: Stock) -> str | None:
        return stock.variant.name or None

    @admin.display(description="Available")
    def available(self, stock: Stock) -> int:
        return stock.on_hand - stock.reserved
