"""graphene-django with graphene-django-optimizer, hints and prefetches as it documents them."""

from typing import Any

import graphene
import graphene_django_optimizer as gdo
from django.db.models import Prefetch, QuerySet
from graphene.relay import Node
from graphene_django import DjangoObjectType
from graphene_django.filter import DjangoFilterConnectionField
from graphene_django.views import GraphQLView

from contenders.contender import Contender, graphql_contender
from contenders.documents import documents
from contenders.graphene_django_plain import (
    LISTS,
    MediaNode,
    Money,
    ProductFilter,
    ValueNode,
    money_of,
    variables,
)
from shop import models, money


def _money_field(column: str) -> graphene.Field:
    @gdo.resolver_hints(only=(column, "currency"))
    def resolve(row: Any, info: Any) -> money.Money | None:
        return money_of(getattr(row, column), row.currency)

    return graphene.Field(Money, resolver=resolve)


def _ordered(node_type: Any, relation: str, rows: QuerySet) -> graphene.Field:
    """The first children, in order: a list, because hints do not reach into connections."""

    def prefetch(info: Any, first: int) -> Prefetch:
        # The optimizer's `only` leaves out the parent's key, which would be read row by row.
        children = gdo.query(rows, info).defer(None)[:first]
        return Prefetch(relation, children, to_attr=f"gql_{relation}")

    @gdo.resolver_hints(prefetch_related=prefetch)
    def resolve(row: Any, info: Any, first: int) -> list[Any]:
        return getattr(row, f"gql_{relation}")

    return graphene.List(node_type, first=graphene.Int(required=True), resolver=resolve)


class VariantNode(DjangoObjectType):
    price = _money_field("price")
    compare_at = _money_field("compare_at")

    class Meta:
        model = models.Variant
        name = "Variant"
        interfaces = (Node,)
        fields = ("id", "sku", "name", "position", "weight_grams", "barcode")


class ProductNode(gdo.OptimizedDjangoObjectType):
    min_price = _money_field("min_price")
    max_price = _money_field("max_price")
    media = _ordered(MediaNode, "media", models.Media.objects.order_by("position", "id"))
    variants = _ordered(VariantNode, "variants", models.Variant.objects.order_by("position", "id"))
    attribute_values = _ordered(
        ValueNode, "attribute_values", models.AttributeValue.objects.order_by("name_key", "id")
    )

    class Meta:
        model = models.Product
        name = "Product"
        interfaces = (Node,)
        fields = ("id", "name", "slug", "description", "category", "brand")
        filterset_class = ProductFilter


class Query(graphene.ObjectType):
    products = DjangoFilterConnectionField(ProductNode)
    product = graphene.Field(ProductNode, slug=graphene.String(required=True))

    @staticmethod
    def resolve_products(root: None, info: Any, **arguments: Any) -> QuerySet:
        return gdo.query(models.Product.objects.published(), info)

    @staticmethod
    def resolve_product(root: None, info: Any, slug: str) -> models.Product | None:
        return gdo.query(models.Product.objects.published().filter(slug=slug), info).first()


def contender() -> Contender:
    view = GraphQLView.as_view(schema=graphene.Schema(query=Query))
    return graphql_contender(view, documents(lists=LISTS, connections=False), variables)
