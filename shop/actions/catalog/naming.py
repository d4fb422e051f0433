"""Names and slugs."""

from collections.abc import Sequence
from typing import Any

from anyascii import anyascii
from django.core.exceptions import ValidationError
from django.core.validators import validate_unicode_slug
from django.db import models
from django.utils.text import slugify

from shop.actions.catalog import slugs
from shop.errors import DuplicateSlug, Invalid, Required
from shop.input_errors import InputErrors
from shop.models.catalog import NAME_LENGTH, SLUG_LENGTH, TAX_CATEGORY_LENGTH
from shop.text import one_line


def slug_from(name: str, *, fallback: str = "item") -> str:
    """Returns an ASCII slug for a name; `fallback` where nothing of it can be written so.

    Letters are transliterated: "Smørrebrød" becomes "smorrebrod", "Łódź" "lodz", "щи" "shchi".
    """
    slug = slugify(anyascii(name)) or fallback
    return slug[: SLUG_LENGTH - 10].strip("-")


def free_slug(rows: models.QuerySet, wanted: str) -> str:
    """`wanted`, or `wanted-2`, `wanted-3`, ... whichever no row in `rows` has or had."""
    taken = set(rows.filter(slug__startswith=wanted).values_list("slug", flat=True))
    taken |= slugs.taken_by(rows.model, wanted)
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}-{number}" in taken:
        number += 1
    return f"{wanted}-{number}"


def clean_name(name: str | None, field: Sequence[str] = ("name",)) -> str:
    """`name` with single spaces.

    Raises:
        Required: nothing is left of it.
        Invalid: longer than NAME_LENGTH characters.
    """
    cleaned = one_line(name or "")
    if not cleaned:
        raise Required("A name is required.", field=field)
    if len(cleaned) > NAME_LENGTH:
        raise Invalid(f"A name has at most {NAME_LENGTH} characters.", field=field)
    return cleaned


def choose_slug(row: Any, rows: models.QuerySet, slug: str | None, name: str) -> str:
    """Returns the slug to store in `row`: the given one if it is free, else one made from `name`.

    Raises:
        Invalid: the given slug has characters other than letters, digits, - and _.
        DuplicateSlug: a row in `rows` has the given slug.
        SlugReserved: it is a former slug of another row.
    """
    if slug is None:
        return free_slug(rows, slug_from(name))
    try:
        validate_unicode_slug(slug)
    except ValidationError:
        raise Invalid("A slug has letters, digits, - and _ only.", field=["slug"]) from None
    if len(slug) > SLUG_LENGTH:
        raise Invalid(f"A slug has at most {SLUG_LENGTH} characters.", field=["slug"])
    if rows.filter(slug=slug).exists():
        raise DuplicateSlug(field=["slug"])
    slugs.check_free(row, slug)
    return slug


def apply_naming(row: Any, rows: models.QuerySet, changes: dict[str, Any]) -> None:
    """Takes `name` and `slug` out of `changes` and sets them on `row` (saved or not).

    `slugs.save` saves the row.

    Raises:
        Required, Invalid, DuplicateSlug, SlugReserved: as `clean_name` and `choose_slug`; Several
            for both.
    """
    errors = InputErrors()
    others = rows.exclude(pk=row.pk) if row.pk else rows
    name = changes.pop("name", None)
    if name is not None or not row.pk:
        with errors.collect():
            row.name = clean_name(name)
    slug = changes.pop("slug", None)
    # A slug is made only of a name that is one.
    if slug is not None or (not row.pk and row.name):
        with errors.collect():
            chosen = choose_slug(row, others, slug, row.name)
            if row.pk:
                row.slug_before = row.slug
            row.slug = chosen
    errors.raise_any()


def clean_tax_category(text: str | None, field: str = "taxCategory") -> str:
    """A tax category as products and tax rates have it: in small letters, with single spaces.

    Raises:
        Invalid: longer than TAX_CATEGORY_LENGTH characters.
    """
    cleaned = " ".join((text or "").replace("\x00", "").lower().split())
    if len(cleaned) > TAX_CATEGORY_LENGTH:
        message = f"A tax category has at most {TAX_CATEGORY_LENGTH} characters."
        raise Invalid(message, field=[field])
    return cleaned
