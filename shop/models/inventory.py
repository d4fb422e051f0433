"""What is in stock, what of it is promised, and how it came to be so."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.deletion import CASCADE, ProtectedError

from shop.models.catalog import Variant
from shop.models.fields import ExactCharField

REFERENCE_LENGTH = 64
LOW_STOCK = 5


class StockQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those who may see stock see it all; others see what can be had, of each variant."""
        return self if user.has_perm("shop.view_stock") else self.none()


class Stock(models.Model):
    """Units of one variant, all warehouses together.

    Attributes:
        on_hand: units in the house; the sum of the movements.
        reserved: units promised to orders, not shipped yet; the sum of what is open of the
            reservations.
        backorder: sell beyond what is in the house.
        available: units that can be promised yet; below zero only on backorder.
        low_at: when so many are available or fewer, staff should know.
    """

    variant = models.OneToOneField(Variant, models.CASCADE, related_name="stock")
    on_hand = models.IntegerField(default=0)
    reserved = models.IntegerField(default=0)
    backorder = models.BooleanField(default=False)
    # Signed: MariaDB refuses a generated column that subtracts an unsigned one.
    low_at = models.IntegerField(default=LOW_STOCK)
    available = models.GeneratedField(
        expression=F("on_hand") - F("reserved"), output_field=models.IntegerField(), db_persist=True
    )
    # At or below zero it is low.
    above_low = models.GeneratedField(
        expression=F("on_hand") - F("reserved") - F("low_at"),
        output_field=models.IntegerField(),
        db_persist=True,
    )

    objects = StockQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "stock"
        constraints = (
            models.CheckConstraint(condition=Q(reserved__gte=0), name="stock_reserved_positive"),
            models.CheckConstraint(condition=Q(low_at__gte=0), name="stock_low_at_not_negative"),
            models.CheckConstraint(
                condition=Q(backorder=True) | Q(reserved__lte=F("on_hand")),
                name="stock_not_oversold",
            ),
        )
        indexes = (
            models.Index(fields=["available", "id"], name="stock_by_available"),
            models.Index(fields=["above_low", "id"], name="stock_low"),
        )

    def __str__(self) -> str:
        return f"{self.on_hand} on hand, {self.reserved} reserved"


def protect_open(collector: Any, field: Any, rows: models.QuerySet, using: str) -> None:
    """As CASCADE; but what is still promised to somebody is not deleted.

    Raises:
        ProtectedError: a reservation is open.
    """
    open_: Any = {row for row in rows if row.state in OPEN_STATES}
    if open_:
        raise ProtectedError("It is promised to orders that were not shipped yet.", open_)
    CASCADE(collector, field, rows, using)


class ReservationState(models.TextChoices):
    """What became of a promise."""

    HELD = "held", "held until it expires"
    COMMITTED = "committed", "promised to a confirmed order"
    SHIPPED = "shipped", "shipped, or what was not was released"
    RELEASED = "released", "released"


# Those whose units count as reserved.
OPEN_STATES = (ReservationState.HELD, ReservationState.COMMITTED)


class Reservation(models.Model):
    """Units promised to one order.

    Attributes:
        reference: to whom, such as "order:12"; one for each variant.
        quantity: units promised at first.
        shipped, released: of these, units that went out, and units that are promised no more.
        expires_at: of those that are held: when they are released unless they are committed.
    """

    stock = models.ForeignKey(Stock, protect_open, related_name="reservations")
    reference = ExactCharField(max_length=REFERENCE_LENGTH)
    quantity = models.PositiveIntegerField()
    shipped = models.PositiveIntegerField(default=0)
    released = models.PositiveIntegerField(default=0)
    state = ExactCharField(max_length=10, choices=ReservationState, default=ReservationState.HELD)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["reference", "stock"], name="reservation_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_of_something"),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("shipped") + F("released")),
                name="reservation_not_exceeded",
            ),
        )
        indexes = (models.Index(fields=["state", "expires_at"], name="reservation_by_expiry"),)

    def __str__(self) -> str:
        return f"{self.quantity} for {self.reference}"


class MovementReason(models.TextChoices):
    """Why units came or went."""

    OPENING = "opening", "first count"
    ADJUSTED = "adjusted", "adjusted by staff"
    COUNTED = "counted", "counted by staff"
    IMPORTED = "imported", "import"
    RECEIVED = "received", "received from a supplier"
    DAMAGED = "damaged", "damaged or lost"
    SHIPPED = "shipped", "shipped to a customer"
    UNSHIPPED = "unshipped", "shipment cancelled"
    RETURNED = "returned", "returned by a customer"


class StockMovementQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        return self if user.has_perm("shop.view_stockmovement") else self.none()


class StockMovement(models.Model):
    """Units that came or went: a ledger, to which rows are only added.

    Attributes:
        delta: units; those of a stock add up to what is on hand.
        reference: by what, such as "order:12" or "job:3"; or empty.
        note: what staff wrote about it.
        on_hand: units after it.
    """

    stock = models.ForeignKey(Stock, models.CASCADE, related_name="movements")
    delta = models.IntegerField()
    on_hand = models.IntegerField()
    reason = ExactCharField(max_length=10, choices=MovementReason)
    reference = ExactCharField(max_length=REFERENCE_LENGTH, default="", blank=True)
    note = models.CharField(max_length=500, default="", blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StockMovementQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["stock", "created_at", "id"], name="movement_by_time"),
            models.Index(fields=["created_at", "id"], name="movement_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.delta:+d} {self.reason}"
