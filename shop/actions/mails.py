"""Mails of the shop: rendered from templates, sent at least once, told apart by their key."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.template.loader import render_to_string

from shop.models import SentMail
from shop.outbox.housekeeping import delete_in_batches

FOLDER = Path(__file__).parents[1] / "templates" / "mail"
_KEY = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered mail.

    Attributes:
        subject: one line.
        text, html: the same in two forms; programs show the one that they can.
    """

    subject: str
    text: str
    html: str


def send(template: str, *, to: str, key: str, context: dict[str, Any], user: Any = None) -> None:
    """Sends a mail, unless the one with this key has gone out.

    It is recorded once the mail server has it: who dies in between sends it again, under the same
    Message-ID, by which mail programs know it.

    Args:
        template: a name in templates/mail.
        to: the address.
        key: such as "job-finished-12": lower case letters, digits, dots and hyphens.
        context: what the template shows.
        user: whose account it is about; the record of the mail goes with it.

    Raises:
        ValueError: no such key can be.
        ValidationError: no such address can be.
        OSError: the mail server does not answer, or refuses.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"Not a key of a mail: {key!r}")
    validate_email(to)
    if SentMail.objects.filter(key=key).exists():
        return
    mail = render(template, context)
    headers = {
        "Message-ID": f"<{key}@{_domain()}>",
        # No answers by machines: https://www.rfc-editor.org/rfc/rfc3834
        "Auto-Submitted": "auto-generated",
    }
    message = EmailMultiAlternatives(mail.subject, mail.text, to=[to], headers=headers)
    message.attach_alternative(mail.html, "text/html")
    message.send()
    sent = SentMail(key=key, template=template, recipient=to, user=user)
    SentMail.objects.bulk_create([sent], ignore_conflicts=True)


def page_url(path: str, **query: str) -> str:
    """The address of a page for customers: of the storefront, or of this server without one.

    Args:
        path: begins with a slash. `shop.customer_pages` has the same paths.
        query: such as the `token` of a link.
    """
    base = settings.STOREFRONT_URL or settings.SITE_URL
    return f"{base}{path}?{urlencode(query)}" if query else f"{base}{path}"


def purge(before: datetime) -> int:
    """Forgets mails that went out before `before`. Returns how many."""
    return delete_in_batches(SentMail.objects.filter(sent_at__lt=before))


def are_on() -> bool:
    """Whether there is anything that takes mails."""
    return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")


def render(template: str, context: dict[str, Any]) -> Mail:
    """The mail `template` with `context`. The first line of its text is the subject."""
    shown = {**context, "shop": settings.SHOP_NAME, "site": settings.SITE_URL}
    first, _, text = render_to_string(f"mail/{template}.txt", shown).strip().partition("\n")
    # One line, whatever names stand in it: a header has no second one.
    subject = " ".join(first.split())
    html = render_to_string(f"mail/{template}.html", {**shown, "subject": subject})
    return Mail(subject, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", html)


def templates() -> list[str]:
    """All templates; each has samples."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def samples(template: str) -> dict[str, dict[str, Any]]:
    """Contexts by a name for people, declared beside the template, for previews and tests."""
    return json.loads((FOLDER / f"{template}.json").read_text())


def _domain() -> str:
    return urlsplit(settings.SITE_URL).hostname or "localhost"
