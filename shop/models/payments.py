"""Money that comes in and goes back, by way of payment providers. No card data is kept."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from shop.models.fields import ExactCharField
from shop.models.orders import Order, OrderLine, OwnOrderQuerySet

PROVIDER_LENGTH = 16
REFERENCE_LENGTH = 255
KEY_LENGTH = 64


class PaymentState(models.TextChoices):
    """How far a payment has come. Of the last four nothing leads back."""

    CREATED = "created", "not answered by the provider yet"
    REQUIRES_ACTION = "requires_action", "waits for the customer"
    AUTHORIZED = "authorized", "promised"
    CAPTURED = "captured", "paid"
    PARTIALLY_REFUNDED = "partially_refunded", "partly refunded"
    REFUNDED = "refunded", "refunded"
    FAILED = "failed", "failed"
    VOIDED = "voided", "given up"


# Those of which the provider may yet have something to say.
UNSETTLED_STATES = (PaymentState.CREATED, PaymentState.REQUIRES_ACTION)


class Payment(models.Model):
    """One payment of an order.

    Attributes:
        provider: name of the gateway, such as "stripe".
        key: by which the provider knows a request again that came twice.
        reference: the provider's name for it; null until it was told.
        method: what the customer chose at the provider, such as a token of theirs; never card data.
        amount: minor units; what is to be paid.
        authorized: minor units; captured in part, what was captured: the rest is released.
        captured, refunded: minor units.
        disputed: minor units that disputes have taken away; derived from them, kept by an action.
        client_data: what the customer's client needs for the next step, such as a client secret.
        failure: why it failed, in a word of ours (`shop.gateways.Failure`); empty otherwise.
        settle_at: when the shop asks the provider by itself; null when there is nothing to ask.
        attempts: how often it asked.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="payments")
    provider = ExactCharField(max_length=PROVIDER_LENGTH)
    key = ExactCharField(max_length=KEY_LENGTH, unique=True)
    reference = ExactCharField(max_length=REFERENCE_LENGTH, null=True)
    method = models.CharField(max_length=REFERENCE_LENGTH, blank=True, default="")
    state = ExactCharField(max_length=20, choices=PaymentState, default=PaymentState.CREATED)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    authorized = models.BigIntegerField(default=0)
    captured = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    disputed = models.BigIntegerField(default=0, db_default=0)
    client_data = models.JSONField(default=dict)
    failure = ExactCharField(max_length=32, blank=True, default="")
    settle_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OwnOrderQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["provider", "reference"], name="payment_reference_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    amount__gt=0,
                    refunded__gte=0,
                    refunded__lte=F("captured"),
                    disputed__gte=0,
                    disputed__lte=F("captured"),
                    captured__lte=F("authorized"),
                    authorized__lte=F("amount"),
                ),
                name="payment_in_order",
            ),
        )
        indexes = (
            models.Index(fields=["settle_at"], name="payment_to_settle"),
            models.Index(fields=["order", "created_at", "id"], name="payment_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.provider} {self.reference or self.key}"

    @property
    def left(self) -> int:
        """Minor units that can still be paid back.

        A bank may take what was paid back already: then it is none, and not below.
        """
        return max(self.captured - self.refunded - self.disputed, 0)


class PaymentEvent(models.Model):
    """What a provider told by a webhook; each event once.

    Attributes:
        kind: the provider's name for it.
    """

    provider = ExactCharField(max_length=PROVIDER_LENGTH)
    event_id = ExactCharField(max_length=REFERENCE_LENGTH)
    kind = ExactCharField(max_length=100)
    payment = models.ForeignKey(Payment, models.CASCADE, null=True, related_name="events")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["provider", "event_id"], name="payment_event_once"),
        )
        indexes = (models.Index(fields=["created_at"], name="payment_event_by_age"),)

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"


class RefundState(models.TextChoices):
    """How far a refund has come."""

    PENDING = "pending", "not answered by the provider yet"
    SUCCEEDED = "succeeded", "paid back"
    FAILED = "failed", "failed"


class RefundQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        if user.has_perm("shop.view_order"):
            return self
        return self.filter(payment__order__user=user.pk) if user.pk else self.none()


class Refund(models.Model):
    """Money that goes back. From the first moment it counts as refunded; failed, no more.

    Attributes:
        key: by which the provider knows a request again that came twice.
        amount: minor units.
        shipping: minor units of the amount that are for the shipping. The rest is for `lines`, or
            just money where there are none.
        shipping_taxes: the same by tax rate, as in `Order.shipping_taxes`.
        reason: what staff wrote.
        settle_at, attempts: as of payments.
    """

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    key = ExactCharField(max_length=KEY_LENGTH, unique=True)
    reference = ExactCharField(max_length=REFERENCE_LENGTH, blank=True, default="")
    state = ExactCharField(max_length=10, choices=RefundState, default=RefundState.PENDING)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    shipping = models.BigIntegerField(default=0, db_default=0)
    shipping_taxes = models.JSONField(default=list, db_default=[])
    reason = models.CharField(max_length=500, blank=True, default="")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    settle_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_of_something"),
        )
        indexes = (
            models.Index(fields=["settle_at"], name="refund_to_settle"),
            models.Index(fields=["payment", "created_at", "id"], name="refund_by_time"),
        )

    def __str__(self) -> str:
        return f"Refund {self.key}"


class RefundLineQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        if user.has_perm("shop.view_order"):
            return self
        return self.filter(refund__payment__order__user=user.pk) if user.pk else self.none()


class RefundLine(models.Model):
    """What a refund pays back of an order's line. It stays as it was asked for when that failed.

    Attributes:
        amount: minor units, discounts and tax included; 0 for units that cost nothing.
        tax: minor units of `amount`.
    """

    refund = models.ForeignKey(Refund, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="refund_lines")
    quantity = models.PositiveIntegerField()
    amount = models.BigIntegerField()
    tax = models.BigIntegerField(default=0, db_default=0)
    currency = models.CharField(max_length=3)

    objects = RefundLineQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["refund", "line"], name="refund_line_once"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, amount__gte=0), name="refund_line_of_something"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} of line {self.line_id}"


class DisputeState(models.TextChoices):
    """How far a dispute has come, each further than those before it.

    An inquiry is a question of the bank's, which may become a dispute.
    """

    INQUIRY = "inquiry", "inquiry, to be answered"
    INQUIRY_ANSWERED = "inquiry_answered", "inquiry, answered"
    INQUIRY_CLOSED = "inquiry_closed", "inquiry, came to nothing"
    PREVENTED = "prevented", "settled before it began"
    NEEDS_RESPONSE = "needs_response", "to be answered"
    UNDER_REVIEW = "under_review", "answered, the bank decides"
    LOST = "lost", "lost"
    WON = "won", "won"


ENDED_DISPUTES = (
    DisputeState.INQUIRY_CLOSED,
    DisputeState.PREVENTED,
    DisputeState.LOST,
    DisputeState.WON,
)


class DisputeQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Staff's: whoever disputes a card's payment need not be who ordered with the account."""
        return self if user.has_perm("shop.view_order") else self.none()

    def open(self) -> Self:
        return self.filter(closed_at=None)


class Dispute(models.Model):
    """A customer's bank asks for a payment back, or asks about it.

    Attributes:
        provider: the payment's; `reference` is its name for the dispute.
        reason: the customer's, in a word of ours (`shop.gateways.DisputeReason`).
        amount: minor units of `currency`, which may be more, or another one, than was paid.
        is_withdrawn: whether the bank has the money, so that it must not be paid back as well.
        due_at: until when evidence is taken; null when none is asked for.
        told_at: when the provider said what is here; what it said before counts no more.
        closed_at: null while it is open.
    """

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    provider = ExactCharField(max_length=PROVIDER_LENGTH)
    reference = ExactCharField(max_length=REFERENCE_LENGTH)
    state = ExactCharField(max_length=20, choices=DisputeState)
    reason = ExactCharField(max_length=32)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    is_withdrawn = models.BooleanField()
    due_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["provider", "reference"], name="dispute_reference_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="dispute_of_something"),
            models.CheckConstraint(
                condition=Q(state__in=ENDED_DISPUTES, closed_at__isnull=False)
                | (~Q(state__in=ENDED_DISPUTES) & Q(closed_at__isnull=True)),
                name="dispute_closed_once_ended",
            ),
            models.CheckConstraint(
                condition=~Q(state=DisputeState.WON) | Q(is_withdrawn=False),
                name="dispute_won_is_paid_out",
            ),
        )
        indexes = (
            models.Index(fields=["payment", "opened_at", "id"], name="dispute_by_time"),
            models.Index(fields=["closed_at", "payment"], name="dispute_open"),
        )

    def __str__(self) -> str:
        return f"{self.provider} {self.reference}"


def has_open_dispute() -> Q:
    """The condition on orders that a dispute of one of their payments is open."""
    return Q(pk__in=Dispute.objects.open().values("payment__order"))


class DemoCharge(models.Model):
    """The books of the demo provider, which stands in for a real one in development and tests.

    Written outside the shop's transactions, as a provider's own books are.

    Attributes:
        key: the payment's; one charge for each.
        state: "requires_action", "authorized", "captured", "declined" or "voided".
        refunds: amounts in minor units by the keys of refunds.
    """

    key = ExactCharField(max_length=KEY_LENGTH, unique=True)
    state = ExactCharField(max_length=20)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    captured = models.BigIntegerField(default=0)
    refunds = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Demo charge {self.key}"
