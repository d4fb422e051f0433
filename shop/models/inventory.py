"""What is in stock. Reservations and the movements ledger come with selling."""

from django.db import models
from django.db.models import F, Q

from shop.models.catalog import Variant


class Stock(models.Model):
    """Units of one variant, all warehouses together.

    Attributes:
        on_hand: units in the house.
        reserved: units promised to carts and orders, not shipped yet.
        backorder: sell beyond what is in the house.
    """

    variant = models.OneToOneField(Variant, models.CASCADE, related_name="stock")
    on_hand = models.IntegerField(default=0)
    reserved = models.IntegerField(default=0)
    backorder = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "stock"
        constraints = (
            models.CheckConstraint(condition=Q(reserved__gte=0), name="stock_reserved_positive"),
            models.CheckConstraint(
                condition=Q(backorder=True) | Q(reserved__lte=F("on_hand")),
                name="stock_not_oversold",
            ),
        )

    def __str__(self) -> str:
        return f"{self.on_hand} on hand, {self.reserved} reserved"
