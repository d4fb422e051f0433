"""Root fields of the catalog."""

from typing import Any

import graphene

from schema.engine.connections import ConnectionField, NodeType, ObjectField
from schema.engine.errors import BadRequest
from schema.engine.nodes import decode_id
from schema.types.catalog.products import Product
from schema.types.catalog.taxonomy import Attribute, Brand, Category, Collection


class ByIdOrSlug(ObjectField):
    """One object by `id` or `slug`, also a former one; null when there is none."""

    def __init__(self, node_type: type[NodeType], description: str) -> None:
        def find(root: Any, info: graphene.ResolveInfo, **key: str) -> Any:
            if len(key) != 1 or None in key.values():
                raise BadRequest("Give either `id` or `slug`.")
            if "id" in key:
                return {"pk": decode_id(info.schema, key["id"], node_type._meta.name)[1]}
            # No database holds such a slug, and PostgreSQL would refuse it.
            if "\x00" in key["slug"]:
                return None
            return {"slug": key["slug"]}, {"former_slugs__slug": key["slug"]}

        super().__init__(
            node_type,
            find=find,
            id=graphene.Argument(graphene.ID, description="Its global id."),
            slug=graphene.Argument(
                graphene.String,
                description="Its slug, or a former slug of it: `slug` of the answer is the "
                "present one, to redirect to.",
            ),
            description=f"{description} Give either `id` or `slug`.",
        )


class CatalogQuery(graphene.ObjectType):
    """What the shop offers."""

    products = ConnectionField(Product, description="Products; for shoppers the published ones.")
    product = ByIdOrSlug(Product, "One product, or null.")
    categories = ConnectionField(
        Category, description="Categories of all levels; `filter: {top: true}` for the top ones."
    )
    category = ByIdOrSlug(Category, "One category, or null.")
    brands = ConnectionField(Brand, description="Brands.")
    brand = ByIdOrSlug(Brand, "One brand, or null.")
    attributes = ConnectionField(
        Attribute, description="Attributes with their values: what a shop can offer as filters."
    )
    attribute = ByIdOrSlug(Attribute, "One attribute, or null.")
    collections = ConnectionField(Collection, description="Collections.")
    collection = ByIdOrSlug(Collection, "One collection, or null.")
