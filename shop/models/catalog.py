"""The catalog: what the shop offers. Categories, brands, attributes, products, variants, media."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from shop.models.fields import ExactCharField, PathRelation, SortKeyField, VerbatimCharField
from shop.money import MAX_MINOR_UNITS
from shop.text import sort_key

NAME_LENGTH = 400
SLUG_LENGTH = 255
BARCODE_LENGTH = 64
SKU_LENGTH = 255
TAX_CATEGORY_LENGTH = 32
# In `price_key`, where nothing is null: above every price.
NO_PRICE = 2**62


def shop_currency() -> str:
    return settings.SHOP_CURRENCY


class Named(models.Model):
    """Something with a name, sorted by it."""

    name = models.CharField(max_length=NAME_LENGTH)
    name_key = SortKeyField()
    slug = ExactCharField(max_length=SLUG_LENGTH, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = sort_key(self.name)
        fields = kwargs.get("update_fields")
        if fields is not None and "name" in fields:
            kwargs["update_fields"] = {*fields, "name_key"}
        super().save(*args, **kwargs)


class VisibleToAll(models.QuerySet):
    """Rows with nothing to hide."""

    def visible_to(self, user: Any) -> Self:
        return self


class CategoryQuerySet(VisibleToAll):
    def subtree_of(self, category: Category) -> Self:
        """`category` and everything below it."""
        return self.filter(ancestors=category.pk)


class Category(Named):
    """A node of the category tree.

    `path` is the materialised path: one fixed-width base-36 step per ancestor and for itself, so
    that a prefix range is a subtree. Only `shop.actions.catalog.categories` writes it.
    """

    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    description = models.TextField(blank=True, default="")
    position = models.IntegerField(default=0)
    path = ExactCharField(max_length=240, unique=True, editable=False)
    depth = models.PositiveSmallIntegerField(default=0, editable=False)
    # Both include the category itself.
    ancestors = PathRelation()
    descendants = PathRelation(to_descendants=True)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "categories"
        indexes = (
            models.Index(fields=["name_key", "id"], name="category_by_name"),
            models.Index(fields=["position", "id"], name="category_by_position"),
            models.Index(fields=["parent", "position", "id"], name="category_children"),
        )


class Brand(Named):
    """Who makes a product."""

    description = models.TextField(blank=True, default="")

    objects = VisibleToAll.as_manager()

    class Meta:
        indexes = (models.Index(fields=["name_key", "id"], name="brand_by_name"),)


class Attribute(Named):
    """A property that products share and shoppers filter by: material, colour."""

    filterable = models.BooleanField(default=True)

    objects = VisibleToAll.as_manager()

    class Meta:
        indexes = (models.Index(fields=["name_key", "id"], name="attribute_by_name"),)


class AttributeValue(models.Model):
    """One value of an attribute: wool, red."""

    attribute = models.ForeignKey(Attribute, models.CASCADE, related_name="values")
    name = models.CharField(max_length=NAME_LENGTH)
    name_key = SortKeyField()
    slug = ExactCharField(max_length=SLUG_LENGTH)

    objects = VisibleToAll.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["attribute", "slug"], name="attribute_value_slug"),
        )
        indexes = (models.Index(fields=["attribute", "name_key", "id"], name="value_by_name"),)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = sort_key(self.name)
        super().save(*args, **kwargs)


class ProductStatus(models.TextChoices):
    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class ProductQuerySet(models.QuerySet):
    def published(self) -> Self:
        """On sale now; the clock is the database's."""
        return self.filter(status=ProductStatus.PUBLISHED, published_at__lte=Now())

    def visible_to(self, user: Any) -> Self:
        """Everything for staff, what is published for everyone else."""
        return self if user.is_staff else self.published()


class Product(Named):
    """Something the shop sells, in one or more variants.

    `min_price`, `max_price`, `options` and `search_text` are derived from the variants and kept by
    `shop.actions.catalog.derived.refresh` in the transaction that changes them; the ratings are
    kept by `shop.actions.reviews`.

    Attributes:
        tax_category: by which tax rates find it; empty for the standard rate.
    """

    description = models.TextField(blank=True, default="", help_text="Sanitised HTML.")
    brand = models.ForeignKey(Brand, models.PROTECT, null=True, blank=True, related_name="products")
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="products"
    )
    status = models.CharField(
        max_length=10, choices=ProductStatus.choices, default=ProductStatus.DRAFT
    )
    published_at = models.DateTimeField(null=True, blank=True)
    seo_title = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    seo_description = models.TextField(blank=True, default="")
    currency = models.CharField(max_length=3, default=shop_currency, editable=False)
    min_price = models.BigIntegerField(null=True, editable=False, help_text="Minor units.")
    max_price = models.BigIntegerField(null=True, editable=False, help_text="Minor units.")
    # Keyset orderings need a column that is never null: what has no price sorts as dearest.
    price_key = models.GeneratedField(
        expression=Coalesce("min_price", NO_PRICE),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    options = models.JSONField(default=list, blank=True, editable=False)
    search_text = models.TextField(default="", editable=False)
    tax_category = ExactCharField(max_length=TAX_CATEGORY_LENGTH, blank=True, default="")
    rating_sum = models.PositiveIntegerField(default=0, editable=False)
    rating_count = models.PositiveIntegerField(default=0, editable=False)
    # Hundredths of a star, rounded; 0 while nobody has rated it.
    rating = models.PositiveSmallIntegerField(default=0, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    attribute_values = models.ManyToManyField(
        AttributeValue, through="ProductAttribute", related_name="products"
    )

    objects = ProductQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=ProductStatus.values), name="product_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=ProductStatus.PUBLISHED) | Q(published_at__isnull=False),
                name="product_published_has_date",
            ),
        )
        indexes = (
            models.Index(fields=["name_key", "id"], name="product_by_name"),
            models.Index(fields=["price_key", "id"], name="product_by_price"),
            models.Index(fields=["created_at", "id"], name="product_by_created"),
            models.Index(fields=["updated_at", "id"], name="product_by_updated"),
            models.Index(fields=["rating", "id"], name="product_by_rating"),
            # Answers hold until the next publication.
            models.Index(fields=["published_at"], name="product_by_publication"),
        )

    @property
    def is_published(self) -> bool:
        return self.status == ProductStatus.PUBLISHED


