"""What was bought: snapshots, which later changes of the catalog leave alone."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from shop.models.carts import Cart
from shop.models.catalog import NAME_LENGTH, SKU_LENGTH, DigitalKind, Variant
from shop.models.customers import EMAIL_LENGTH
from shop.models.fields import ExactCharField
from shop.models.promotions import Voucher

NUMBER_LENGTH = 20


class OrderStatus(models.TextChoices):
    """How far an order has come."""

    PENDING = "pending", "waits for its payment"
    CONFIRMED = "confirmed", "confirmed"
    COMPLETED = "completed", "completed"
    CANCELLED = "cancelled", "cancelled"
    EXPIRED = "expired", "expired unpaid"


class FulfillmentStatus(models.TextChoices):
    """How much of an order was shipped."""

    # Stored as "none": its name in the API was NONE, which clashes with Swift's Optional.none.
    UNFULFILLED = "none", "unfulfilled"
    PARTIAL = "partial", "partly shipped"
    FULL = "full", "shipped"
    RETURNED = "returned", "returned"
    CANCELLED = "cancelled", "nothing to ship"
    AWAITING_DELIVERY = "awaiting", "awaiting delivery"


class DeliveryStatus(models.TextChoices):
    """Delivery of the lines of an order that are not shipped."""

    NOT_NEEDED = "", "not needed"
    PENDING = "pending", "pending"
    DELIVERED = "delivered", "delivered"


class PaymentStatus(models.TextChoices):
    """Where the money of an order is."""

    PENDING = "pending", "not paid yet"
    AUTHORIZED = "authorized", "promised"
    PARTIALLY_PAID = "partially_paid", "partially paid"
    PAID = "paid", "paid"
    PARTIALLY_REFUNDED = "partially_refunded", "partly refunded"
    REFUNDED = "refunded", "refunded"
    VOIDED = "voided", "given up"
    FAILED = "failed", "failed"


class OrderQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Everyone's for staff who may view orders, one's own for everyone else."""
        if user.has_perm("shop.view_order"):
            return self
        return self.filter(user=user.pk) if user.pk else self.none()


