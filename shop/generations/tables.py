"""Which tables are watched, and which ones a statement reads or writes."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from django.apps import apps

# What public answers are made of. An answer that was read from any other table is not kept.
WATCHED = (
    "attribute",
    "attributeformerslug",
    "attributevalue",
    "brand",
    "brandformerslug",
    "category",
    "categoryformerslug",
    "collection",
    "collectionformerslug",
    "collectionitem",
    "media",
    "product",
    "productattribute",
    "productformerslug",
    "review",
    "shippingrate",
    "stock",
    "variant",
    "zonecountry",
)
# Of what an event tells, by the first word of its topic: the tables that it may be about.
BY_TOPIC = {
    "attribute": ("attribute", "attributevalue", "productattribute", "attributeformerslug"),
    "brand": ("brand", "brandformerslug"),
    "category": ("category", "product", "categoryformerslug"),
    "collection": ("collection", "collectionitem", "collectionformerslug"),
    "media": ("media",),
    "order": ("stock",),
    "product": (
        "collectionitem",
        "media",
        "product",
        "productattribute",
        "stock",
        "variant",
        "productformerslug",
    ),
    "review": ("product", "review"),
    "stock": ("stock",),
}

_WORD = re.compile(r"\w+")
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|TRUNCATE)\b", re.IGNORECASE)
# What neither reads nor writes rows of tables, or reads only.
_HARMLESS = re.compile(
    r"\s*(SELECT|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|SET|SHOW|PRAGMA|EXPLAIN|DECLARE|FETCH"
    r"|CLOSE|LOCK|ANALYZE|VACUUM)\b",
    re.IGNORECASE,
)
# Of a statement that writes, its table is named before this many characters.
_HEAD = 300


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a statement.

    Attributes:
        watched: names of their models.
        others: whether there are any besides.
    """

    watched: frozenset[str]
    others: bool


def written(sql: str) -> frozenset[str]:
    """The watched tables that a statement may write to, by the names of their models."""
    if sql.startswith("SELECT"):
        return frozenset()
    return _written(sql[:_HEAD]) if _WRITES.match(sql) else _unknown(sql)


@lru_cache(maxsize=1024)
def read(sql: str) -> Tables:
    """The tables that a statement reads: all that it mentions."""
    known = _models()
    found = {known[word] for word in _WORD.findall(sql) if word in known}
    watched = frozenset(found.intersection(WATCHED))
    return Tables(watched, others=len(found) > len(watched))


@lru_cache(maxsize=1024)
def _written(head: str) -> frozenset[str]:
    # The first table is the one that is written to; those of conditions come after it.
    known = _models()
    first = next((known[word] for word in _WORD.findall(head) if word in known), "")
    return frozenset({first}.intersection(WATCHED))


def _unknown(sql: str) -> frozenset[str]:
    """All that a statement mentions of which nobody knows what it does."""
    return frozenset() if _HARMLESS.match(sql) else read(sql).watched


@cache
def _models() -> dict[str, str]:
    """The name of each model by its table; the shop's without their application."""
    return {
        model._meta.db_table: model._meta.model_name or ""
        if model._meta.app_label == "shop"
        else model._meta.label_lower
        for model in apps.get_models(include_auto_created=True)
    }
