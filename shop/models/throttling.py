"""How often something was tried, where there is no Redis to count it."""

from django.db import models

from shop.models.fields import ExactCharField


class ThrottleEntry(models.Model):
    """The tries of one kind by one key within a moving window.

    Attributes:
        key: digest of what is counted; it tells nothing about whom.
        hits: milliseconds since 1970 of the tries that count, oldest first.
        expires_at: when the last of them leaves the window.
    """

    key = ExactCharField(max_length=64, unique=True)
    hits = models.JSONField(default=list)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "throttle entries"
        indexes = (models.Index(fields=["expires_at"], name="throttle_by_end"),)

    def __str__(self) -> str:
        return f"Throttle {self.key[:8]}"