class ProductAttribute(models.Model):
    """A product has an attribute value."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="attribute_links")
    value = models.ForeignKey(AttributeValue, models.CASCADE, related_name="product_links")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["product", "value"], name="product_attribute_once"),
        )
        # Facets and attribute filters ask from the value's side.
        indexes = (models.Index(fields=["value", "product"], name="product_attribute_facet"),)

    def __str__(self) -> str:
        return f"{self.product_id}/{self.value_id}"


class VariantQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        if user.is_staff:
            return self
        return self.filter(
            product__status=ProductStatus.PUBLISHED, product__published_at__lte=Now()
        )


class Variant(models.Model):
    """Variant of a product: one combination of its options, with SKU, price and stock.

    Attributes:
        requires_shipping: false for what is delivered without a parcel, such as a download.
    """

    product = models.ForeignKey(Product, models.CASCADE, related_name="variants")
    sku = VerbatimCharField(max_length=SKU_LENGTH, unique=True, null=True, blank=True)
    name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    # [{"name": "Size", "value": "M"}, ...] in the order of the product's options.
    options = models.JSONField(default=list, blank=True)
    # Digest of the options, whatever their case: uniqueness that every engine enforces.
    options_key = ExactCharField(max_length=32, editable=False)
    position = models.IntegerField(default=0)
    currency = models.CharField(max_length=3, default=shop_currency, editable=False)
    price = models.BigIntegerField(null=True, blank=True, help_text="Minor units.")
    compare_at = models.BigIntegerField(null=True, blank=True, help_text="Minor units.")
    price_key = models.GeneratedField(
        expression=Coalesce("price", NO_PRICE),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    weight_grams = models.PositiveIntegerField(default=0)
    requires_shipping = models.BooleanField(default=True, db_default=True)
    barcode = models.CharField(max_length=BARCODE_LENGTH, blank=True, default="")
    media = models.ForeignKey(
        "Media", models.SET_NULL, null=True, blank=True, related_name="variants"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VariantQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["product", "options_key"], name="variant_options_once"),
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gte=0, price__lte=MAX_MINOR_UNITS),
                name="variant_price_in_range",
            ),
            models.CheckConstraint(
                condition=Q(compare_at__isnull=True)
                | Q(price__isnull=False, compare_at__gt=F("price")),
                name="variant_compare_at_above_price",
            ),
        )
        indexes = (
            models.Index(fields=["product", "position", "id"], name="variant_by_position"),
            models.Index(fields=["product", "price_key", "id"], name="variant_by_price"),
        )

    def __str__(self) -> str:
        return self.sku or self.name or f"Variant {self.pk}"


class DigitalKind(models.TextChoices):
    """Form of digital content."""

    LINK = "link", "link"
    TEXT = "text", "text"


class DigitalContentQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Returns all rows for staff with the permission, and none for anyone else."""
        return self if user.has_perm("shop.view_digitalcontent") else self.none()


class DigitalContent(models.Model):
    """Content that customers get of a variant that is not shipped, once they have paid.

    Attributes:
        content: an http or https address, or a text such as a licence key.
    """

    variant = models.OneToOneField(Variant, models.CASCADE, related_name="digital_content")
    kind = ExactCharField(max_length=8, choices=DigitalKind)
    content = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DigitalContentQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} of variant {self.variant_id}"


class ThumbnailSize(models.TextChoices):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class MediaQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        if user.is_staff:
            return self
        return self.filter(
            product__status=ProductStatus.PUBLISHED, product__published_at__lte=Now()
        )


class Media(models.Model):
    """A picture of a product: an uploaded file, or the address of one that lies elsewhere."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="media")
    position = models.PositiveIntegerField()
    alt = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    url = models.CharField(max_length=2000, blank=True, default="")
    file = models.FileField(max_length=255, blank=True, default="")
    width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    height = models.PositiveIntegerField(null=True, blank=True, editable=False)
    # {"small": "media/ab/….webp", ...}: storage names, written by the thumbnail task.
    thumbnails = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MediaQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "media"
        constraints = (
            models.UniqueConstraint(fields=["product", "position"], name="media_position_once"),
            models.CheckConstraint(
                condition=(Q(url="") & ~Q(file="")) | (~Q(url="") & Q(file="")),
                name="media_file_or_url",
            ),
        )

    def __str__(self) -> str:
        return self.alt or self.url or str(self.file)


class Collection(Named):
    """Products chosen by hand for one occasion, in an order of their own."""

    description = models.TextField(blank=True, default="")
    products = models.ManyToManyField(Product, through="CollectionItem", related_name="collections")

    objects = VisibleToAll.as_manager()

    class Meta:
        indexes = (models.Index(fields=["name_key", "id"], name="collection_by_name"),)


class CollectionItem(models.Model):
    """A product's place in a collection."""

    collection = models.ForeignKey(Collection, models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, models.CASCADE, related_name="collection_items")
    position = models.IntegerField(default=0, validators=[MinValueValidator(0)])

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["collection", "product"], name="collection_product_once"
            ),
        )
        indexes = (
            models.Index(fields=["collection", "position", "id"], name="collection_in_order"),
        )

    def __str__(self) -> str:
        return f"{self.collection_id}/{self.product_id}"
