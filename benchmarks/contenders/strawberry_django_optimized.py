"""strawberry-graphql-django with its optimizer and both document caches, as documented."""

from collections.abc import Iterable
from typing import Any

import strawberry
import strawberry_django
from django.db.models import Q, QuerySet
from strawberry import auto, relay
from strawberry.django.views import GraphQLView
from strawberry.extensions import ParserCache, ValidationCache
from strawberry_django.optimizer import DjangoOptimizerExtension
from strawberry_django.relay import DjangoListConnection

from contenders.contender import Contender, array_cursor, graphql_contender
from contenders.documents import documents
from contenders.questions import Values
from shop import models
from shop.money import format_minor

_ORDER = "ordering: [{priceKey: ASC}, {id: ASC}]"
_BY_PRICE = ("$min: Int!", f"filters: {{minPrice: {{gte: $min}}}}, {_ORDER}")
_LISTS = {
    "nested": _BY_PRICE,
    "flat": _BY_PRICE,
    "deep": ("$after: String!", f"after: $after, {_ORDER}"),
    "subtree": ("$category: String!", f"filters: {{category: $category}}, {_ORDER}"),
}


@strawberry.type
class Money:
    amount: str
    currency: str


def money_of(minor: int | None, currency: str) -> Money | None:
    if minor is None:
        return None
    return Money(amount=format_minor(minor, currency), currency=currency)


@strawberry_django.type(models.Category)
class Category(relay.Node):
    name: auto
    slug: str


@strawberry_django.type(models.Brand)
class Brand(relay.Node):
    name: auto
    slug: str


@strawberry_django.order_type(models.Media)
class MediaOrder:
    id: auto
    position: auto


@strawberry_django.type(models.Media, ordering=MediaOrder)
class Media(relay.Node):
    url: auto
    alt: auto
    position: auto


@strawberry_django.order_type(models.Variant)
class VariantOrder:
    id: auto
    position: auto


@strawberry_django.type(models.Variant, ordering=VariantOrder)
class Variant(relay.Node):
    sku: str | None
    name: auto
    position: auto
    weight_grams: auto
    barcode: auto

    @strawberry_django.field(only=["price", "currency"])
    def price(self, root: strawberry.Parent[models.Variant]) -> Money | None:
        return money_of(root.price, root.currency)

    @strawberry_django.field(only=["compare_at", "currency"])
    def compare_at(self, root: strawberry.Parent[models.Variant]) -> Money | None:
        return money_of(root.compare_at, root.currency)


@strawberry_django.type(models.Attribute)
class Attribute(relay.Node):
    name: auto
    slug: str


@strawberry_django.order_type(models.AttributeValue)
class ValueOrder:
    id: auto
    name_key: auto


@strawberry_django.type(models.AttributeValue, ordering=ValueOrder)
class AttributeValue(relay.Node):
    name: auto
    slug: str
    attribute: Attribute


@strawberry_django.order_type(models.Product)
class ProductOrder:
    id: auto
    price_key: auto


@strawberry_django.filter_type(models.Product, lookups=True)
class ProductFilter:
    min_price: auto

    @strawberry_django.filter_field
    def category(self, queryset: QuerySet, value: str, prefix: str) -> tuple[QuerySet, Q]:
        subtree = models.Category.objects.filter(ancestors__slug=value)
        return queryset, Q(**{f"{prefix}category__in": subtree})


@strawberry_django.type(models.Product, filters=ProductFilter, ordering=ProductOrder)
class Product(relay.Node):
    name: auto
    slug: str
    description: auto
    category: Category | None
    brand: Brand | None
    media: DjangoListConnection[Media] = strawberry_django.connection()
    variants: DjangoListConnection[Variant] = strawberry_django.connection()
    attribute_values: DjangoListConnection[AttributeValue] = strawberry_django.connection()

    @strawberry_django.field(only=["min_price", "currency"])
    def min_price(self, root: strawberry.Parent[models.Product]) -> Money | None:
        return money_of(root.min_price, root.currency)

    @strawberry_django.field(only=["max_price", "currency"])
    def max_price(self, root: strawberry.Parent[models.Product]) -> Money | None:
        return money_of(root.max_price, root.currency)


@strawberry.type
class Query:
    @strawberry_django.connection(DjangoListConnection[Product])
    def products(self) -> Iterable[Product]:
        return models.Product.objects.published()

    @strawberry_django.field
    def product(self, slug: str) -> Product | None:
        return models.Product.objects.published().filter(slug=slug)


def contender() -> Contender:
    extensions = [DjangoOptimizerExtension, ParserCache(), ValidationCache()]
    schema = strawberry.Schema(query=Query, extensions=extensions)
    asked = documents(
        lists=_LISTS,
        by_position="ordering: [{position: ASC}, {id: ASC}]",
        by_name="ordering: [{nameKey: ASC}, {id: ASC}]",
    )
    return graphql_contender(GraphQLView.as_view(schema=schema), asked, _variables)


def _variables(values: Values) -> dict[str, Any]:
    if "slug" in values:
        return values
    found: dict[str, Any] = {"size": values["size"]}
    if "price_min" in values:
        found["min"] = values["price_min"]
    if "category" in values:
        found["category"] = values["category"]
    if "offset" in values:
        found["after"] = array_cursor(values["offset"])
    return found
