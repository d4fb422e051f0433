"""What makes an order cheaper: vouchers, and discounts that apply by themselves."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from shop.models.catalog import shop_currency
from shop.models.fields import ExactCharField
from shop.models.shipping import SetUpQuerySet

CODE_LENGTH = 64


class VoucherKind(models.TextChoices):
    """What a voucher takes off."""

    PERCENT = "percent", "a percentage of the goods"
    FIXED = "fixed", "an amount off the goods"
    FREE_SHIPPING = "free_shipping", "the shipping"


class Voucher(models.Model):
    """A code that makes an order cheaper.

    Attributes:
        code: in capitals, as it is compared.
        value: basis points of a percentage, minor units of an amount, nothing of free shipping.
        minimum_subtotal: minor units; what the goods must come to before discounts.
        starts_at, ends_at: it holds from the first and before the second.
        usage_limit, customer_limit: orders with it, of everybody and of one customer.
        used: orders that have it now; cancelled and expired ones give it back.
    """

    code = ExactCharField(max_length=CODE_LENGTH, unique=True)
    kind = ExactCharField(max_length=14, choices=VoucherKind)
    value = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, default=shop_currency, editable=False)
    minimum_subtotal = models.BigIntegerField(default=0, help_text="Minor units.")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    usage_limit = models.PositiveIntegerField(null=True, blank=True)
    customer_limit = models.PositiveIntegerField(null=True, blank=True)
    used = models.PositiveIntegerField(default=0, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SetUpQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(usage_limit__isnull=True) | Q(used__lte=F("usage_limit")),
                name="voucher_not_overused",
            ),
            models.CheckConstraint(
                condition=Q(value__gte=0, minimum_subtotal__gte=0)
                & (~Q(kind=VoucherKind.PERCENT) | Q(value__lte=10_000)),
                name="voucher_value_in_range",
            ),
        )
        indexes = (models.Index(fields=["created_at", "id"], name="voucher_by_age"),)

    def __str__(self) -> str:
        return self.code


class AutomaticDiscount(models.Model):
    """A percentage off the goods of every order from a threshold on.

    Attributes:
        basis_points: 1000 is 10 %.
        minimum_subtotal: minor units of `currency`; what the goods must come to.
        starts_at, ends_at: as a voucher's.
    """

    name = models.CharField(max_length=200)
    basis_points = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default=shop_currency, editable=False)
    minimum_subtotal = models.BigIntegerField(default=0, help_text="Minor units.")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SetUpQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(basis_points__lte=10_000, minimum_subtotal__gte=0),
                name="discount_in_range",
            ),
        )
        indexes = (models.Index(fields=["created_at", "id"], name="discount_by_age"),)

    def __str__(self) -> str:
        return self.name
