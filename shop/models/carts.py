"""What shoppers are about to buy."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from shop.models.catalog import Variant, shop_currency
from shop.models.customers import EMAIL_LENGTH
from shop.models.fields import ExactCharField
from shop.models.promotions import Voucher
from shop.models.shipping import ShippingRate

# Stored notices of one cart.
NOTICES = 500


def stored_notice(code: StoredNotice, name: str, quantity: int) -> dict[str, Any]:
    """A notice as Cart.stored_notices holds it; `quantity` units were removed or left out."""
    return {"code": code.value, "name": name, "quantity": quantity}


class CartStatus(models.TextChoices):
    """What became of a cart."""

    ACTIVE = "active", "active"
    ORDERED = "ordered", "ordered"
    MERGED = "merged", "merged into another"


class StoredNotice(models.TextChoices):
    """Reason why a line, or a part of one, left a cart."""

    LINE_REMOVED = "LINE_REMOVED", "deleted from the shop"
    MERGE_REDUCED = "MERGE_REDUCED", "fewer units were merged"
    MERGE_DROPPED = "MERGE_DROPPED", "not merged"
    REORDER_REDUCED = "REORDER_REDUCED", "fewer units were ordered again"
    REORDER_OUT_OF_STOCK = "REORDER_OUT_OF_STOCK", "out of stock, not ordered again"
    REORDER_UNAVAILABLE = "REORDER_UNAVAILABLE", "no longer sold, not ordered again"


class CartQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Everyone's for staff who may view carts, one's own for everyone else."""
        if user.has_perm("shop.view_cart"):
            return self
        return self.filter(user=user.pk) if user.pk else self.none()


class Cart(models.Model):
    """What one shopper is about to buy.

    Attributes:
        digest: SHA-256 of the token by which somebody without an account opens it.
        user: the account that owns it; null for guests, and where staff order for somebody else.
        active_key: the user's key in their one active cart; null elsewhere. A plain unique column,
            because MariaDB has no conditional ones.
        version: changes with every change of the cart.
        shipping_address, billing_address: parts by name as in Address; null while there is none.
        shipping_rate: the one that was chosen; null takes the cheapest.
        stored_notices: what happened to lines that are gone, until the shopper dismisses it: dicts
            with code, name and quantity.
        reminder: whether they want to be reminded of it by mail, should they leave it.
        reminded_at: when that was done.
    """

    digest = ExactCharField(max_length=64, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="carts"
    )
    active_key = models.BigIntegerField(null=True, unique=True, editable=False)
    status = ExactCharField(max_length=8, choices=CartStatus, default=CartStatus.ACTIVE)
    version = models.PositiveIntegerField(default=1)
    currency = models.CharField(max_length=3, default=shop_currency, editable=False)
    email = models.EmailField(max_length=EMAIL_LENGTH, blank=True, default="")
    shipping_address = models.JSONField(null=True)
    billing_address = models.JSONField(null=True)
    shipping_rate = models.ForeignKey(ShippingRate, models.SET_NULL, null=True, related_name="+")
    voucher = models.ForeignKey(Voucher, models.SET_NULL, null=True, related_name="+")
    stored_notices = models.JSONField(default=list, db_default=[], editable=False)
    reminder = models.BooleanField(default=False)
    reminded_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CartQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["status", "updated_at", "id"], name="cart_by_use"),
            models.Index(fields=["updated_at", "id"], name="cart_by_change"),
            models.Index(fields=["user", "updated_at", "id"], name="cart_by_user"),
        )

    def __str__(self) -> str:
        return f"Cart {self.pk}"

    def add_notices(self, *notices: dict[str, Any]) -> None:
        """Adds to the stored notices, without saving; drops the oldest beyond NOTICES."""
        self.stored_notices = [*self.stored_notices, *notices][-NOTICES:]


class CartLineQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        if user.has_perm("shop.view_cart"):
            return self
        return self.filter(cart__user=user.pk) if user.pk else self.none()


class CartLine(models.Model):
    """So many of one variant.

    Attributes:
        seen_price: minor units; the price when the shopper last changed the line, or that of the
            order that it was added from.
    """

    cart = models.ForeignKey(Cart, models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()
    seen_price = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CartLineQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["cart", "variant"], name="cart_variant_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="cart_line_of_something"),
        )
        indexes = (models.Index(fields=["cart", "id"], name="cart_in_order"),)

    def __str__(self) -> str:
        return f"{self.quantity} of variant {self.variant_id}"
