"""Products and variants."""

from typing import Any

import graphene

from schema.base import Decimal, DeleteMutation, Mutation
from schema.engine.connections import ObjectField
from schema.inputs import load, load_all, minor_units
from schema.types.catalog.filters import ProductStatus
from schema.types.catalog.products import Media, Product, Variant
from schema.types.catalog.taxonomy import AttributeValue, Brand, Category
from shop.actions.catalog import products, variants


class OptionInput(graphene.InputObjectType):
    """What a variant is in one option of its product."""

    name = graphene.String(required=True, description='The option, such as "Size".')
    value = graphene.String(required=True, description='The choice, such as "M".')


class VariantFields:
    """Input fields of a variant."""

    sku = graphene.String(description="Stock keeping unit, unique in the shop.")
    options = graphene.List(
        graphene.NonNull(OptionInput), description="Up to three; unique within the product."
    )
    price = Decimal(description="In the shop's currency, 0 or more; null for no price yet.")
    compare_at = Decimal(description="Former price, above `price`; null when not reduced.")
    weight_grams = graphene.Int(description="Weight in grams.")
    barcode = graphene.String(description="EAN, UPC or the like.")
    position = graphene.Int(description="Place among the variants; the last when left out.")


class ProductVariantInput(VariantFields, graphene.InputObjectType):
    """A variant of a product that is being created."""


class ProductFields:
    """Input fields of a product."""

    slug = graphene.String(description="Unique name for addresses; made from the name if missing.")
    description = graphene.String(description="HTML; scripts, styles and frames are removed.")
    category = graphene.ID(description="Global id of the category; null for none.")
    brand = graphene.ID(description="Global id of the brand; null for none.")
    attribute_values = graphene.List(
        graphene.NonNull(graphene.ID), description="Global ids of all its attribute values."
    )
    status = graphene.InputField(
        ProductStatus, description="PUBLISHED needs a variant with a price. DRAFT at first."
    )
    tax_category = graphene.String(
        description="By which tax rates find it, in any case; empty for the standard rate."
    )
    seo_title = graphene.String(description="Title for search engines.")
    seo_description = graphene.String(description="Summary for search engines.")


def _product_values(info: graphene.ResolveInfo, values: dict[str, Any]) -> dict[str, Any]:
    for name, node_type in (("category", Category), ("brand", Brand)):
        if values.get(name) is not None:
            values[name] = load(info, node_type, values[name], name)
    if values.get("attribute_values") is not None:
        values["attribute_values"] = load_all(
            info, AttributeValue, values["attribute_values"], "attributeValues"
        )
    else:
        values.pop("attribute_values", None)
    if values.get("status") is not None:
        values["status"] = values["status"].value
    else:
        values.pop("status", None)
    return _texts(values, "description", "seo_title", "seo_description", "tax_category")


def _variant_values(values: dict[str, Any], path: list[str]) -> dict[str, Any]:
    for name, public in (("price", "price"), ("compare_at", "compareAt")):
        if name in values:
            values[name] = minor_units(values[name], [*path, public])
    for name in ("weight_grams", "position"):
        if name in values and values[name] is None:
            del values[name]
    return _texts(values, "barcode")


def _texts(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """Null means empty for these: the database knows one kind of "no text"."""
    return values | {name: values[name] or "" for name in names if name in values}


class ProductCreate(Mutation):
    """Creates a product, with its variants if any are given."""

    permission = "shop.add_product"

    class Input(ProductFields):
        name = graphene.String(required=True, description="The name that shoppers see.")
        variants = graphene.List(
            graphene.NonNull(ProductVariantInput), description="What can be bought of it."
        )

    product = ObjectField(Product, description="The new product.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, **values: Any) -> Any:
        given = values.pop("variants", None) or []
        fields = [
            _variant_values(dict(item), ["variants", str(index)])
            for index, item in enumerate(given)
        ]
        return cls(product=products.create(variants=fields, **_product_values(info, values)))


class ProductUpdate(Mutation):
    """Changes a product. Fields that are left out stay as they are."""

    permission = "shop.change_product"

    class Input(ProductFields):
        id = graphene.ID(required=True, description="Global id of the product.")
        name = graphene.String(description="The name that shoppers see.")

    product = ObjectField(Product, description="The product as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str, **values: Any) -> Any:  # noqa: A002
        product = load(info, Product, id)
        return cls(product=products.update(product, **_product_values(info, values)))


class ProductDelete(DeleteMutation):
    """Deletes a product with its variants and pictures."""

    permission = "shop.delete_product"
    node_type = Product
    remove = staticmethod(products.delete)


class VariantCreate(Mutation):
    """Adds a variant to a product."""

    permission = "shop.add_variant"

    class Input(VariantFields):
        product = graphene.ID(required=True, description="Global id of the product.")
        media = graphene.ID(description="Global id of the product's picture that shows it.")

    variant = ObjectField(Variant, description="The new variant.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, product: str, **values: Any) -> Any:
        if values.get("media") is not None:
            values["media"] = load(info, Media, values["media"], "media")
        owner = load(info, Product, product, "product")
        return cls(variant=variants.create(owner, **_variant_values(values, [])))


class VariantUpdate(Mutation):
    """Changes a variant. Fields that are left out stay as they are."""

    permission = "shop.change_variant"

    class Input(VariantFields):
        id = graphene.ID(required=True, description="Global id of the variant.")
        media = graphene.ID(description="Global id of the product's picture that shows it.")

    variant = ObjectField(Variant, description="The variant as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str, **values: Any) -> Any:  # noqa: A002
        if values.get("media") is not None:
            values["media"] = load(info, Media, values["media"], "media")
        variant = load(info, Variant, id)
        return cls(variant=variants.update(variant, **_variant_values(values, [])))


class VariantDelete(DeleteMutation):
    """Deletes a variant; not the last one with a price of a published product."""

    permission = "shop.delete_variant"
    node_type = Variant
    remove = staticmethod(variants.delete)


class ProductsMutation(graphene.ObjectType):
    """Products and variants."""

    product_create = ProductCreate.Field()
    product_update = ProductUpdate.Field()
    product_delete = ProductDelete.Field()
    variant_create = VariantCreate.Field()
    variant_update = VariantUpdate.Field()
    variant_delete = VariantDelete.Field()
