"""Digital content of variants: what customers get of goods that are not shipped."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.crypto import salted_hmac

from shop.actions import audit
from shop.actions.rows import hold
from shop.errors import Invalid, NotFound, Required
from shop.models import DigitalContent, DigitalKind, Variant

LINK_LENGTH = 2000
TEXT_LENGTH = 10_000
_is_link = URLValidator(schemes=["http", "https"])


def _facts(row: DigitalContent) -> dict[str, Any]:
    """Values for the audit: a fingerprint in place of the content that customers pay for."""
    digest = salted_hmac("shop.digital_content.audit", row.content, algorithm="sha256").hexdigest()
    return {"variant": row.variant_id, "kind": row.kind, "content": f"fingerprint {digest[:16]}"}


@transaction.atomic
def set_content(variant: Variant, *, kind: str, content: str) -> DigitalContent:
    """Sets the content of a variant. Orders that were delivered keep what they have.

    Raises:
        Required, Invalid: what is wrong with the content.
        NotFound: the variant is gone.
    """
    hold(variant)
    content = checked(kind, content)
    row = DigitalContent.objects.filter(variant=variant.pk).first()
    if row is None:
        return _create(DigitalContent(variant=variant, kind=kind, content=content))
    return _update(row, kind=kind, content=content)


@transaction.atomic
def remove_content(variant: Variant) -> None:
    """Removes the content of a variant. Raises NotFound if there is none."""
    hold(variant)
    row = DigitalContent.objects.filter(variant=variant.pk).first()
    if row is None:
        raise NotFound("This variant has no digital content.", field=["variant"])
    _delete(row)


def checked(kind: str, content: str) -> str:
    """`content` as it is stored.

    Raises:
        Required: it is empty.
        Invalid: it is too long, has a NUL character, or is no http or https address where it is to
            be one.
    """
    content = content.strip()
    if not content:
        raise Required("Name the content.", field=["content"])
    longest = LINK_LENGTH if kind == DigitalKind.LINK else TEXT_LENGTH
    if len(content) > longest:
        raise Invalid(f"This has at most {longest:,} characters.", field=["content"])
    if "\x00" in content:
        raise Invalid("The content has a NUL character.", field=["content"])
    if kind == DigitalKind.LINK:
        try:
            _is_link(content)
        except ValidationError:
            raise Invalid("This is no http or https address.", field=["content"]) from None
    return content


@audit.recorded("digitalcontent.create", _facts)
def _create(row: DigitalContent) -> DigitalContent:
    row.save()
    return row


@audit.recorded("digitalcontent.update", _facts)
def _update(row: DigitalContent, **changes: str) -> DigitalContent:
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()
    return row


@audit.recorded("digitalcontent.delete", _facts)
def _delete(row: DigitalContent) -> None:
    row.delete()
