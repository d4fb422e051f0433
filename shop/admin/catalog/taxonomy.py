"""Brands, attributes with their values, and collections with their products."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from shop.actions.catalog import taxonomy
from shop.admin.catalog.slugs import former_slugs_of
from shop.admin.fields import count_of
from shop.admin.lookups import FoldedSearch, LabelledAdmin
from shop.admin.writing import (
    ActionAdmin,
    ActionFormSet,
    ActionInline,
    ReadOnlyAdmin,
    RowForm,
    arranged,
)
from shop.models import Attribute, AttributeValue, Brand, Collection, CollectionItem, Product


class NamedAdmin(FoldedSearch, ActionAdmin):
    """Things listed by name, with the number of rows that point at them."""

    # The model that points here, and its foreign key.
    counted: tuple[type[Model], str]
    ordering = ("name_key",)
    sortable_by = ("name_column",)
    search_fields = ("name_key",)
    search_help_text = "Name"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        model, field = self.counted
        number = count_of(model._default_manager.all(), field)
        return super().get_queryset(request).annotate(number=number)

    @admin.display(description="Name", ordering="name_key")
    def name_column(self, row: Any) -> str:
        return row.name

    # Not "products": a list shows a field of the model rather than a method of its screen.
    @admin.display(description="Products")
    def product_count(self, row: Any) -> int:
        return row.number


@admin.register(Brand)
class BrandAdmin(NamedAdmin):
    counted = (Product, "brand")
    inlines = (former_slugs_of(Brand),)
    fields = ("name", "slug", "description")
    list_display = ("name_column", "slug", "product_count", "created_at")

    def create_row(self, fields: dict[str, Any]) -> Brand:
        return taxonomy.create_brand(**fields)

    def change_row(self, row: Brand, changes: dict[str, Any]) -> Brand:
        return taxonomy.update_brand(row, **changes)

    def delete_row(self, row: Brand) -> None:
        taxonomy.delete_brand(row)


class ValueFormSet(ActionFormSet):
    def add_row(self, fields: dict[str, Any]) -> AttributeValue:
        return taxonomy.add_value(self.instance, fields.get("name", ""))

    def change_row(self, row: AttributeValue, changes: dict[str, Any]) -> None:
        taxonomy.rename_value(row, changes["name"])

    def delete_row(self, row: AttributeValue) -> None:
        taxonomy.delete_value(row)


class ValueInline(ActionInline):
    model = AttributeValue
    formset = ValueFormSet
    fields = ("name",)
    ordering = ("name_key", "id")
    verbose_name = "value"
    verbose_name_plural = "values"
    per_page = 50


@admin.register(Attribute)
class AttributeAdmin(NamedAdmin):
    counted = (AttributeValue, "attribute")
    fields = ("name", "slug", "filterable")
    inlines = (ValueInline, former_slugs_of(Attribute))
    list_display = ("name_column", "slug", "filterable", "values")

    @admin.display(description="Values")
    def values(self, row: Any) -> int:
        return row.number

    def create_row(self, fields: dict[str, Any]) -> Attribute:
        return taxonomy.create_attribute(**fields)

    def change_row(self, row: Attribute, changes: dict[str, Any]) -> Attribute:
        return taxonomy.update_attribute(row, **changes)

    def delete_row(self, row: Attribute) -> None:
        taxonomy.delete_attribute(row)


@admin.register(AttributeValue)
class AttributeValueAdmin(FoldedSearch, LabelledAdmin, ReadOnlyAdmin):
    """Here for autocomplete fields; values are kept on their attribute's page."""

    list_display = ("name", "attribute")
    list_select_related = ("attribute",)
    ordering = ("attribute__name_key", "name_key", "id")
    search_fields = ("attribute__name_key", "name_key")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[AttributeValue]:
        return super().get_queryset(request).select_related("attribute")

    def labels(self, rows: Iterable[AttributeValue]) -> dict[int, str]:
        return {row.pk: f"{row.attribute.name}: {row.name}" for row in rows}


class ItemForm(RowForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "product" in self.fields:
            # Just its name: a search field would ask the database for it, row by row.
            product = self.instance.product
            self.fields["product"].disabled = True
            self.fields["product"].widget = UnfoldAdminSelectWidget(
                choices=[(product.pk, product.name)]
            )


class ItemFormSet(ActionFormSet):
    def write_rows(self) -> None:
        removed = {form.instance.pk for form in self.removed}
        rows = self.instance.items.select_related("product").order_by("position", "id")
        rows = [row for row in rows if row.pk not in removed]
        if self.is_reordered:
            rows = arranged(rows, self.positions)
        products = [row.product for row in rows]
        products += [form.cleaned_data["product"] for form in self.added]
        if removed or self.added or self.is_reordered:
            taxonomy.set_products(self.instance, products)
        self.new_objects = [form.instance for form in self.added]


class ItemInline(ActionInline):
    model = CollectionItem
    form = ItemForm
    formset = ItemFormSet
    fields = ("product", "position")
    autocomplete_fields = ("product",)
    ordering = ("position", "id")
    ordering_field = "position"
    hide_ordering_field = True
    verbose_name = "product"
    verbose_name_plural = "products, in the order in which they are shown"
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[CollectionItem]:
        return super().get_queryset(request).select_related("product")


@admin.register(Collection)
class CollectionAdmin(NamedAdmin):
    counted = (CollectionItem, "collection")
    fields = ("name", "slug", "description")
    inlines = (ItemInline, former_slugs_of(Collection))
    list_display = ("name_column", "slug", "product_count", "created_at")

    def create_row(self, fields: dict[str, Any]) -> Collection:
        return taxonomy.create_collection(**fields)

    def change_row(self, row: Collection, changes: dict[str, Any]) -> Collection:
        return taxonomy.update_collection(row, **changes)

    def delete_row(self, row: Collection) -> None:
        taxonomy.delete_collection(row)
