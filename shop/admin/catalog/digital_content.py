"""Digital content of variants that are not shipped."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.actions.catalog import digital_content
from shop.admin.fields import on_one_line
from shop.admin.writing import ActionAdmin, ActionForm
from shop.errors import Invalid
from shop.models import DigitalContent, Variant


class DigitalContentForm(ActionForm):
    sku = forms.CharField(
        label="SKU",
        widget=UnfoldAdminTextInputWidget,
        help_text="Of a variant that is not shipped. It gets one content.",
    )


@admin.register(DigitalContent)
class DigitalContentAdmin(ActionAdmin):
    form = DigitalContentForm
    screen_title = "Digital content"
    # Omit the content: a person beside the screen could read it.
    list_display = ("product", "sku", "kind", "updated_at")
    list_filter = ("kind",)
    readonly_fields = ("product", "updated_at")
    search_fields = ("variant__sku", "variant__product__name")
    ordering = ("-updated_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DigitalContent]:
        return super().get_queryset(request).select_related("variant__product")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("product", "kind", "content", "updated_at") if obj else ("sku", "kind", "content")

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        if obj is not None:
            form.base_fields.pop("sku", None)
        return form

    @admin.display(description="Product")
    def product(self, row: DigitalContent) -> str:
        name, variant = row.variant.product.name, row.variant.name
        return on_one_line(f"{name}, {variant}" if variant else name)

    @admin.display(description="SKU", ordering="variant__sku")
    def sku(self, row: DigitalContent) -> str:
        return row.variant.sku or ""

    def create_row(self, fields: dict[str, Any]) -> DigitalContent:
        variant = Variant.objects.filter(sku=fields["sku"].strip()).first()
        if variant is None:
            raise Invalid("No variant has this SKU.", field=["sku"])
        if DigitalContent.objects.filter(variant=variant).exists():
            raise Invalid("This variant has digital content: change it.", field=["sku"])
        return digital_content.set_content(variant, kind=fields["kind"], content=fields["content"])

    def change_row(self, row: DigitalContent, changes: dict[str, Any]) -> DigitalContent:
        values = {"kind": row.kind, "content": row.content, **changes}
        return digital_content.set_content(row.variant, **values)

    def delete_row(self, row: DigitalContent) -> None:
        digital_content.remove_content(row.variant)
