"""Which mails went out."""

from django.conf import settings
from django.db import models

from shop.models.fields import ExactCharField


class SentMail(models.Model):
    """A mail that the mail server has taken.

    Attributes:
        key: its Message-ID before the @.
        user: whose account it was about, whatever address it went to.
    """

    key = ExactCharField(max_length=120, unique=True)
    template = ExactCharField(max_length=60)
    recipient = models.EmailField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="mails"
    )
    sent_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return self.key
