"""Filter arguments of catalog lists."""

from decimal import Decimal as PythonDecimal
from typing import Any

import django_filters
import graphene
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from schema.base import Decimal
from schema.engine.errors import BadRequest
from schema.engine.filters import (
    BooleanFilter,
    DateTimeFilter,
    EnumListFilter,
    SearchFilter,
    TextFilter,
    ValueFilter,
)
from schema.inputs import minor_units
from shop.errors import InvalidPrice
from shop.models import (
    Attribute,
    Brand,
    Category,
    Collection,
    CollectionItem,
    ProductAttribute,
    Variant,
)
from shop.models import ProductStatus as Status
from shop.models.catalog import NO_PRICE
from shop.models.slugs import key_by_slug
from shop.text import fold_search, sort_key, strip_invisible

Slugs = graphene.List(graphene.NonNull(graphene.String))

ProductStatus = graphene.Enum.from_enum(
    Status,
    name="ProductStatus",
    description=lambda member: {
        None: "Where a product is in its life.",
        "DRAFT": "Being prepared; only staff see it.",
        "PUBLISHED": "On sale from `publishedAt` on.",
        "ARCHIVED": "Withdrawn; only staff see it.",
    }[member and member.name],
)


class AttributeCondition(graphene.InputObjectType):
    """An attribute and the values that are wanted of it."""

    attribute = graphene.InputField(
        graphene.String, required=True, description="Slug of the attribute, present or former."
    )
    in_ = graphene.InputField(
        Slugs, required=True, name="in", description="Slugs of values; any of them will do."
    )


class PriceFilter(ValueFilter):
    """Compares a `price_key` with an amount of the shop's currency.

    That is the column by which lists sort: one index serves both. What has no price lies above
    every amount, and a lower bound alone must leave it out.
    """

    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(Decimal, description, **kwargs)

    def prepare(self, value: PythonDecimal) -> int:
        try:
            return minor_units(value, ["price"]) or 0
        except InvalidPrice as error:
            raise BadRequest(error.message, argument="filter.price") from error

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        return super().filter(qs, value).filter(price_key__lt=NO_PRICE)


class SkuFilter(ValueFilter):
    """Any of several SKUs, as they are stored or as people paste them."""

    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(Slugs, description, lookup_expr="in", **kwargs)

    def prepare(self, value: list[str]) -> list[str]:
        pasted = [strip_invisible(sku).strip() for sku in value]
        return list(dict.fromkeys([*value, *pasted]))


class BrandFilter(ValueFilter):
    """Any of several slugs of brands, present or former."""

    def __init__(self, description: str) -> None:
        super().__init__(Slugs, description)

    def filter(self, qs: QuerySet, value: list[Any]) -> QuerySet:
        if not value:
            return qs.none()
        # By an alias: a foreign key compares with no expressions in a list.
        keys = [key_by_slug(Brand, slug) for slug in value]
        return qs.alias(_brand=F("brand_id")).filter(_brand__in=keys)


class ProductFilterSet(django_filters.FilterSet):
    """Conditions on products; all of them must be met."""

    operator_descriptions = {
        "brand": "the brand",
        "price": "the lowest price of the product's variants",
        "status": "the status",
        "created": "the time of creation",
        "updated": "the time of the last change",
    }

    search = SearchFilter(
        "Words that must all appear in the name, the brand or a SKU, whatever their case and "
        "accents.",
        field_name="search_text",
        fold=fold_search,
    )
    category = TextFilter(
        "Slug of a category, present or former; its whole subtree is taken in.",
        method="in_category",
    )
    brand__in = BrandFilter("Any of these slugs, present or former.")
    price__min = PriceFilter(
        "At least this, in the shop's currency.", field_name="price_key", lookup_expr="gte"
    )
    price__max = PriceFilter(
        "At most this, in the shop's currency.", field_name="price_key", lookup_expr="lte"
    )
    attributes = ValueFilter(
        graphene.List(graphene.NonNull(AttributeCondition)),
        "Attributes that the product must have, each with any of the given values.",
        method="with_attributes",
    )
    collection = TextFilter(
        "Slug of a collection that it is in, present or former.", method="in_collection"
    )
    in_stock = BooleanFilter(
        "Whether a variant of it has a price and can be had, on back-order too.",
        method="with_stock",
    )
    status__in = EnumListFilter(
        ProductStatus,
        "Any of these; others than PUBLISHED are for staff.",
        field_name="status",
        lookup_expr="in",
    )
    created__min = DateTimeFilter(
        "At this time or later.", field_name="created_at", lookup_expr="gte"
    )
    created__max = DateTimeFilter(
        "At this time or earlier.", field_name="created_at", lookup_expr="lte"
    )
    updated__min = DateTimeFilter(
        "At this time or later.", field_name="updated_at", lookup_expr="gte"
    )
    updated__max = DateTimeFilter(
        "At this time or earlier.", field_name="updated_at", lookup_expr="lte"
    )

    def in_category(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        subtree = Category.objects.filter(ancestors=key_by_slug(Category, value))
        return queryset.filter(category__in=subtree)

    def with_attributes(self, queryset: QuerySet, name: str, value: list[Any]) -> QuerySet:
        for condition in value:
            links = ProductAttribute.objects.filter(
                product=OuterRef("pk"),
                value__attribute=key_by_slug(Attribute, condition["attribute"]),
                value__slug__in=condition["in_"],
            )
            queryset = queryset.filter(Exists(links))
        return queryset

    def in_collection(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        items = CollectionItem.objects.filter(
            product=OuterRef("pk"), collection=key_by_slug(Collection, value)
        )
        return queryset.filter(Exists(items))

    def with_stock(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        variants = Variant.objects.filter(
            Q(stock__backorder=True) | Q(stock__available__gt=0),
            product=OuterRef("pk"),
            price__isnull=False,
        )
        return queryset.filter(Exists(variants) if value else ~Exists(variants))


class VariantFilterSet(django_filters.FilterSet):
    """Conditions on variants; all of them must be met."""

    operator_descriptions = {"sku": "the SKU", "price": "the price"}

    sku__in = SkuFilter("Any of these SKUs.", field_name="sku")
    price__min = PriceFilter(
        "At least this, in the shop's currency.", field_name="price_key", lookup_expr="gte"
    )
    price__max = PriceFilter(
        "At most this, in the shop's currency.", field_name="price_key", lookup_expr="lte"
    )
    on_sale = BooleanFilter("Whether it has a compare-at price.", method="reduced")

    def reduced(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return queryset.filter(compare_at__isnull=not value)


class MediaFilterSet(django_filters.FilterSet):
    """Conditions on pictures; all of them must be met."""

    search = TextFilter(
        "Text that must appear in the alternative text.", field_name="alt", lookup_expr="icontains"
    )


class NamedFilterSet(django_filters.FilterSet):
    """Conditions on the items; all of them must be met."""

    search = SearchFilter(
        "Words that must all appear in the name, whatever their case and accents.",
        field_name="name_key",
        fold=lambda word: sort_key(strip_invisible(word)),
    )


class CategoryFilterSet(NamedFilterSet):
    """Conditions on categories; all of them must be met."""

    parent = TextFilter(
        "Slug of the category right above, present or former.", method="below_category"
    )
    top = BooleanFilter(
        "True for top categories only, false for all others.",
        field_name="parent",
        lookup_expr="isnull",
    )

    def below_category(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(parent=key_by_slug(Category, value))


class AttributeFilterSet(NamedFilterSet):
    """Conditions on attributes; all of them must be met."""

    filterable = BooleanFilter("Whether shoppers may filter by it.", field_name="filterable")
