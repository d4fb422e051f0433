"""Requests that may come twice and must be done once."""

from django.db import models

from shop.models.fields import ExactCharField

KEY_LENGTH = 255


class IdempotencyKey(models.Model):
    """A request that was done, or is being done.

    Attributes:
        actor: who sent it, such as "user:12" or "cart:7": keys of others are other keys.
        operation: the mutation's name.
        key: chosen by the client.
        request_hash: SHA-256 of what was asked for; the same key with another is a conflict.
        reply: what came of it; null only inside the transaction that does it.
        expires_at: after which it is forgotten.
    """

    actor = ExactCharField(max_length=64)
    operation = ExactCharField(max_length=64)
    key = ExactCharField(max_length=KEY_LENGTH)
    request_hash = ExactCharField(max_length=64)
    reply = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["actor", "operation", "key"], name="idempotency_key_once"
            ),
        )
        indexes = (models.Index(fields=["expires_at"], name="idempotency_by_expiry"),)

    def __str__(self) -> str:
        return f"{self.operation} of {self.actor}"