class Order(models.Model):
    """What somebody bought.

    Attributes:
        number: how people call it; it tells neither how many there are nor which one is next.
        digest: SHA-256 of the token by which somebody without an account sees it.
        token_version: number of times that the token was replaced by another one.
        cart: what it was made of; one cart makes one order.
        subtotal, discount, shipping, tax, total: minor units of `currency`. The discount is that of
            goods and shipping; the tax is within the total in any case.
        tax_included: total = subtotal - discount + shipping; else the tax comes on top.
        shipping_address, billing_address: parts by name as in Address; the latter null when it is
            the same. The former is empty where nothing is shipped.
        shipping_name: of the rate that was chosen; empty without shipping.
        shipping_tax_rule: `ShippingTax` by which the postage was taxed; empty for orders from
            before there was a choice.
        shipping_taxes: what was paid for the postage by tax rate: dicts with rate (basis points, or
            null where it is not known), total and tax (minor units; the tax is within the total).
            They come to the order's total and tax without those of the lines.
        discounts: what made it cheaper: dicts with name, code and amount (minor units).
        requires_shipping: whether a line of it is shipped.
        delivery: whether lines that are not shipped were delivered.
        note: what the customer wrote.
        fulfillment_status, payment_status: derived from lines and payments, kept by actions.
        expires_at: of those that are pending.
        forget_at: until when, at most, one of an erased account keeps what it takes to deliver it;
            null for all others.
    """

    number = ExactCharField(max_length=NUMBER_LENGTH, unique=True)
    digest = ExactCharField(max_length=64, unique=True)
    token_version = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    cart = models.OneToOneField(Cart, models.SET_NULL, null=True, related_name="order")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="orders"
    )
    email = models.CharField(max_length=EMAIL_LENGTH)
    email_key = ExactCharField(max_length=EMAIL_LENGTH)
    status = ExactCharField(max_length=10, choices=OrderStatus, default=OrderStatus.PENDING)
    fulfillment_status = ExactCharField(
        max_length=10, choices=FulfillmentStatus, default=FulfillmentStatus.UNFULFILLED
    )
    payment_status = ExactCharField(
        max_length=20, choices=PaymentStatus, default=PaymentStatus.PENDING
    )
    currency = models.CharField(max_length=3)
    tax_included = models.BooleanField()
    subtotal = models.BigIntegerField()
    discount = models.BigIntegerField()
    shipping = models.BigIntegerField()
    tax = models.BigIntegerField()
    total = models.BigIntegerField()
    shipping_address = models.JSONField()
    billing_address = models.JSONField(null=True)
    shipping_name = models.CharField(max_length=200, blank=True, default="")
    shipping_tax_rule = ExactCharField(max_length=12, blank=True, default="", db_default="")
    shipping_taxes = models.JSONField(default=list, db_default=[])
    discounts = models.JSONField(default=list)
    requires_shipping = models.BooleanField(default=True, db_default=True)
    delivery = ExactCharField(
        max_length=10,
        choices=DeliveryStatus,
        blank=True,
        default=DeliveryStatus.NOT_NEEDED,
        db_default="",
    )
    note = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    forget_at = models.DateTimeField(null=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(tax_included=True, total=F("subtotal") - F("discount") + F("shipping"))
                | Q(
                    tax_included=False,
                    total=F("subtotal") - F("discount") + F("shipping") + F("tax"),
                ),
                name="order_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    subtotal__gte=0, discount__gte=0, shipping__gte=0, tax__gte=0, total__gte=0
                ),
                name="order_not_negative",
            ),
        )
        indexes = (
            models.Index(fields=["created_at", "id"], name="order_by_age"),
            models.Index(fields=["total", "id"], name="order_by_total"),
            models.Index(fields=["user", "created_at", "id"], name="order_by_user"),
            models.Index(fields=["status", "created_at", "id"], name="order_by_status"),
            models.Index(fields=["status", "expires_at"], name="order_by_expiry"),
            models.Index(fields=["email_key", "created_at", "id"], name="order_by_email"),
            models.Index(fields=["forget_at"], name="order_to_forget"),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def reference(self) -> str:
        """By which reservations and movements name it."""
        return f"order:{self.pk}"


class OwnOrderQuerySet(models.QuerySet):
    """Rows that belong to an order."""

    def visible_to(self, user: Any) -> Self:
        if user.has_perm("shop.view_order"):
            return self
        return self.filter(order__user=user.pk) if user.pk else self.none()


class OwnLineQuerySet(models.QuerySet):
    """Rows that belong to a line of an order."""

    def visible_to(self, user: Any) -> Self:
        if user.has_perm("shop.view_order"):
            return self
        return self.filter(line__order__user=user.pk) if user.pk else self.none()


class OrderLine(models.Model):
    """So many of one variant, as it was sold.

    Attributes:
        variant: null when it is not sold any more.
        unit_price, subtotal, discount, tax, total: minor units of the order's currency, as in
            `shop.pricing`; subtotal is before discounts, total is what was paid for the line.
        tax_rate: basis points.
        requires_shipping: false where it is delivered without a parcel.
        fulfilled, returned, refunded: units of it that were shipped or delivered, came back, were
            paid back.
        cancelled: units that were taken out of the order before they were shipped.
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    variant = models.ForeignKey(Variant, models.SET_NULL, null=True, related_name="+")
    sku = models.CharField(max_length=SKU_LENGTH, blank=True, default="")
    name = models.CharField(max_length=NAME_LENGTH)
    variant_name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    quantity = models.PositiveIntegerField()
    unit_price = models.BigIntegerField()
    subtotal = models.BigIntegerField()
    discount = models.BigIntegerField()
    tax_rate = models.PositiveIntegerField()
    tax = models.BigIntegerField()
    total = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    requires_shipping = models.BooleanField(default=True, db_default=True)
    fulfilled = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0, db_default=0)
    returned = models.PositiveIntegerField(default=0)
    refunded = models.PositiveIntegerField(default=0)

    objects = OwnOrderQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["order", "position"], name="order_position_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_line_of_something"),
            models.CheckConstraint(
                condition=Q(
                    returned__lte=F("fulfilled"), quantity__gte=F("fulfilled") + F("cancelled")
                ),
                name="order_line_in_order",
            ),
            models.CheckConstraint(
                condition=Q(refunded__lte=F("quantity")), name="order_line_refunded_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def unshipped(self) -> int:
        """Units that can still be shipped, refunded ones included."""
        return self.quantity - self.fulfilled - self.cancelled

    @property
    def to_ship(self) -> int:
        """Units that are neither shipped, cancelled nor refunded.

        Refunded units count as returned or cancelled units first, then as unshipped units.
        """
        refunded = max(self.refunded - self.returned - self.cancelled, 0)
        return max(self.unshipped - refunded, 0)

    @property
    def is_given_back(self) -> bool:
        """Whether every unit was refunded, returned or cancelled."""
        return max(self.refunded, self.returned + self.cancelled) >= self.quantity


class DigitalDelivery(models.Model):
    """Digital content that a customer has bought, behind a link of this server.

    Attributes:
        key: random; the token of the link is made of it and the shop's secret.
        digest: SHA-256 of the token.
        kind, content: of the variant, when it was delivered.
        downloads: times that the link was followed.
        revoked_at: since when the link opens nothing; null while it does.
    """

    line = models.OneToOneField(OrderLine, models.CASCADE, related_name="digital_delivery")
    key = ExactCharField(max_length=32)
    digest = ExactCharField(max_length=64, unique=True)
    kind = ExactCharField(max_length=8, choices=DigitalKind)
    content = models.TextField()
    downloads = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = OwnLineQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Delivery {self.pk}"


class Redemption(models.Model):
    """An order has used a voucher.

    Attributes:
        customer_key: by which a customer's orders are counted: their e-mail key.
    """

    voucher = models.ForeignKey(Voucher, models.CASCADE, related_name="redemptions")
    order = models.ForeignKey(Order, models.CASCADE, related_name="redemptions")
    customer_key = ExactCharField(max_length=EMAIL_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["voucher", "order"], name="voucher_once_an_order"),
        )
        indexes = (models.Index(fields=["voucher", "customer_key"], name="redemption_by_customer"),)

    def __str__(self) -> str:
        return f"Voucher {self.voucher_id} in order {self.order_id}"


class OrderEventKind(models.TextChoices):
    """What happened to an order."""

    PLACED = "placed", "placed"
    CONFIRMED = "confirmed", "confirmed"
    PAYMENT_AUTHORIZED = "payment_authorized", "payment promised"
    PAYMENT_CAPTURED = "payment_captured", "paid"
    PAYMENT_FAILED = "payment_failed", "payment failed"
    PAYMENT_VOIDED = "payment_voided", "payment given up"
    FULFILLED = "fulfilled", "shipped"
    DELIVERED = "delivered", "delivered"
    DELIVERY_REVOKED = "delivery_revoked", "delivery revoked"
    TRACKING_UPDATED = "tracking_updated", "tracking changed"
    UNFULFILLED = "unfulfilled", "parcel cancelled"
    LINES_CANCELLED = "lines_cancelled", "units removed"
    ADDRESS_UPDATED = "address_updated", "address changed"
    EMAIL_UPDATED = "email_updated", "e-mail address changed"
    COMPLETED = "completed", "completed"
    CANCELLED = "cancelled", "cancelled"
    EXPIRED = "expired", "expired"
    REFUNDED = "refunded", "refunded"
    REFUND_FAILED = "refund_failed", "refund failed"
    RETURNED = "returned", "returned"
    DISPUTE_INQUIRY = "dispute_inquiry", "the bank asks about the payment"
    DISPUTED = "disputed", "payment disputed"
    DISPUTE_WON = "dispute_won", "dispute won"
    DISPUTE_LOST = "dispute_lost", "dispute lost"
    DISPUTE_CLOSED = "dispute_closed", "dispute came to nothing"
    NOTE = "note", "note of staff"


# Whoever disputes a card's payment need not be who ordered with the account.
STAFF_KINDS = (
    OrderEventKind.DISPUTE_INQUIRY,
    OrderEventKind.DISPUTED,
    OrderEventKind.DISPUTE_WON,
    OrderEventKind.DISPUTE_LOST,
    OrderEventKind.DISPUTE_CLOSED,
    OrderEventKind.NOTE,
)


class OrderEventQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Disputes and notes of staff are for staff."""
        if user.has_perm("shop.view_order"):
            return self
        own = self.filter(order__user=user.pk) if user.pk else self.none()
        return own.exclude(kind__in=STAFF_KINDS)


class OrderEvent(models.Model):
    """Something that happened to an order; rows are only added.

    Attributes:
        data: what there is to know about it: amounts in minor units, numbers, tracking.
        text: what staff wrote.
        actor: who did it, of the staff or the customer; null for the shop itself.
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="events")
    kind = ExactCharField(max_length=20, choices=OrderEventKind)
    data = models.JSONField(default=dict)
    text = models.TextField(blank=True, default="")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrderEventQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["order", "created_at", "id"], name="order_event_by_time"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id}"


class Fulfillment(models.Model):
    """A parcel.

    Attributes:
        carrier, tracking_number, tracking_url: where to follow it, or empty.
        cancelled_at: when staff undid it, because it was recorded by mistake; null otherwise.
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="fulfillments")
    carrier = models.CharField(max_length=100, blank=True, default="")
    tracking_number = models.CharField(max_length=100, blank=True, default="")
    tracking_url = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    cancelled_at = models.DateTimeField(null=True)

    objects = OwnOrderQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["order", "created_at", "id"], name="fulfillment_by_time"),)

    def __str__(self) -> str:
        return f"Fulfilment {self.pk}"


class FulfillmentLineQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        if user.has_perm("shop.view_order"):
            return self
        return self.filter(fulfillment__order__user=user.pk) if user.pk else self.none()


class FulfillmentLine(models.Model):
    """What of an order's line is in a parcel."""

    fulfillment = models.ForeignKey(Fulfillment, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="fulfillment_lines")
    quantity = models.PositiveIntegerField()

    objects = FulfillmentLineQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["fulfillment", "line"], name="fulfillment_line_once"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="fulfillment_line_of_something"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} of line {self.line_id}"


class Return(models.Model):
    """What a customer sent back.

    Attributes:
        reason: what the customer, or staff, wrote about it.
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="returns")
    reason = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnOrderQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["order", "created_at", "id"], name="return_by_time"),)

    def __str__(self) -> str:
        return f"Return {self.pk}"


class ReturnLineQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        if user.has_perm("shop.view_order"):
            return self
        return self.filter(parcel__order__user=user.pk) if user.pk else self.none()


class ReturnLine(models.Model):
    """What of an order's line came back.

    Attributes:
        restocked: whether it is sold again.
    """

    # Not `return`, which is a word of Python's.
    parcel = models.ForeignKey(Return, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="return_lines")
    quantity = models.PositiveIntegerField()
    restocked = models.BooleanField()

    objects = ReturnLineQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["parcel", "line"], name="return_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="return_line_of_something"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} of line {self.line_id}"
