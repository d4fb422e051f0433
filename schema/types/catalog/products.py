"""Products, variants and their pictures."""

from dataclasses import dataclass
from decimal import Decimal as PythonDecimal
from typing import Any, ClassVar

import graphene
from django.core.files.storage import default_storage

from schema.base import Decimal, MoneyField, PublicNode
from schema.engine.connections import ComputedField, ConnectionField, RelatedField
from schema.engine.keyset import SortField
from schema.types import digital, reviews, stock
from schema.types.availability import VIEW_STOCK, AvailabilityField
from schema.types.catalog import taxonomy
from schema.types.catalog.filters import (
    MediaFilterSet,
    ProductFilterSet,
    ProductStatus,
    VariantFilterSet,
)
from shop import models

ThumbnailSize = graphene.Enum.from_enum(
    models.ThumbnailSize,
    name="ThumbnailSize",
    description=lambda member: {
        None: "How large a picture is drawn.",
        "SMALL": "At most 160 pixels a side.",
        "MEDIUM": "At most 480 pixels a side.",
        "LARGE": "At most 1200 pixels a side.",
    }[member and member.name],
)


class ProductOption(graphene.ObjectType):
    """A choice that a product offers, such as its size."""

    shared = True

    name = graphene.String(required=True, description='What is chosen, such as "Size".')
    values = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="What there is to choose from, in the order of the variants.",
    )


class SelectedOption(graphene.ObjectType):
    """What a variant is in one of its product's options."""

    shared = True

    name = graphene.String(required=True, description='The option, such as "Size".')
    value = graphene.String(required=True, description='The choice, such as "M".')


class ProductRating(graphene.ObjectType):
    """What the reviews of a product that are shown come to."""

    shared = True

    average = graphene.Field(
        Decimal,
        description='Average of the ratings, from "1.00" to "5.00"; null while there are none.',
    )
    count = graphene.Int(required=True, description="How many ratings there are.")


@dataclass(frozen=True, slots=True)
class _Rating:
    average: PythonDecimal | None
    count: int


def _rating(request: Any, rating: int, count: int) -> _Rating:
    return _Rating(PythonDecimal(rating).scaleb(-2) if count else None, count)


class Product(PublicNode):
    """Something the shop sells, in one or more variants."""

    name = graphene.String(required=True, description="The name that shoppers see.")
    slug = graphene.String(required=True, description="Unique name for addresses.")
    description = graphene.String(required=True, description="Sanitised HTML.")
    status = graphene.Field(ProductStatus, required=True, description="Whether it is on sale.")
    published_at = graphene.DateTime(description="Since when it is on sale.")
    tax_category = graphene.String(
        required=True,
        description="By which tax rates find it, in small letters; empty for the standard rate.",
    )
    seo_title = graphene.String(required=True, description="Title for search engines, or empty.")
    seo_description = graphene.String(
        required=True, description="Summary for search engines, or empty."
    )
    created_at = graphene.DateTime(required=True, description="When it was created.")
    updated_at = graphene.DateTime(
        required=True, description="When it, or one of its variants, last changed."
    )
    min_price = MoneyField(
        "min_price", description="Lowest price of its variants; null when none has a price."
    )
    max_price = MoneyField(
        "max_price", description="Highest price of its variants; null when none has a price."
    )
    options = graphene.List(
        graphene.NonNull(ProductOption),
        required=True,
        description="What can be chosen; empty for a product with a single variant.",
    )
    category = graphene.Field(lambda: taxonomy.Category, description="Where it is filed.")
    brand = graphene.Field(lambda: taxonomy.Brand, description="Who makes it.")
    variants = ConnectionField(
        lambda: Variant,
        link="product_id",
        trusts_parent=True,
        description="What can be bought of it.",
    )
    media = ConnectionField(
        lambda: Media, link="product_id", trusts_parent=True, description="Its pictures."
    )
    attribute_values = ConnectionField(
        lambda: taxonomy.AttributeValue,
        link="product_links__product_id",
        description="What it is made of, coloured like and so on.",
    )
    collections = ConnectionField(
        lambda: taxonomy.Collection,
        link="items__product_id",
        description="Collections that it is in.",
    )
    rating = ComputedField(
        ProductRating,
        columns=("rating", "rating_count"),
        compute=_rating,
        required=True,
        description="What customers think of it on average.",
    )
    # The same page for everyone: what waits for staff is not in it, not even one's own.
    reviews = ConnectionField(
        lambda: reviews.Review,
        link="product_id",
        rows=lambda context: models.Review.objects.shown(),
        same_for_all=True,
        orderings={"RATING": SortField("rating", "By rating.")},
        order_name="ProductReviewOrder",
        description="What customers wrote about it and staff approved, the newest first.",
    )

    class Meta:
        model = models.Product
        filterset = ProductFilterSet
        orderings = {
            "NAME": SortField("name_key", "By name; numbers in it by value."),
            "PRICE": SortField(
                "price_key", "By lowest price; what has no price counts as dearest."
            ),
            "CREATED": SortField("created_at", "By time of creation."),
            "UPDATED": SortField("updated_at", "By time of the last change."),
            "RATING": SortField("rating", "By rating; what nobody has rated counts as lowest."),
        }
        default_order = ("CREATED", "desc")


