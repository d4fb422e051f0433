"""Former slugs: the addresses that objects of the catalog had, and that still lead to them."""

from typing import Any

from django.db import models
from django.db.models.functions import Coalesce

from shop.models.catalog import SLUG_LENGTH, Attribute, Brand, Category, Collection, Product
from shop.models.fields import ExactCharField


class FormerSlug(models.Model):
    """A slug that an object had before. It leads to its `owner`, and is deleted with it.

    No other object of the type takes it. `shop.actions.catalog.slugs` writes these rows.
    """

    slug = ExactCharField(max_length=SLUG_LENGTH, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        # The permissions are those of the owner.
        default_permissions = ()

    def __str__(self) -> str:
        return self.slug


class ProductFormerSlug(FormerSlug):
    """A slug that a product had before."""

    owner = models.ForeignKey(Product, models.CASCADE, related_name="former_slugs")


class CategoryFormerSlug(FormerSlug):
    """A slug that a category had before."""

    owner = models.ForeignKey(Category, models.CASCADE, related_name="former_slugs")


class BrandFormerSlug(FormerSlug):
    """A slug that a brand had before."""

    owner = models.ForeignKey(Brand, models.CASCADE, related_name="former_slugs")


class AttributeFormerSlug(FormerSlug):
    """A slug that an attribute had before."""

    owner = models.ForeignKey(Attribute, models.CASCADE, related_name="former_slugs")


class CollectionFormerSlug(FormerSlug):
    """A slug that a collection had before."""

    owner = models.ForeignKey(Collection, models.CASCADE, related_name="former_slugs")


FORMER_SLUGS: dict[type[models.Model], type[FormerSlug]] = {
    Attribute: AttributeFormerSlug,
    Brand: BrandFormerSlug,
    Category: CategoryFormerSlug,
    Collection: CollectionFormerSlug,
    Product: ProductFormerSlug,
}


def key_by_slug(model: type[models.Model], slug: Any) -> Coalesce:
    """Returns an expression: the key of the row that has this slug or, without one, had it."""
    former: Any = FORMER_SLUGS[model]
    return Coalesce(
        models.Subquery(model._default_manager.filter(slug=slug).values("pk")),
        models.Subquery(former.objects.filter(slug=slug).values("owner")),
    )
