"""Categories, brands, attributes and collections."""

from functools import partial
from typing import Any

import graphene

from schema.base import DeleteMutation, Mutation
from schema.engine.connections import ObjectField
from schema.inputs import load, load_all, replace
from schema.mutations.catalog.named import NamedUpdate, release_slugs
from schema.types.catalog.products import Product
from schema.types.catalog.taxonomy import Attribute, AttributeValue, Brand, Category, Collection
from schema.updates import CreateMutation, UpdateMutation
from shop import models
from shop.actions.catalog import categories, taxonomy
from shop.input_errors import InputErrors

_DESCRIPTION = "HTML about it; scripts, styles and frames are removed, and `h1` becomes `h2`."
_SLUG = "Unique name for addresses; made from the name if missing."

CategoryContents = graphene.Enum(
    "CategoryContents",
    [("REFUSE", "refuse"), ("MOVE_UP", "move_up")],
    description=lambda member: {
        None: "What happens to what lies in a category that is to be deleted.",
        "REFUSE": "Nothing is deleted while the category has subcategories or products.",
        "MOVE_UP": "Subcategories and products move to the parent; products of a top category "
        "become uncategorised.",
    }[member and member.name],
)


def _id(kind: str) -> graphene.ID:
    return graphene.ID(required=True, description=f"Global id of the {kind}.")


def _name(*, required: bool) -> graphene.String:
    return graphene.String(required=required, description="The name that shoppers see.")


