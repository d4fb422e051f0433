"""Who of the staff changed what."""

from typing import Any, Self

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
