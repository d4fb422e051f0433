"""Former slugs: kept when a slug changes, never given to another object, released by staff."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import models, transaction

from shop import events
from shop.actions import audit
from shop.actions.rows import hold
from shop.errors import NotFound, SlugReserved
from shop.input_errors import InputErrors
from shop.models.slugs import FORMER_SLUGS, FormerSlug


def save(row: Any) -> None:
    """Saves a row whose slug `naming.apply_naming` may have changed, and keeps its former slug.

    Raises:
        SlugReserved: another request made the new slug a former slug of another row meanwhile.
    """
    is_new, before = row.pk is None, row.__dict__.pop("slug_before", row.slug)
    row.save()
    former: Any = FORMER_SLUGS.get(type(row))
    if former is None or (before == row.slug and not is_new):
        return
    if not is_new:
        # A row may take a former slug of its own again.
        former.objects.filter(owner=row.pk, slug=row.slug).delete()
        former.objects.create(owner=row, slug=before)
    # Once more: the row that had the slug may have given it up after our first check.
    check_free(row, row.slug)


def check_free(row: Any, slug: str) -> None:
    """Raises SlugReserved if `slug` is a former slug of another row than `row`."""
    former: Any = FORMER_SLUGS.get(type(row))
    if former is None:
        return
    taken = former.objects.filter(slug=slug).exclude(owner=row.pk).select_related("owner").first()
    if taken is not None:
        message = f"This is a former slug of “{taken.owner.name}”, where it still leads."
        raise SlugReserved(f"{message} Release it there first.", field=["slug"])


def check_all_free(slugs: Collection[str], model: type[models.Model]) -> None:
    """Raises SlugReserved if one of the slugs of new rows is a former slug of another row."""
    former: Any = FORMER_SLUGS[model]
    if slugs and former.objects.filter(slug__in=slugs).exists():
        raise SlugReserved(field=["slug"])


def taken_by(model: type[models.Model], prefix: str) -> set[str]:
    """Former slugs of any row that begin like this."""
    former: Any = FORMER_SLUGS.get(model)
    if former is None:
        return set()
    rows = former.objects.filter(slug__startswith=prefix)
    return set(rows.values_list("slug", flat=True))


def _facts(row: Any) -> dict[str, Any]:
    """Audit snapshot: the former slugs of the row."""
    former: models.Manager[FormerSlug] = row.former_slugs
    return {"former_slugs": former.order_by("slug").values_list("slug", flat=True)}


@transaction.atomic
def release(row: Any, slugs: Sequence[str]) -> None:
    """Releases former slugs of a row: they find nothing, and other rows may take them.

    Raises:
        NotFound: at `releaseSlugs` and the index, for what is no former slug of the row.
    """
    if not slugs:
        return
    name = row._meta.model_name
    with audit.changing(f"{name}.release_slug", [row], _facts):
        hold(row)
        present = set(row.former_slugs.values_list("slug", flat=True))
        errors = InputErrors()
        for index, slug in enumerate(slugs):
            if slug not in present:
                message = "The object has no such former slug."
                errors.add(NotFound(message, field=["releaseSlugs", str(index)]))
        errors.raise_any()
        row.former_slugs.filter(slug__in=slugs).delete()
        status = {"status": str(row.status)} if hasattr(row, "status") else {}
        events.emit(f"{name}.updated", row, slug=row.slug, name=row.name, **status)