def _read_parent(info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
    replace(values, "parent", errors, partial(load, info, Category, field="parent"))


def _read_products(info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
    replace(values, "products", errors, partial(load_all, info, Product, field="products"))


class CategoryCreate(CreateMutation):
    """Creates a category."""

    permission = "shop.add_category"
    codes = ("NOT_FOUND", "DUPLICATE_SLUG", "SLUG_RESERVED", "CATEGORY_TOO_DEEP")

    class Input:
        name = _name(required=True)
        slug = graphene.String(description=_SLUG)
        description = graphene.String(description=_DESCRIPTION)
        position = graphene.Int(description="Its place among its siblings; 0 at first.")
        parent = graphene.ID(description="Global id of the category right above; none at the top.")

    category = ObjectField(Category, description="The new category.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read_parent(info, values, errors)

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(category=categories.create(**values))


class CategoryUpdate(NamedUpdate):
    """Changes a category; a `parent` moves it with its whole subtree."""

    permission = "shop.change_category"
    codes = ("DUPLICATE_SLUG", "SLUG_RESERVED", "CATEGORY_CYCLE", "CATEGORY_TOO_DEEP")
    node_type = Category
    update = staticmethod(categories.update)
    payload = "category"

    class Input:
        id = _id("category")
        name = _name(required=False)
        release_slugs = release_slugs()
        slug = graphene.String(description="Unique name for addresses.")
        description = graphene.String(description=_DESCRIPTION)
        position = graphene.Int(description="Its place among its siblings.")
        parent = graphene.ID(
            description="Global id of the category to move below; null moves to the top."
        )

    category = ObjectField(Category, description="The category as it is now.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read_parent(info, values, errors)


class CategoryDelete(Mutation):
    """Deletes a category."""

    permission = "shop.delete_category"
    codes = ("NOT_FOUND", "CATEGORY_NOT_EMPTY")

    class Input:
        id = _id("category")
        contents = graphene.InputField(
            CategoryContents,
            default_value=CategoryContents.REFUSE,
            required=True,
            description="What happens to what lies in it.",
        )

    deleted_id = graphene.ID(description="Global id of what was deleted.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str, contents: Any) -> Any:  # noqa: A002
        category = load(info, Category, id)
        categories.delete(category, move_contents=contents == CategoryContents.MOVE_UP)
        return cls(deleted_id=id)


class BrandCreate(CreateMutation):
    """Creates a brand."""

    permission = "shop.add_brand"
    codes = (
        "DUPLICATE_SLUG",
        "SLUG_RESERVED",
    )

    class Input:
        name = _name(required=True)
        slug = graphene.String(description=_SLUG)
        description = graphene.String(description=_DESCRIPTION)

    brand = ObjectField(Brand, description="The new brand.")

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(brand=taxonomy.create_brand(**values))


class BrandUpdate(NamedUpdate):
    """Changes a brand. Fields that are left out stay as they are."""

    permission = "shop.change_brand"
    codes = (
        "DUPLICATE_SLUG",
        "SLUG_RESERVED",
    )
    node_type = Brand
    update = staticmethod(taxonomy.update_brand)
    payload = "brand"

    class Input:
        id = _id("brand")
        name = _name(required=False)
        release_slugs = release_slugs()
        slug = graphene.String(description="Unique name for addresses.")
        description = graphene.String(description=_DESCRIPTION)

    brand = ObjectField(Brand, description="The brand as it is now.")


class BrandDelete(DeleteMutation):
    """Deletes a brand that no product has."""

    permission = "shop.delete_brand"
    codes = ("IN_USE",)
    node_type = Brand
    remove = staticmethod(taxonomy.delete_brand)


class AttributeCreate(CreateMutation):
    """Creates an attribute with its values."""

    permission = "shop.add_attribute"
    codes = (
        "DUPLICATE_SLUG",
        "SLUG_RESERVED",
    )

    class Input:
        name = _name(required=True)
        slug = graphene.String(description="Unique name, for filters; made from the name.")
        filterable = graphene.Boolean(description="Whether shoppers may filter by it; true.")
        values = graphene.List(
            graphene.NonNull(graphene.String), description="Names of the values that it can have."
        )

    attribute = ObjectField(Attribute, description="The new attribute.")

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(attribute=taxonomy.create_attribute(**values))


class AttributeUpdate(NamedUpdate):
    """Changes an attribute, or adds values to it. Fields that are left out stay as they are."""

    permission = "shop.change_attribute"
    codes = (
        "DUPLICATE_SLUG",
        "SLUG_RESERVED",
    )
    node_type = Attribute
    update = staticmethod(taxonomy.update_attribute)
    payload = "attribute"

    class Input:
        id = _id("attribute")
        name = _name(required=False)
        release_slugs = release_slugs()
        slug = graphene.String(description="Unique name, for filters.")
        filterable = graphene.Boolean(description="Whether shoppers may filter by it.")
        add_values = graphene.List(
            graphene.NonNull(graphene.String), description="Names of values to add; null adds none."
        )

    attribute = ObjectField(Attribute, description="The attribute as it is now.")


class AttributeDelete(DeleteMutation):
    """Deletes an attribute with its values, from all products."""

    permission = "shop.delete_attribute"
    node_type = Attribute
    remove = staticmethod(taxonomy.delete_attribute)


class AttributeValueUpdate(UpdateMutation):
    """Gives a value of an attribute another spelling; its slug stays, for filters in links."""

    permission = "shop.change_attributevalue"
    node_type = AttributeValue

    class Input:
        id = _id("value")
        name = _name(required=True)

    attribute_value = ObjectField(AttributeValue, description="The value as it is now.")

    @classmethod
    def save(
        cls, info: graphene.ResolveInfo, row: models.AttributeValue, changes: dict[str, Any]
    ) -> Any:
        return cls(attribute_value=taxonomy.rename_value(row, **changes))


class AttributeValueDelete(DeleteMutation):
    """Deletes a value of an attribute, from all products."""

    permission = "shop.delete_attributevalue"
    node_type = AttributeValue
    remove = staticmethod(taxonomy.delete_value)


class CollectionCreate(CreateMutation):
    """Creates a collection."""

    permission = "shop.add_collection"
    codes = ("NOT_FOUND", "DUPLICATE_SLUG", "SLUG_RESERVED")

    class Input:
        name = _name(required=True)
        slug = graphene.String(description=_SLUG)
        description = graphene.String(description=_DESCRIPTION)
        products = graphene.List(
            graphene.NonNull(graphene.ID), description="Global ids of its products, in order."
        )

    collection = ObjectField(Collection, description="The new collection.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read_products(info, values, errors)

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(collection=taxonomy.create_collection(**values))


class CollectionUpdate(NamedUpdate):
    """Changes a collection. Fields that are left out stay as they are."""

    permission = "shop.change_collection"
    codes = (
        "DUPLICATE_SLUG",
        "SLUG_RESERVED",
    )
    node_type = Collection
    update = staticmethod(taxonomy.update_collection)
    payload = "collection"

    class Input:
        id = _id("collection")
        name = _name(required=False)
        release_slugs = release_slugs()
        slug = graphene.String(description="Unique name for addresses.")
        description = graphene.String(description=_DESCRIPTION)
        products = graphene.List(
            graphene.NonNull(graphene.ID),
            description="Global ids of all its products, in order; replaces what is in it. Null "
            "removes all.",
        )

    collection = ObjectField(Collection, description="The collection as it is now.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read_products(info, values, errors)


class CollectionDelete(DeleteMutation):
    """Deletes a collection; its products stay."""

    permission = "shop.delete_collection"
    node_type = Collection
    remove = staticmethod(taxonomy.delete_collection)


class TaxonomyMutation(graphene.ObjectType):
    """Categories, brands, attributes and collections."""

    category_create = CategoryCreate.Field()
    category_update = CategoryUpdate.Field()
    category_delete = CategoryDelete.Field()
    brand_create = BrandCreate.Field()
    brand_update = BrandUpdate.Field()
    brand_delete = BrandDelete.Field()
    attribute_create = AttributeCreate.Field()
    attribute_update = AttributeUpdate.Field()
    attribute_delete = AttributeDelete.Field()
    attribute_value_update = AttributeValueUpdate.Field()
    attribute_value_delete = AttributeValueDelete.Field()
    collection_create = CollectionCreate.Field()
    collection_update = CollectionUpdate.Field()
    collection_delete = CollectionDelete.Field()
