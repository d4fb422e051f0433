"""What the importer remembers, for looking only."""

from django.contrib import admin

from shop.admin.lookups import FoldedSearch
from shop.admin.writing import ReadOnlyAdmin
from shop.models import ImportRecord


@admin.register(ImportRecord)
class ImportRecordAdmin(FoldedSearch, ReadOnlyAdmin):
    fields = ("handle", "product", "imported_at", "snapshot")
    list_display = ("handle", "product", "imported_at")
    list_select_related = ("product",)
    ordering = ("handle",)
    sortable_by = ("handle",)
    search_fields = ("handle", "product__search_text")
    search_help_text = "Handle, or the product's name, SKU or brand"
