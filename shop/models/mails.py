"""Which mails went out."""

from django.db import models

from shop.models.fields import ExactCharField


class SentMail(models.Model):
    """A mail that the mail server has taken; `key` is its Message-ID before the @."""

    key = ExactCharField(max_length=120, unique=True)
    template = ExactCharField(max_length=60)
    recipient = models.EmailField()
    sent_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return self.key
