"""What the importer cannot find by name, because something older has the same name."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from shop.models import AttributeValue, Brand, Category, Collection
from shop.text import fold


@dataclass(frozen=True, slots=True)
class Namesakes:
    """Primary keys of rows whose name, folded, an older row has as well.

    Attributes:
        categories: compared below the same parent.
        values: compared within the same attribute.
    """

    brands: frozenset[int] = frozenset()
    categories: frozenset[int] = frozenset()
    values: frozenset[int] = frozenset()
    collections: frozenset[int] = frozenset()


def find() -> Namesakes:
    """Looks through the shop, in four statements."""
    return Namesakes(
        brands=_later(Brand),
        categories=_later(Category, scope="parent_id"),
        values=_later(AttributeValue, scope="attribute_id", indexed=True),
        collections=_later(Collection),
    )


def _later(model: Any, *, scope: str = "", indexed: bool = False) -> frozenset[int]:
    # The sort key is coarser than the name, so there are no namesakes with different keys.
    twins = model.objects.filter(name_key=OuterRef("name_key")).exclude(pk=OuterRef("pk"))
    if indexed:
        twins = twins.filter(**{scope: OuterRef(scope)})
    rows = model.objects.filter(Exists(twins)).order_by("pk")
    seen = set()
    later = set()
    for pk, name, *place in rows.values_list("pk", "name", *([scope] if scope else [])):
        key = (fold(name), *place)
        if key in seen:
            later.add(pk)
        seen.add(key)
    return frozenset(later)
