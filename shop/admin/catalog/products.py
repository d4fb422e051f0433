"""Products with their variants and pictures."""

from typing import Any

from django.contrib import admin, messages
from django.core.files.storage import default_storage
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.timezone import localtime
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter
from unfold.decorators import display

from shop.actions import audit
from shop.actions.catalog import products
from shop.admin.catalog.categories import category_field
from shop.admin.catalog.media import MediaFormSet, MediaInline, thumbnail
from shop.admin.catalog.slugs import former_slugs_of
from shop.admin.catalog.variants import VariantInline
from shop.admin.fields import count_of, money, on_one_line
from shop.admin.filters import DayRangeFilter, HasPriceFilter, SubtreeFilter
from shop.admin.lookups import FoldedSearch, LabelledMultipleChoiceField, LabelledSelectMultiple
from shop.admin.writing import ActionAdmin, ActionForm, fresh, refused_at
from shop.errors import NotPublishable
from shop.models import AttributeValue, Media, Product, ProductStatus, Variant
from shop.money import format_minor

# How many product names a message lists before it only counts.
NAMED_PRODUCTS = 10


class ProductForm(ActionForm):
    # An input named "attributes" would hide the form element's own property from scripts.
    traits = LabelledMultipleChoiceField(
        label="Attributes",
        required=False,
        queryset=AttributeValue.objects.select_related("attribute"),
        widget=LabelledSelectMultiple(Product._meta.get_field("attribute_values"), admin.site),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "traits" in self.fields:
            links = self.instance.attribute_links.values_list("value_id", flat=True)
            self.initial["traits"] = list(links)

    def changes(self) -> dict[str, Any]:
        changed = super().changes()
        if "traits" in changed:
            changed["attribute_values"] = changed.pop("traits")
        return changed


@admin.register(Product)
class ProductAdmin(FoldedSearch, ActionAdmin):
    form = ProductForm
    inlines = (VariantInline, MediaInline, former_slugs_of(Product))
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "slug"),
                    ("status", "brand"),
                    ("category", "tax_category"),
                    "traits",
                    "description",
                )
            },
        ),
        (
            "Search engines",
            {"classes": ("collapse",), "fields": ("seo_title", "seo_description")},
        ),
        (
            "In the shop",
            {"fields": (("price", "collections_list"), ("published_at", "updated_at"))},
        ),
    )
    readonly_fields = ("price", "collections_list", "published_at", "updated_at")
    autocomplete_fields = ("brand",)
    list_display = (
        "picture",
        "name_column",
        "brand",
        "category",
        "status_badge",
        "price",
        "variant_count",
        "updated",
    )
    list_display_links = ("picture", "name_column")
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("brand", AutocompleteSelectFilter),
        ("category", SubtreeFilter),
        HasPriceFilter,
        ("created_at", DayRangeFilter),
    )
    list_select_related = ("brand", "category")
    ordering = ("-updated_at",)
    sortable_by = ("name_column", "price", "updated")
    search_fields = ("search_text",)
    search_help_text = "Name, SKU or brand"
    actions = ("publish", "withdraw", "archive")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        first = Prefetch("media", Media.objects.order_by("position")[:1], to_attr="first_media")
        number = count_of(Variant.objects.all(), "product")
        return super().get_queryset(request).annotate(number=number).prefetch_related(first)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        # A product that is not there yet has no place in the shop to speak of.
        return self.fieldsets if obj else self.fieldsets[:-1]

    @admin.display(description="")
    def picture(self, product: Any) -> str:
        return thumbnail(next(iter(product.first_media), None))

    @admin.display(description="Name", ordering="name_key")
    def name_column(self, product: Product) -> str:
        return product.name

    @display(
        description="Status",
        label={
            ProductStatus.DRAFT: "warning",
            ProductStatus.PUBLISHED: "success",
            ProductStatus.ARCHIVED: "default",
        },
    )
    def status_badge(self, product: Product) -> tuple[str, str]:
        return product.status, product.get_status_display()

    @admin.display(description="Price", ordering="price_key", empty_value="–")
    def price(self, product: Product) -> str | None:
        if product.min_price is None or product.max_price is None:
            return None
        most = money(product.max_price, product.currency)
        if product.min_price != product.max_price:
            most = f"{format_minor(product.min_price, product.currency)} – {most}"
        return on_one_line(most)

    @admin.display(description="Variants")
    def variant_count(self, product: Any) -> int:
        return product.number

    @admin.display(description="Updated", ordering="updated_at")
    def updated(self, product: Product) -> str:
        return on_one_line(date_format(localtime(product.updated_at), "DATETIME_FORMAT"))

    @admin.display(description="Collections", empty_value="–")
    def collections_list(self, product: Product) -> str | None:
        rows = product.collections.order_by("name_key") if product.pk else ()
        links = ((reverse("admin:shop_collection_change", args=[row.pk]), row.name) for row in rows)
        return format_html_join(", ", '<a href="{}" class="text-link">{}</a>', links) or None

    @admin.action(description="Publish", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._set_status(request, queryset, ProductStatus.PUBLISHED)

    @admin.action(description="Withdraw to draft", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._set_status(request, queryset, ProductStatus.DRAFT)

    @admin.action(description="Archive", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._set_status(request, queryset, ProductStatus.ARCHIVED)

    def _set_status(
        self, request: HttpRequest, queryset: QuerySet[Product], status: ProductStatus
    ) -> None:
        changed, refused = 0, []
        # By id, as all who lock several products do.
        for product in queryset.prefetch_related(None).order_by("pk"):
            if product.status == status:
                continue
            try:
                products.set_status(product, status)
            except NotPublishable:
                refused.append(product.name)
            else:
                changed += 1
                self.log_change(request, product, [{"changed": {"fields": ["Status"]}}])
        if changed:
            noun = "product is" if changed == 1 else "products are"
            self.message_user(request, f"{changed} {noun} now {status.label.lower()}.")
        if refused:
            more = len(refused) - NAMED_PRODUCTS
            names = ", ".join(refused[:NAMED_PRODUCTS]) + (f" and {more} more" if more > 0 else "")
            message = f"Not published, because no variant has a price: {names}."
            self.message_user(request, message, messages.WARNING)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "category":
            kwargs |= category_field(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def changes_to_save(self, form: ActionForm) -> dict[str, Any]:
        # The status comes last, when the variants have the prices that it asks for.
        return {name: value for name, value in form.changes().items() if name != "status"}

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        product = form.instance
        # One entry for the product: what it is withdrawn for meanwhile is no change.
        with audit.changing("product.update", [product], products.facts):
            self._save_rows(request, form, formsets, change)

    def _save_rows(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        product = form.instance
        was, wanted = product.status, form.cleaned_data["status"]
        if was == ProductStatus.PUBLISHED and any(formset.has_changed() for formset in formsets):
            # What a published product must have is asked of the outcome, not of every step.
            was = ProductStatus.DRAFT
            products.set_status(fresh(product), was)
        stored: list[str] = []
        for formset in formsets:
            if isinstance(formset, MediaFormSet):
                formset.stored = stored
        try:
            super().save_related(request, form, formsets, change)
            if wanted != was:
                with refused_at(form.prefix):
                    products.set_status(fresh(product), wanted)
        except BaseException:
            for name in stored:
                default_storage.delete(name)
            raise
        product.refresh_from_db()

    def create_row(self, fields: dict[str, Any]) -> Product:
        return products.create(**fields)

    def change_row(self, row: Product, changes: dict[str, Any]) -> Product:
        return products.update(row, **changes)

    def delete_row(self, row: Product) -> None:
        products.delete(row)
