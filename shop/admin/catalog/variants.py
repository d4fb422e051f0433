"""The variants of a product, on the product's page."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from shop.actions.catalog import variants
from shop.admin.fields import OptionsField, PriceField
from shop.admin.writing import ActionFormSet, ActionInline, RowForm, arranged
from shop.errors import ShopError
from shop.models import Variant
from shop.models.catalog import shop_currency


class VariantForm(RowForm):
    options = OptionsField()
    price = PriceField()
    compare_at = PriceField()
    currency: str | None = None
    field_names: ClassVar[dict[str, str]] = {"image": "media"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("price", "compare_at"):
            field = self.fields.get(name)
            if isinstance(field, PriceField):
                field.currency = self.currency

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if {"price", "compare_at"} <= self.cleaned_data.keys():
            try:
                variants.check_prices(self.cleaned_data["price"], self.cleaned_data["compare_at"])
            except ShopError as error:
                self.show(error)
        return cleaned


class VariantFormSet(ActionFormSet):
    def add_row(self, fields: dict[str, Any]) -> Variant:
        return variants.create(self.instance, **fields)

    def change_row(self, row: Variant, changes: dict[str, Any]) -> None:
        variants.update(row, **changes)

    def delete_row(self, row: Variant) -> None:
        variants.delete(row)

    def reorder(self, positions: dict[int, int]) -> None:
        rows = self.instance.variants.order_by("position", "id")
        for number, row in enumerate(arranged(rows, positions)):
            if row.position != number:
                variants.update(row, position=number)


class VariantInline(ActionInline):
    model = Variant
    form = VariantForm
    formset = VariantFormSet
    fields = (
        "sku",
        "options",
        "price",
        "compare_at",
        "weight_grams",
        "requires_shipping",
        "barcode",
        "media",
        "available",
        "position",
    )
    readonly_fields = ("available",)
    ordering = ("position", "id")
    ordering_field = "position"
    hide_ordering_field = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        # There is an inline for each request.
        self._may_count = request.user.has_perm("shop.change_stock")
        return super().get_queryset(request).select_related("stock", "media")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        fields = formset.form.base_fields
        currency = obj.currency if obj else shop_currency()
        formset.form.currency = currency
        for name, label in (("price", "Price"), ("compare_at", "Compare at")):
            if name in fields:
                fields[name].label = f"{label} ({currency})"
        for name, label in (
            ("sku", "SKU"),
            ("weight_grams", "Weight (g)"),
            ("requires_shipping", "Shipped"),
        ):
            if name in fields:
                fields[name].label = label
        if "media" in fields:
            # The product's pictures, read once for all rows.
            pictures = obj.media.order_by("position") if obj else ()
            fields["media"].label = "Picture"
            fields["media"].choices = [
                ("", "None"),
                *((picture.pk, f"{picture.position}. {picture.alt}") for picture in pictures),
            ]
        return formset

    @admin.display(description="Available")
    def available(self, variant: Variant) -> str:
        stock = getattr(variant, "stock", None)
        shown = str(stock.available) if stock else "–"
        if not self._may_count or not variant.pk:
            return shown
        url = reverse("admin:shop_stock_count", args=[variant.pk])
        return format_html('<a href="{}" class="text-link">{}</a>', url, shown)
