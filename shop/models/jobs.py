"""Long work that people wait for: imports and exports."""

from typing import Any, Self

from django.conf import settings
from django.db import models

from shop.models.fields import ExactCharField


class JobKind(models.TextChoices):
    """What is done."""

    IMPORT_PRODUCTS = "import_products", "import products"
    EXPORT_PRODUCTS = "export_products", "export products"
    EXPORT_ACCOUNT = "export_account", "export account"
    EXPORT_ORDERS = "export_orders", "export orders"


class JobStatus(models.TextChoices):
    """How far it is."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SUCCEEDED = "succeeded", "succeeded"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class JobQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those who may see jobs see them all; others see the exports of their own account."""
        if user.has_perm("shop.view_job"):
            return self
        # Jobs that nobody started are not those of nobody.
        if user.pk is None:
            return self.none()
        return self.filter(created_by=user.pk, kind=JobKind.EXPORT_ACCOUNT)


class Job(models.Model):
    """One import or export.

    Attributes:
        options: what it was asked to do.
        done, total: units of work, lines of files or products; total is null until it is known.
        problems: the first of them, each a dict with row, handle, severity, code and message.
        problem_count: all of them.
        result: what came of it, counts by name.
        error: why it failed, for people.
        file: the uploaded file in private storage, or the written one.
        file_name: how people call that file.
        runner: who runs it now; changes with every try.
        lease_until: a runner that has not been heard of until then is dead; while queued, when
            it is asked for again.
        attempts: how often it was begun since it last got ahead.
    """

    kind = ExactCharField(max_length=20, choices=JobKind)
    status = ExactCharField(max_length=10, choices=JobStatus, default=JobStatus.QUEUED)
    options = models.JSONField(default=dict)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True)
    problems = models.JSONField(default=list)
    problem_count = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    error = models.TextField(default="")
    file = models.CharField(max_length=255, default="")
    file_name = models.CharField(max_length=255, default="")
    cancel_requested = models.BooleanField(default=False)
    runner = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["status", "lease_until"], name="job_by_lease"),
            models.Index(fields=["created_at", "id"], name="job_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
