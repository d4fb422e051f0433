"""Who outside is told what happened, and how the telling went."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models

from shop.models.fields import ExactCharField
from shop.models.outbox import TOPIC_LENGTH, OutboxEvent

URL_LENGTH = 2000


class WebhookQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those who may see endpoints see them all; others see none."""
        return self if user.has_perm("shop.view_webhookendpoint") else self.none()


class WebhookEndpoint(models.Model):
    """An address that is told of events.

    Attributes:
        secret: signs what is sent (Standard Webhooks, "whsec_" and base64); shown once.
        topics: names of events; "*" stands for all.
        query: a GraphQL document that makes the data; empty for the default.
        owner: whose permissions the document is executed with.
        failures: tries that failed since the last that did not.
        open_until: no try before then, because too many have failed.
    """

    url = models.CharField(max_length=URL_LENGTH)
    description = models.CharField(max_length=400, default="", blank=True)
    secret = models.CharField(max_length=120)
    topics = models.JSONField(default=list)
    query = models.TextField(default="", blank=True)
    is_active = models.BooleanField(default=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["created_at", "id"], name="webhook_by_age"),)

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    """How far a delivery is."""

    PENDING = "pending", "pending"
    DELIVERED = "delivered", "delivered"
    FAILED = "failed", "failed"
    REFUSED = "refused", "refused"


class WebhookDelivery(models.Model):
    """One event for one endpoint: what is sent, and how that went.

    Attributes:
        uid: the webhook-id, the same for every try.
        body: JSON as it is sent, the same for every try.
        state: refused means that the address must not be called; it was not.
        next_at: when it may be tried; while it is being tried, when that try counts as lost.
        runner: who tries it now.
        status, error, milliseconds: of the last try.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True)
    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(OutboxEvent, models.CASCADE, related_name="deliveries")
    topic = ExactCharField(max_length=TOPIC_LENGTH)
    body = models.TextField()
    state = ExactCharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    runner = models.UUIDField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.TextField(default="")
    milliseconds = models.PositiveIntegerField(null=True)
    delivered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = (models.UniqueConstraint(fields=["event", "endpoint"], name="delivery_once"),)
        indexes = (
            models.Index(fields=["state", "next_at"], name="delivery_due"),
            models.Index(fields=["endpoint", "state", "next_at"], name="delivery_due_by_endpoint"),
            models.Index(fields=["created_at", "id"], name="delivery_by_age"),
            models.Index(fields=["endpoint", "created_at", "id"], name="delivery_by_endpoint"),
        )

    def __str__(self) -> str:
        return f"{self.topic} {self.uid}"
