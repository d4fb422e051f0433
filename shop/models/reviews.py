"""What customers think of products, and what they would like to have."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from shop.models.catalog import NAME_LENGTH, Product, ProductStatus, Variant
from shop.models.fields import ExactCharField


class ReviewStatus(models.TextChoices):
    """Whether a review is shown."""

    PENDING = "pending", "waits for staff"
    APPROVED = "approved", "shown"
    REJECTED = "rejected", "not shown"


class ReviewQuerySet(models.QuerySet):
    def shown(self) -> Self:
        """What staff approved: it stands with its product, and counts in the product's rating."""
        return self.filter(status=ReviewStatus.APPROVED)

    def visible_to(self, user: Any) -> Self:
        """All for staff who may view reviews; for everyone else their own, and what is shown of
        products that are on sale.
        """
        if user.has_perm("shop.view_review"):
            return self
        shown = Q(
            status=ReviewStatus.APPROVED,
            product__status=ProductStatus.PUBLISHED,
            product__published_at__lte=Now(),
        )
        return self.filter(shown | Q(user=user.pk)) if user.pk else self.filter(shown)


class Review(models.Model):
    """What a customer thinks of a product.

    Attributes:
        rating: 1 to 5.
        title, body, author: plain text, as long as below at most; the author is the name that is
            shown.
        is_verified: they had bought it when they wrote.
        updated_at: when they last wrote it, whatever staff decided since.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reviews")
    product = models.ForeignKey(Product, models.CASCADE, related_name="reviews")
    rating = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    body = models.TextField(blank=True, default="")
    author = models.CharField(max_length=100, blank=True, default="")
    status = ExactCharField(max_length=10, choices=ReviewStatus, default=ReviewStatus.PENDING)
    is_verified = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "product"], name="review_once"),
            models.CheckConstraint(
                condition=Q(rating__gte=1, rating__lte=5), name="review_rating_in_range"
            ),
        )
        indexes = (
            models.Index(
                fields=["product", "status", "created_at", "id"], name="review_of_product"
            ),
            models.Index(fields=["product", "rating", "id"], name="review_by_rating"),
            models.Index(fields=["status", "created_at", "id"], name="review_by_status"),
            models.Index(fields=["created_at", "id"], name="review_by_age"),
        )

    def __str__(self) -> str:
        # Not its title: logs keep this, also when what the customer wrote is erased.
        return f"{'★' * self.rating} for {self.product}"


class WishlistItemQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """One's own, for everyone."""
        return self.filter(user=user.pk) if user.pk else self.none()


class WishlistItem(models.Model):
    """A variant that somebody would like to have."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="wishlist")
    variant = models.ForeignKey(Variant, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WishlistItemQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "variant"], name="wishlist_once"),)
        indexes = (models.Index(fields=["user", "created_at", "id"], name="wishlist_by_age"),)

    def __str__(self) -> str:
        return f"Variant {self.variant_id} for user {self.user_id}"