class Variant(PublicNode):
    """Variant of a product: one combination of its options, with SKU, price and stock."""

    field_permissions: ClassVar[dict[str, str]] = {
        "stock": VIEW_STOCK,
        "digitalContent": digital.VIEW_CONTENT,
    }

    product = graphene.Field(Product, required=True, description="What it is a variant of.")
    sku = graphene.String(description="Stock keeping unit, unique in the shop.")
    name = graphene.String(
        required=True, description='The chosen options, such as "M / Red"; empty without options.'
    )
    options = graphene.List(
        graphene.NonNull(SelectedOption), required=True, description="The chosen options."
    )
    price = MoneyField("price", description="What it costs; null while it has no price.")
    compare_at = MoneyField(
        "compare_at", description="The former price, always above `price`; null when not reduced."
    )
    weight_grams = graphene.Int(required=True, description="Weight in grams; 0 when not known.")
    requires_shipping = graphene.Boolean(
        required=True,
        description="Whether it is sent as a parcel; false for what is delivered without one, such "
        "as a download.",
    )
    digital_content = RelatedField(
        lambda: digital.DigitalContent,
        column="pk",
        to="variant_id",
        description="Content that customers get once they have paid, if the variant is not shipped"
        "; null where there is none, and for viewers without the permission.",
    )
    barcode = graphene.String(required=True, description="EAN, UPC or the like, or empty.")
    position = graphene.Int(required=True, description="Its place among the variants.")
    media = graphene.Field(
        lambda: Media, name="image", description="The picture that shows this variant."
    )
    availability = AvailabilityField()
    stock = RelatedField(
        lambda: stock.Stock,
        column="pk",
        to="variant_id",
        description="Its stock; null while it is not counted, and for who may not see stock.",
    )
    created_at = graphene.DateTime(required=True, description="When it was created.")
    updated_at = graphene.DateTime(required=True, description="When it last changed.")

    class Meta:
        model = models.Variant
        filterset = VariantFilterSet
        orderings = {
            "POSITION": SortField("position", "In the order that staff chose."),
            "PRICE": SortField("price_key", "By price; what has no price counts as dearest."),
        }
        default_order = ("POSITION", "asc")


def _address(
    request: Any, url: str, file: Any, thumbnails: dict[str, str], size: Any = None
) -> str:
    if not url:
        # Until the thumbnails are drawn, the original stands in.
        name = thumbnails.get(size.value) if size else None
        url = default_storage.url(name or str(file))
    return request.build_absolute_uri(url) if url.startswith("/") else url


class Media(PublicNode):
    """A picture of a product."""

    url = ComputedField(
        graphene.String,
        columns=("url", "file", "thumbnails"),
        compute=_address,
        required=True,
        size=graphene.Argument(
            ThumbnailSize,
            description="How large; the original when left out. Pictures that lie elsewhere come "
            "in one size only.",
        ),
        description="Address of the picture.",
    )
    alt = graphene.String(required=True, description="Alternative text, or empty.")
    width = graphene.Int(description="Width of the original in pixels, when known.")
    height = graphene.Int(description="Height of the original in pixels, when known.")
    position = graphene.Int(required=True, description="Its place among the pictures, from 1.")
    product = graphene.Field(Product, required=True, description="What it shows.")

    class Meta:
        model = models.Media
        filterset = MediaFilterSet
        orderings = {"POSITION": SortField("position", "In the order that staff chose.")}
        default_order = ("POSITION", "asc")
