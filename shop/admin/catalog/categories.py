"""The category tree."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from shop.actions.catalog import categories
from shop.actions.catalog.categories import STEP
from shop.admin.catalog.slugs import former_slugs_of
from shop.admin.fields import count_of
from shop.admin.lookups import FoldedSearch, LabelledAdmin, LabelledChoiceField, LabelledSelect
from shop.admin.writing import ActionAdmin, fresh
from shop.models import Category, Product


@admin.register(Category)
class CategoryAdmin(FoldedSearch, LabelledAdmin, ActionAdmin):
    fields = ("name", "slug", "parent", "description", "position")
    inlines = (former_slugs_of(Category),)
    list_display = ("tree_name", "slug", "position", "product_count")
    list_display_links = ("tree_name",)
    list_per_page = 200
    ordering = ("path",)
    # Sorted by anything else, the indentation would lie.
    sortable_by = ()
    search_fields = ("name_key",)
    search_help_text = "Name"
    actions = ("delete_moving_contents",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        number = count_of(Product.objects.all(), "category")
        return super().get_queryset(request).annotate(product_count=number)

    @admin.display(description="Name")
    def tree_name(self, category: Category) -> str:
        return format_html(
            '<span style="padding-left: {}rem">{}</span>', category.depth * 1.5, category.name
        )

    @admin.display(description="Products of its own")
    def product_count(self, category: Any) -> int:
        return category.product_count

    @admin.action(
        description="Delete, moving contents one level up", permissions=["change", "delete"]
    )
    def delete_moving_contents(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        chosen = list(queryset)
        self.log_deletions(request, chosen)
        for category in chosen:
            categories.delete(fresh(category), move_contents=True)
        names = ", ".join(category.name for category in chosen)
        self.message_user(request, f"Deleted: {names}.", messages.SUCCESS)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs |= category_field(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def labels(self, rows: Iterable[Category]) -> dict[int, str]:
        return path_labels(rows)

    def create_row(self, fields: dict[str, Any]) -> Category:
        return categories.create(**fields)

    def change_row(self, row: Category, changes: dict[str, Any]) -> Category:
        return categories.update(row, **changes)

    def delete_row(self, row: Category) -> None:
        categories.delete(row)


def category_field(db_field: Any, site: admin.AdminSite) -> dict[str, Any]:
    """What makes a foreign key to Category a search by path."""
    return {"form_class": LabelledChoiceField, "widget": LabelledSelect(db_field, site)}


def path_labels(rows: Iterable[Category]) -> dict[int, str]:
    """Where each category is, from the top down, by primary key; in one statement."""
    lines = {row.pk: _line(row.path) for row in rows}
    ancestors = {pk for line in lines.values() for pk in line}
    names = dict(Category.objects.filter(pk__in=ancestors).values_list("pk", "name"))
    return {
        pk: " › ".join(names[step] for step in line if step in names) for pk, line in lines.items()
    }


def _line(path: str) -> list[int]:
    """The primary keys that `path` is made of, from the top."""
    return [int(path[start : start + STEP], 36) for start in range(0, len(path), STEP)]
