"""Who of the staff changed what."""

from functools import cache
from typing import Any, Self

from django.apps import apps
from django.conf import settings
from django.db import models

from shop.models.fields import ExactCharField


class AuditOutcome(models.TextChoices):
    """Whether it was done."""

    DONE = "done", "done"
    REFUSED = "refused", "refused"


class AuditSource(models.TextChoices):
    """Where it was done."""

    API = "api", "API"
    ADMIN = "admin", "staff screens"


class AuditEntryQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those who may see the audit see it all; others see nothing."""
        return self if user.has_perm("shop.view_auditentry") else self.none()


class AuditEntry(models.Model):
    """One change by a member of staff, or one that was refused. Written once, never changed.

    What is old, or tells of someone who is to be forgotten, goes by way of the QuerySet, in
    `shop.actions.audit` only.

    Attributes:
        action: noun and verb, such as "product.update"; the mutation's name when it was refused.
        object_type, object_id: what was changed; empty and null for what has no row.
        difference: {field: [before, after]}; null stands for what was or is not there.
        address: of the client.
    """

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="audit_entries"
    )
    action = ExactCharField(max_length=80)
    outcome = ExactCharField(max_length=8, choices=AuditOutcome, default=AuditOutcome.DONE)
    source = ExactCharField(max_length=8, choices=AuditSource)
    object_type = ExactCharField(max_length=40, default="")
    object_id = models.BigIntegerField(null=True)
    difference = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = (
            models.Index(fields=["created_at", "id"], name="audit_by_time"),
            models.Index(fields=["actor", "created_at", "id"], name="audit_by_actor"),
            models.Index(
                fields=["object_type", "object_id", "created_at", "id"], name="audit_by_object"
            ),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id or ''}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("An audit entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("An audit entry is never removed by itself.")


@cache
def view_permission(object_type: str) -> str:
    """Without which nobody sees the differences of entries about such objects."""
    for model in apps.get_models():
        if model._meta.object_name == object_type:
            return f"{model._meta.app_label}.view_{model._meta.model_name}"
    # Of a kind that the shop has no more: for those who may everything.
    return f"shop.view_{object_type.lower()}"
