"""graphene-django as its documentation has it: node types and filtered connections."""

from typing import Any

import django_filters
import graphene
from django.db.models import QuerySet
from graphene_django import DjangoObjectType
from graphene_django.filter import DjangoFilterConnectionField
from graphene_django.views import GraphQLView

from contenders.contender import Contender, array_cursor, graphql_contender
from contenders.documents import documents
from contenders.questions import Values
from shop import models, money

_ORDER = 'orderBy: "price_key,id"'
_BY_PRICE = ("$min: Decimal!", f"priceFrom: $min, {_ORDER}")
LISTS = {
    "nested": _BY_PRICE,
    "flat": _BY_PRICE,
    "deep": ("$after: String!", f"after: $after, {_ORDER}"),
    "subtree": ("$category: String!", f"category: $category, {_ORDER}"),
}


class Money(graphene.ObjectType):
    amount = graphene.String(required=True)
    currency = graphene.String(required=True)


class CategoryNode(DjangoObjectType):
    class Meta:
        model = models.Category
        name = "Category"
        interfaces = (graphene.relay.Node,)
        fields = ("id", "name", "slug")


class BrandNode(DjangoObjectType):
    class Meta:
        model = models.Brand
        name = "Brand"
        interfaces = (graphene.relay.Node,)
        fields = ("id", "name", "slug")


class MediaFilter(django_filters.FilterSet):
    order_by = django_filters.OrderingFilter(fields=("position", "id"))

    class Meta:
        model = models.Media
        fields: list[str] = []


class MediaNode(DjangoObjectType):
    class Meta:
        model = models.Media
        name = "Media"
        interfaces = (graphene.relay.Node,)
        fields = ("id", "url", "alt", "position")
        filterset_class = MediaFilter


class VariantFilter(django_filters.FilterSet):
    order_by = django_filters.OrderingFilter(fields=("position", "id"))

    class Meta:
        model = models.Variant
        fields: list[str] = []


class VariantNode(DjangoObjectType):
    price = graphene.Field(Money)
    compare_at = graphene.Field(Money)

    class Meta:
        model = models.Variant
        name = "Variant"
        interfaces = (graphene.relay.Node,)
        fields = ("id", "sku", "name", "position", "weight_grams", "barcode")
        filterset_class = VariantFilter

    @staticmethod
    def resolve_price(variant: models.Variant, info: Any) -> money.Money | None:
        return money_of(variant.price, variant.currency)

    @staticmethod
    def resolve_compare_at(variant: models.Variant, info: Any) -> money.Money | None:
        return money_of(variant.compare_at, variant.currency)


class AttributeNode(DjangoObjectType):
    class Meta:
        model = models.Attribute
        name = "Attribute"
        interfaces = (graphene.relay.Node,)
        fields = ("id", "name", "slug")


class ValueFilter(django_filters.FilterSet):
    order_by = django_filters.OrderingFilter(fields=("name_key", "id"))

    class Meta:
        model = models.AttributeValue
        fields: list[str] = []


class ValueNode(DjangoObjectType):
    class Meta:
        model = models.AttributeValue
        name = "AttributeValue"
        interfaces = (graphene.relay.Node,)
        fields = ("id", "name", "slug", "attribute")
        filterset_class = ValueFilter


class ProductFilter(django_filters.FilterSet):
    price_from = django_filters.NumberFilter(field_name="min_price", lookup_expr="gte")
    category = django_filters.CharFilter(method="in_category")
    order_by = django_filters.OrderingFilter(fields=("price_key", "id"))

    class Meta:
        model = models.Product
        fields: list[str] = []

    def in_category(self, rows: QuerySet, name: str, slug: str) -> QuerySet:
        return rows.filter(category__in=models.Category.objects.filter(ancestors__slug=slug))


class ProductNode(DjangoObjectType):
    min_price = graphene.Field(Money)
    max_price = graphene.Field(Money)

    class Meta:
        model = models.Product
        name = "Product"
        interfaces = (graphene.relay.Node,)
        fields = (
            *("id", "name", "slug", "description", "category", "brand"),
            *("media", "variants", "attribute_values"),
        )
        filterset_class = ProductFilter

    @staticmethod
    def resolve_min_price(product: models.Product, info: Any) -> money.Money | None:
        return money_of(product.min_price, product.currency)

    @staticmethod
    def resolve_max_price(product: models.Product, info: Any) -> money.Money | None:
        return money_of(product.max_price, product.currency)


class Query(graphene.ObjectType):
    products = DjangoFilterConnectionField(ProductNode)
    product = graphene.Field(ProductNode, slug=graphene.String(required=True))

    @staticmethod
    def resolve_products(root: None, info: Any, **arguments: Any) -> QuerySet:
        return models.Product.objects.published()

    @staticmethod
    def resolve_product(root: None, info: Any, slug: str) -> models.Product | None:
        return models.Product.objects.published().filter(slug=slug).first()


def contender() -> Contender:
    view = GraphQLView.as_view(schema=graphene.Schema(query=Query))
    asked = documents(
        lists=LISTS, by_position='orderBy: "position,id"', by_name='orderBy: "name_key,id"'
    )
    return graphql_contender(view, asked, variables)


def variables(values: Values) -> dict[str, Any]:
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


def money_of(minor: int | None, currency: str) -> money.Money | None:
    return None if minor is None else money.Money(minor, currency)
