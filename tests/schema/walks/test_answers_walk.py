"""Every mutation ends the answers that tell of what it wrote: walked over the whole schema.

What is compared is everything that strangers may see, in one document made from the schema, and
the rows of every watched table. A mutation that comes to the schema is walked over at once.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client, override_settings
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument

from schema.base import is_shared
from schema.root import schema
from shop.generations import WATCHED, raising, tables
from shop.models import User
from tests.caching import caching, local_store
from tests.schema.samples import FIELDS, OWN, SAMPLES, WITH_CODES

QUERY: Any = schema.graphql_schema.query_type
# Of these, strangers see the same.
WATCHED_MODELS = {name: apps.get_model("shop", name) for name in WATCHED}
# The samples of these change rows of watched tables, whatever else they do.
WRITING = {
    "attributeCreate",
    "attributeDelete",
    "attributeUpdate",
    "attributeValueDelete",
    "attributeValueUpdate",
    "brandCreate",
    "brandDelete",
    "brandUpdate",
    "categoryCreate",
    "categoryDelete",
    "categoryUpdate",
    "collectionCreate",
    "collectionDelete",
    "collectionUpdate",
    "mediaCreate",
    "mediaDelete",
    "mediaUpdate",
    "productCreate",
    "productDelete",
    "productUpdate",
    "reviewDelete",
    "reviewModerate",
    "reviewSubmit",
    "shippingRateCreate",
    "shippingRateDelete",
    "shippingRateUpdate",
    "shippingZoneDelete",
    "stockAdjust",
    "stockUpdate",
    "variantCreate",
    "variantDelete",
    "variantUpdate",
}


def _selection(of: GraphQLObjectType, depth: int) -> str:
    parts = ["__typename"]
    for name, field in of.fields.items():
        # Fields of one object are given its id or its slug: the lists have the same.
        is_one = "slug" in field.args or any(map(is_required_argument, field.args.values()))
        if is_one or not is_shared(of, name):
            continue
        inner: Any = get_named_type(field.type)
        if is_leaf_type(inner):
            parts.append(name)
        elif not isinstance(inner, GraphQLObjectType) or not _is_open(inner):
            continue
        elif "edges" in inner.fields:
            if depth:
                node: Any = get_named_type(inner.fields["edges"].type)
                below = _selection(get_named_type(node.fields["node"].type), depth - 1)
                page = "(first: 20)" if of is QUERY else "(first: 4)"
                parts.append(f"{name}{page} {{ totalCount edges {{ node {{ {below} }} }} }}")
        elif depth or not _has_id(inner):
            parts.append(f"{name} {{ {_selection(inner, depth - _has_id(inner))} }}")
    return " ".join(parts)


def _is_open(inner: GraphQLObjectType) -> bool:
    return all(is_shared(inner, name) for name in inner.fields if name not in ("stock", "user"))


def _has_id(inner: GraphQLObjectType) -> bool:
    return "id" in inner.fields


# Slugs that nothing has: looked for among the former ones too.
LOOKUPS = " ".join(
    f'{kind}(slug: "none") {{ name }}'
    for kind in ("attribute", "brand", "category", "collection", "product")
)
EVERYTHING = (
    f"{{ {_selection(QUERY, 2)} {LOOKUPS} "
    "stocked: products(filter: {inStock: true}) { totalCount } }"
)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SimpleNamespace]:
    store = local_store(tmp_path)
    with caching(monkeypatch, store) as outcomes:
        yield SimpleNamespace(kept=store, outcomes=outcomes)


@pytest.fixture
def ask() -> Callable[[], Any]:
    def send() -> Any:
        body = {"query": EVERYTHING}
        answer = Client().post("/graphql/", body, content_type="application/json").json()
        assert "errors" not in answer, answer["errors"]
        return answer

    return send


def _rows() -> dict[str, list[Any]]:
    return {
        name: list(model._base_manager.order_by("pk").values())
        for name, model in WATCHED_MODELS.items()
    }


def _commit() -> None:
    """What the commit would do: the walk's transaction is never committed."""
    hooks, connection.run_on_commit = connection.run_on_commit, []
    for _, hook, _ in hooks:
        if isinstance(hook, raising._Drop):
            hook()


@pytest.mark.parametrize("mutation", sorted(SAMPLES))
def test_no_answer_outlives_what_a_mutation_changes(
    mutation: str, call: Any, ask: Any, shop: SimpleNamespace, store: SimpleNamespace
) -> None:
    _commit()
    staff = User.objects.create_superuser("everything@example.org")
    before = ask()
    assert ask() == before
    assert store.outcomes == ["miss", "hit"]
    rows, generations = _rows(), store.kept.read("").generations
    answer = call(mutation, shop.owner if mutation in OWN else staff)
    assert "errors" not in answer
    _commit()
    changed = {name for name, found in _rows().items() if found != rows[name]}
    now = store.kept.read("").generations
    ended = {name for name in WATCHED if now[name] != generations[name]}
    assert changed <= ended
    if mutation in WRITING:
        assert changed
    after = ask()
    with override_settings(ROOT_URLCONF="shop.urls"):
        assert after == ask()


def test_everything_is_kept_and_reads_every_watched_table(
    shop: SimpleNamespace, ask: Any, store: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()
    read = tables.read

    def remember(sql: str) -> tables.Tables:
        found = read(sql)
        seen.update(found.watched)
        return found

    monkeypatch.setattr(tables, "read", remember)
    ask()
    ask()
    assert store.outcomes == ["miss", "hit"]
    assert seen == set(WATCHED)


def test_every_mutation_is_walked_over() -> None:
    assert WRITING <= SAMPLES.keys() <= FIELDS.keys()
    assert SAMPLES.keys() >= WITH_CODES
