"""What is in stock. Staff look at it here, and count it with a form of its own."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import RadioFilter

from shop.admin.fields import on_one_line
from shop.admin.inventory.counting import CountForm
from shop.admin.inventory.records import MovementInline, ReservationInline, label
from shop.admin.lookups import FoldedSearch
from shop.admin.writing import ReadOnlyAdmin
from shop.models import Stock, Variant

COUNT = "shop.change_stock"


class AvailableFilter(RadioFilter):
    """What can be sold from the house, what is sold out, and what soon will be."""

    title = "availability"
    parameter_name = "available"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return (("yes", "In stock"), ("no", "Sold out"), ("low", "Low or sold out"))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "yes":
            return queryset.filter(available__gt=0)
        if self.value() == "no":
            return queryset.filter(available__lte=0)
        if self.value() == "low":
            return queryset.filter(backorder=False, above_low__lte=0)
        return queryset


@admin.register(Stock)
class StockAdmin(FoldedSearch, ReadOnlyAdmin):
    """Looks at stock; whoever may change it counts."""

    fields = (
        "product",
        "variant_name",
        ("on_hand", "reserved", "available"),
        ("backorder", "low_at"),
    )
    readonly_fields = ("product", "variant_name", "available")
    inlines = (ReservationInline, MovementInline)
    list_display = (
        "sku",
        "product",
        "variant_name",
        "on_hand",
        "reserved",
        "available",
        "low_at",
        "backorder",
    )
    list_filter = (AvailableFilter, "backorder")
    list_select_related = ("variant__product",)
    ordering = ("variant",)
    sortable_by = ("available",)
    search_fields = ("variant__product__search_text",)
    search_help_text = "The product's name, SKU or brand"
    change_form_outer_before_template = "admin/shop/stock_count.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.count_view)
        # By the variant: one that was never counted has no stock.
        return [path("variant/<int:pk>/", view, name="shop_stock_count"), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"may_count": request.user.has_perm(COUNT), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def count_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The form that counts a variant, and what it sends."""
        if not request.user.has_perm(COUNT):
            raise PermissionDenied
        rows = Variant.objects.select_related("product", "stock")
        variant = get_object_or_404(rows, pk=pk)
        stock = getattr(variant, "stock", None) or Stock(variant=variant)
        form = CountForm(request.POST or None, stock=stock)
        if request.method == "POST" and form.is_valid() and form.write(variant, by=request.user):
            stored = Stock.objects.filter(variant=variant).first()
            if stored is None:
                return redirect(request.get_full_path())
            text = f"{stored.on_hand:,} on hand, of which {stored.reserved:,} are reserved."
            self.message_user(request, text, messages.SUCCESS)
            return redirect("admin:shop_stock_change", stored.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": label(stock),
            "stock": stock,
            "form": form,
        }
        return TemplateResponse(request, "admin/shop/stock_form.html", context)

    @admin.display(description="SKU", empty_value="–")
    def sku(self, stock: Stock) -> str | None:
        return on_one_line(stock.variant.sku) if stock.variant.sku else None

    @admin.display(description="Product")
    def product(self, stock: Stock) -> str:
        return stock.variant.product.name

    @admin.display(description="Variant", empty_value="–")
    def variant_name(self, stock: Stock) -> str | None:
        return stock.variant.name or None

    @admin.display(description="Available", ordering="available")
    def available(self, stock: Stock) -> int:
        return stock.available
