"""Products and variants."""

from functools import partial
from typing import Any, ClassVar

import graphene

from schema.base import Decimal, DeleteMutation
from schema.engine.connections import ObjectField
from schema.inputs import load, load_all, rename, replace, replace_amounts
from schema.mutations.catalog.named import NamedUpdate, release_slugs
from schema.types.catalog.filters import ProductStatus
from schema.types.catalog.products import Media, Product, Variant
from schema.types.catalog.taxonomy import AttributeValue, Brand, Category
from schema.updates import CreateMutation, UpdateMutation
from shop import models
from shop.actions.catalog import products, variants
from shop.input_errors import InputErrors


class OptionInput(graphene.InputObjectType):
    """What a variant is in one option of its product."""

    name = graphene.String(required=True, description='The option, such as "Size".')
    value = graphene.String(required=True, description='The choice, such as "M".')


class VariantFields:
    """Input fields of a variant."""

    sku = graphene.String(
        description="Stock keeping unit of at most 255 characters, unique in the shop. Stored as "
        "given: blanks, case and accents distinguish SKUs. Null, empty or blank for none."
    )
    options = graphene.List(
        graphene.NonNull(OptionInput), description="Up to three; unique within the product."
    )
    price = Decimal(
        description="In the shop's currency, 0 or more; null for no price, which clears "
        "`compareAt` too."
    )
    compare_at = Decimal(description="Former price, above `price`; null when not reduced.")
    weight_grams = graphene.Int(description="Weight in grams.")
    requires_shipping = graphene.Boolean(
        description="Whether it is sent as a parcel; true when left out. What is not shipped needs "
        "no shipping address, and `digitalContentSet` says what customers get."
    )
    barcode = graphene.String(description="EAN, UPC or the like.")
    position = graphene.Int(description="Place among the variants; the last when left out.")


class ProductVariantInput(VariantFields, graphene.InputObjectType):
    """A variant of a product that is being created."""


class ProductFields:
    """Input fields of a product."""

    slug = graphene.String(description="Unique name for addresses; made from the name if missing.")
    description = graphene.String(
        description="HTML; scripts, styles and frames are removed, and `h1` becomes `h2`."
    )
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


def _read_product(info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
    for name, node_type in (("category", Category), ("brand", Brand)):
        replace(values, name, errors, partial(load, info, node_type, field=name))
    attribute_values = partial(load_all, info, AttributeValue, field="attributeValues")
    replace(values, "attribute_values", errors, attribute_values)
    replace(values, "status", errors, lambda status: status.value)


def _read_variant(values: dict[str, Any], errors: InputErrors) -> None:
    replace_amounts(values, errors, "compare_at")
    given = values.get("price")
    replace_amounts(values, errors, "price")
    if given is not None and "price" not in values:
        # The other fields are checked against the lowest price; the error is reported already.
        values["price"] = 0


class ProductCreate(CreateMutation):
    """Creates a product, with its variants if any are given."""

    permission = "shop.add_product"
    codes = (
        "NOT_FOUND",
        "DUPLICATE_SLUG",
        "SLUG_RESERVED",
        "DUPLICATE_SKU",
        "DUPLICATE_OPTIONS",
        "INVALID_PRICE",
        "COMPARE_AT_NOT_ABOVE_PRICE",
        "NOT_PUBLISHABLE",
    )

    class Input(ProductFields):
        name = graphene.String(required=True, description="The name that shoppers see.")
        variants = graphene.List(
            graphene.NonNull(ProductVariantInput), description="What can be bought of it."
        )

    product = ObjectField(Product, description="The new product.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read_product(info, values, errors)
        for index, variant in enumerate(values.get("variants", ())):
            found = InputErrors()
            _read_variant(variant, found)
            with errors.collect("variants", str(index)):
                found.raise_any()

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(product=products.create(**values))


class ProductUpdate(NamedUpdate):
    """Changes a product. Fields that are left out stay as they are."""

    permission = "shop.change_product"
    codes = ("DUPLICATE_SLUG", "SLUG_RESERVED", "NOT_PUBLISHABLE")
    node_type = Product
    update = staticmethod(products.update)
    payload = "product"

    class Input(ProductFields):
        id = graphene.ID(required=True, description="Global id of the product.")
        name = graphene.String(description="The name that shoppers see.")
        release_slugs = release_slugs()

    product = ObjectField(Product, description="The product as it is now.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read_product(info, values, errors)


class ProductDelete(DeleteMutation):
    """Deletes a product with its variants and pictures."""

    permission = "shop.delete_product"
    codes = ("IN_USE",)
    node_type = Product
    remove = staticmethod(products.delete)


class VariantCreate(CreateMutation):
    """Adds a variant to a product."""

    permission = "shop.add_variant"
    codes = (
        "NOT_FOUND",
        "DUPLICATE_SKU",
        "DUPLICATE_OPTIONS",
        "INVALID_PRICE",
        "COMPARE_AT_NOT_ABOVE_PRICE",
    )

    class Input(VariantFields):
        product = graphene.ID(required=True, description="Global id of the product.")
        image = graphene.ID(description="Global id of the product's picture that shows it.")

    variant = ObjectField(Variant, description="The new variant.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        replace(values, "product", errors, partial(load, info, Product, field="product"))
        replace(values, "image", errors, partial(load, info, Media, field="image"))
        rename(values, "image", "media")
        _read_variant(values, errors)

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(variant=variants.create(values.pop("product", None), **values))


class VariantUpdate(UpdateMutation):
    """Changes a variant. Fields that are left out stay as they are."""

    permission = "shop.change_variant"
    codes = (
        "DUPLICATE_SKU",
        "DUPLICATE_OPTIONS",
        "INVALID_PRICE",
        "COMPARE_AT_NOT_ABOVE_PRICE",
        "NOT_PUBLISHABLE",
    )
    node_type = Variant
    cleared: ClassVar[dict[str, Any]] = {
        "weight_grams": 0,
        "image": None,
    }

    class Input(VariantFields):
        id = graphene.ID(required=True, description="Global id of the variant.")
        image = graphene.ID(description="Global id of the product's picture that shows it.")

    variant = ObjectField(Variant, description="The variant as it is now.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        replace(values, "image", errors, partial(load, info, Media, field="image"))
        rename(values, "image", "media")
        _read_variant(values, errors)

    @classmethod
    def save(cls, info: graphene.ResolveInfo, row: models.Variant, changes: dict[str, Any]) -> Any:
        return cls(variant=variants.update(row, **changes))


class VariantDelete(DeleteMutation):
    """Deletes a variant; not the last one with a price of a published product."""

    permission = "shop.delete_variant"
    codes = ("NOT_PUBLISHABLE", "IN_USE")
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
