"""Where the shop sends things, at which price, and which taxes are due there."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import F, Q

from shop.models.catalog import TAX_CATEGORY_LENGTH, shop_currency
from shop.models.fields import ExactCharField
from shop.money import MAX_MINOR_UNITS

# Stands for every country that no zone names.
REST_OF_WORLD = ""


class SetUpQuerySet(models.QuerySet):
    """What staff set up: zones, rates, taxes, discounts."""

    def visible_to(self, user: Any) -> Self:
        name = self.model._meta.model_name
        return self if user.has_perm(f"shop.view_{name}") else self.none()


class ShippingZone(models.Model):
    """Countries that share their shipping rates; which they are, `ZoneCountry` says."""

    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SetUpQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["created_at", "id"], name="zone_by_age"),)

    def __str__(self) -> str:
        return self.name


class ZoneCountry(models.Model):
    """A country belongs to a zone, and to no other: a row of its own, so that the key says so.

    Attributes:
        country: ISO 3166-1 alpha-2, or REST_OF_WORLD for every country without a row.
    """

    zone = models.ForeignKey(ShippingZone, models.CASCADE, related_name="places")
    country = ExactCharField(max_length=2, unique=True, blank=True)

    def __str__(self) -> str:
        return self.country or "Rest of the world"


class ShippingRateQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """All for those who may see them; what is on offer for everyone else."""
        return self if user.has_perm("shop.view_shippingrate") else self.filter(is_active=True)


class ShippingRate(models.Model):
    """A way to send things to a zone, at one price, within bounds that belong to the range.

    Attributes:
        description: what shoppers should know, such as how long it takes.
        price, min_total, max_total: minor units of `currency`; the totals before discounts.
        min_weight, max_weight: grams, of all goods together.
        position: its place among the rates of the zone.
    """

    zone = models.ForeignKey(ShippingZone, models.CASCADE, related_name="rates")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True, default="")
    currency = models.CharField(max_length=3, default=shop_currency, editable=False)
    price = models.BigIntegerField(help_text="Minor units.")
    min_weight = models.PositiveIntegerField(default=0, help_text="Grams.")
    max_weight = models.PositiveIntegerField(null=True, blank=True, help_text="Grams.")
    min_total = models.BigIntegerField(default=0, help_text="Minor units.")
    max_total = models.BigIntegerField(null=True, blank=True, help_text="Minor units.")
    position = models.IntegerField(default=0)
    is_active = models.BooleanField(default=True)

    objects = ShippingRateQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(price__gte=0, price__lte=MAX_MINOR_UNITS),
                name="rate_price_in_range",
            ),
            models.CheckConstraint(
                condition=Q(min_total__gte=0)
                & (Q(max_total__isnull=True) | Q(max_total__gte=F("min_total")))
                & (Q(max_weight__isnull=True) | Q(max_weight__gte=F("min_weight"))),
                name="rate_bounds_in_order",
            ),
        )
        indexes = (models.Index(fields=["zone", "position", "id"], name="rate_by_position"),)

    def __str__(self) -> str:
        return self.name


class TaxRate(models.Model):
    """The tax on one category of goods in one country or region.

    Attributes:
        country: ISO 3166-1 alpha-2.
        region: the code of a part of the country as in addresses, or empty for all of it.
        category: of products, "shipping", or empty for whatever has no rate of its own.
        basis_points: 1900 is 19 %.
        name: what it is called on bills, such as "VAT".
    """

    country = ExactCharField(max_length=2)
    region = ExactCharField(max_length=100, blank=True, default="")
    category = ExactCharField(max_length=TAX_CATEGORY_LENGTH, blank=True, default="")
    basis_points = models.PositiveIntegerField()
    name = models.CharField(max_length=100, blank=True, default="")

    objects = SetUpQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["country", "region", "category"], name="tax_rate_once"),
            models.CheckConstraint(
                condition=Q(basis_points__lte=10_000), name="tax_rate_at_most_whole"
            ),
        )

    def __str__(self) -> str:
        place = f"{self.country}-{self.region}" if self.region else self.country
        return f"{self.name or 'Tax'} {place} {self.category}".strip()
