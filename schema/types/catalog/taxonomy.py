"""What products are ordered by: categories, brands, attributes and collections."""

from typing import Any

import graphene
from django.db.models import Count

from schema.base import PublicNode
from schema.engine.connections import BatchField, ConnectionField
from schema.engine.keyset import SortField
from schema.types.catalog import products
from schema.types.catalog.filters import AttributeFilterSet, CategoryFilterSet, NamedFilterSet
from shop import models

_BY_NAME = SortField("name_key", "By name; numbers in it by value.")
_BY_CREATED = SortField("created_at", "By time of creation.")


def _product_counts(request: Any, keys: list[int]) -> dict[int, int]:
    rows = models.Product.objects.visible_to(request.user)
    counted = rows.filter(category__ancestors__in=keys).values("category__ancestors")
    found: Any = counted.annotate(count=Count("pk")).values_list("category__ancestors", "count")
    return dict.fromkeys(keys, 0) | dict(found)


class Category(PublicNode):
    """A node of the category tree."""

    name = graphene.String(required=True, description="The name that shoppers see.")
    slug = graphene.String(required=True, description="Unique name for addresses.")
    description = graphene.String(required=True, description="Sanitised HTML about it, or empty.")
    position = graphene.Int(required=True, description="Its place among its siblings.")
    depth = graphene.Int(required=True, description="How far from the top; 0 for top categories.")
    created_at = graphene.DateTime(required=True, description="When it was created.")
    parent = graphene.Field(
        lambda: Category, description="The category right above; null at the top."
    )
    product_count = BatchField(
        graphene.Int,
        load=_product_counts,
        required=True,
        description="Number of products in its whole subtree; for shoppers the published ones.",
    )
    children = ConnectionField(
        lambda: Category, link="parent_id", description="The categories right below."
    )
    ancestors = ConnectionField(
        lambda: Category,
        link="descendants__id",
        orderings={"DEPTH": SortField("depth", "From the top of the tree down.")},
        order_name="AncestorOrder",
        default_order=("DEPTH", "asc"),
        exclude_parent=True,
        description="The categories above, from the top down: the breadcrumbs.",
    )
    products = ConnectionField(
        lambda: products.Product,
        link="category__ancestors__id",
        description="Products in its whole subtree.",
    )

    class Meta:
        model = models.Category
        filterset = CategoryFilterSet
        orderings = {
            "NAME": _BY_NAME,
            "POSITION": SortField("position", "In the order that staff chose."),
        }
        default_order = ("POSITION", "asc")


class Brand(PublicNode):
    """Who makes a product."""

    name = graphene.String(required=True, description="The name that shoppers see.")
    slug = graphene.String(required=True, description="Unique name for addresses.")
    description = graphene.String(required=True, description="Sanitised HTML about it, or empty.")
    products = ConnectionField(
        lambda: products.Product, link="brand_id", description="Products of this brand."
    )

    class Meta:
        model = models.Brand
        filterset = NamedFilterSet
        orderings = {"NAME": _BY_NAME}
        default_order = ("NAME", "asc")


class Attribute(PublicNode):
    """A property that products share, such as the material."""

    name = graphene.String(required=True, description="The name that shoppers see.")
    slug = graphene.String(required=True, description="Unique name, for filters.")
    filterable = graphene.Boolean(required=True, description="Whether shoppers may filter by it.")
    values = ConnectionField(
        lambda: AttributeValue, link="attribute_id", description="The values that it can have."
    )

    class Meta:
        model = models.Attribute
        filterset = AttributeFilterSet
        orderings = {"NAME": _BY_NAME}
        default_order = ("NAME", "asc")


class AttributeValue(PublicNode):
    """A value of an attribute, such as wool."""

    attribute = graphene.Field(Attribute, required=True, description="What it is a value of.")
    name = graphene.String(required=True, description="The name that shoppers see.")
    slug = graphene.String(required=True, description="Unique in its attribute, for filters.")

    class Meta:
        model = models.AttributeValue
        filterset = NamedFilterSet
        orderings = {"NAME": _BY_NAME}
        default_order = ("NAME", "asc")


class Collection(PublicNode):
    """Products chosen by hand for one occasion."""

    name = graphene.String(required=True, description="The name that shoppers see.")
    slug = graphene.String(required=True, description="Unique name for addresses.")
    description = graphene.String(required=True, description="Sanitised HTML about it, or empty.")
    created_at = graphene.DateTime(required=True, description="When it was created.")
    products = ConnectionField(
        lambda: products.Product,
        link="collection_items__collection_id",
        orderings={
            "POSITION": SortField(
                "collection_items__position", "In the order that staff chose for the collection."
            )
        },
        order_name="CollectionProductOrder",
        default_order=("POSITION", "asc"),
        description="The products in it.",
    )

    class Meta:
        model = models.Collection
        filterset = NamedFilterSet
        orderings = {"NAME": _BY_NAME, "CREATED": _BY_CREATED}
        default_order = ("NAME", "asc")
