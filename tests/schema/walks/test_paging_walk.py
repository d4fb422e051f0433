"""Pages of every connection, in every ordering and both directions: each row once, in one order.

Generated from the schema, over data in which memberships overlap and sort values are equal.
"""

import base64
import datetime
import json
from contextlib import suppress
from decimal import Decimal as PythonDecimal
from typing import Any

import graphene
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.test import RequestFactory
from graphene.types.enum import EnumMeta
from graphql import GraphQLError
from graphql_relay import to_global_id

from schema.base import Decimal
from schema.engine import execution
from schema.engine.execution import Executor
from schema.engine.filters import apply_filter
from schema.types.catalog.filters import AttributeCondition
from shop.models import User
from shop.models.fields import PathRelation
from tests.engine.paths import COMPILED, GENERIC, run
from tests.kept import Kept
from tests.schema.crowd import ROWS, Listed, connections, make_crowd, may_tie

# The generic path serves what the compiled one cannot: its pages are cut in the same places.
WALKS = ((COMPILED, 1), (COMPILED, 2), (COMPILED, 7), (GENERIC, 2))
PAGE = "edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
CONNECTIONS = connections()


@pytest.fixture(scope="session")
def _kept_crowd(django_db_setup: None, django_db_blocker: Any) -> Kept:
    with django_db_blocker.unblock():
        return Kept("crowd", make_crowd)


@pytest.fixture
def crowd(db: None, _kept_crowd: Kept) -> tuple[User, dict[str, list[str]]]:
    """A user who sees all rows, and the ids of two parents of each nested connection."""
    return _kept_crowd.copied() if connection.in_atomic_block else make_crowd()


class Pager:
    """Asks for pages of one connection in one ordering.

    Args:
        parents: global ids of the parents, whose pages are asked for together; none at the root.
        order: as in the document, such as "{field: NAME, direction: ASC}"; empty for the default.
        total: select the number of all rows.
    """

    def __init__(
        self, listed: Listed, viewer: User, parents: list[str], order: str, *, total: bool = False
    ) -> None:
        by = f", orderBy: {order}" if order else ""
        arguments = f"first: $first, after: $after, last: $last, before: $before{by}"
        count = " totalCount" if total else ""
        selection = f"{listed.name}({arguments}) {{ {PAGE}{count} }}"
        if parents:
            selection = f"nodes(ids: $ids) {{ ... on {listed.type_name} {{ {selection} }} }}"
        ids = "$ids: [ID!]!, " if parents else ""
        page = "$first: Int, $after: String, $last: Int, $before: String"
        self._document = f"query({ids}{page}) {{ {selection} }}"
        self._listed, self._viewer, self._parents = listed, viewer, parents

    def pages(self, executor: Executor, **arguments: Any) -> list[dict[str, Any]]:
        """The page of each parent; one at the root."""
        # A cursor belongs to the list of one parent.
        continues = arguments.get("after") or arguments.get("before")
        parents = self._parents[:1] if continues else self._parents
        variables = {"ids": parents, **arguments} if parents else arguments
        answer = json.loads(run(executor, self._document, variables, self._viewer))
        assert not answer["errors"], (self._document, answer["errors"])
        found = answer["data"]["nodes"] if self._parents else [answer["data"]]
        return [item[self._listed.name] for item in found]

    def walk(self, executor: Executor, size: int, *, backward: bool, most: int) -> list[str]:
        """Ids of the first parent's rows, page by page, until there are more than `most`."""
        seen: list[str] = []
        cursor = None
        while len(seen) <= most:
            wanted = (
                {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
            )
            page = self.pages(executor, **wanted)[0]
            seen = [*_ids(page), *seen] if backward else [*seen, *_ids(page)]
            info = page["pageInfo"]
            if not info["hasPreviousPage" if backward else "hasNextPage"]:
                break
            cursor = info["startCursor" if backward else "endCursor"]
        return seen


def _ids(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


def _sort_values(page: dict[str, Any]) -> list[Any]:
    cursors = [edge["cursor"] for edge in page["edges"]]
    return [json.loads(base64.urlsafe_b64decode(cursor + "==="))[1] for cursor in cursors]


def _orders(listed: Listed) -> dict[str, str]:
    """Orderings as documents have them, with the sort column; the default one comes first."""
    named = {
        f"{{field: {name}, direction: {direction}}}": sort.column
        for name, sort in listed.field.orderings.items()
        for direction in ("ASC", "DESC")
    }
    return {"": "pk", **named}


@pytest.mark.parametrize("listed", CONNECTIONS, ids=lambda listed: listed.label)
def test_pages_of_every_size_are_the_whole_list_in_its_order(
    listed: Listed, crowd: tuple[User, dict[str, list[str]]]
) -> None:
    viewer, parents_of = crowd
    parents = parents_of[listed.label]
    lists: dict[str, list[str]] = {}
    execution.counts.clear()
    for order, column in _orders(listed).items():
        whole = Pager(listed, viewer, parents, order, total=True).pages(COMPILED, first=100)
        rows = lists[order] = _ids(whole[0])
        assert len(rows) == len(set(rows)) == whole[0]["totalCount"] >= ROWS, order
        if "__" in str(listed.link):
            assert len({*rows} & {*_ids(whole[1])}) >= ROWS - 1, "memberships do not overlap"
        values = _sort_values(whole[0])
        assert not order or values == sorted(values, reverse="DESC" in order), order
        if order and may_tie(listed.model, column):
            assert 1 < len(set(values)) < len(values), f"no ties in {order}"
        pager = Pager(listed, viewer, parents, order)
        for backward in (False, True):
            for executor, size in WALKS:
                walked = pager.walk(executor, size, backward=backward, most=len(rows))
                assert walked == rows, (order, size, backward, executor is GENERIC)
    for order, rows in lists.items():
        assert rows == lists[order.replace("DESC", "ASC")][:: -1 if "DESC" in order else 1]
    assert not [count for count in execution.counts if count[0] == "fallback"]


FILTERED = sorted(
    {item.field.filterset: item for item in CONNECTIONS if item.field.filterset}.values(),
    key=lambda item: item.label,
)


@pytest.mark.parametrize("listed", FILTERED, ids=lambda listed: listed.label)
def test_no_filter_joins_several_rows_to_one(listed: Listed, staff: User) -> None:
    filterset = listed.field.filterset
    request = RequestFactory().post("/graphql/")
    request.user = staff
    for name, condition in filterset.base_filters.items():
        prepared = {name: condition.prepare(_sample(condition.graphql_type))}
        rows = apply_filter(filterset, prepared, listed.field.root_rows(request))
        assert _multiplied(rows) == [], name


@pytest.mark.parametrize("listed", CONNECTIONS, ids=lambda listed: listed.label)
def test_no_viewer_reads_rows_through_a_join_to_several(
    listed: Listed, staff: User, customer: User
) -> None:
    asked = 0
    for user in (AnonymousUser(), customer, staff):
        request = RequestFactory().post("/graphql/")
        request.user = user
        with suppress(GraphQLError):
            assert _multiplied(listed.field.root_rows(request)) == []
            asked += 1
    assert asked


def _multiplied(rows: QuerySet) -> list[str]:
    """Tables that are joined by a relation to several rows."""
    joins = rows.query.alias_map.items()
    fields = {name: getattr(join, "join_field", None) for name, join in joins}
    return [
        name
        for name, field in fields.items()
        if isinstance(field, PathRelation)
        or (isinstance(field, ForeignObjectRel) and not field.one_to_one)
    ]


def _sample(graphql_type: Any) -> Any:
    """A value that a filter of this type may be given."""
    if isinstance(graphql_type, graphene.NonNull):
        return _sample(graphql_type.of_type)
    if isinstance(graphql_type, graphene.List):
        return [_sample(graphql_type.of_type)]
    if isinstance(graphql_type, EnumMeta):
        return next(iter(graphql_type._meta.enum))
    return {
        graphene.Boolean: True,
        graphene.Int: 1,
        graphene.String: "DE",
        graphene.ID: to_global_id("User", 1),
        graphene.DateTime: datetime.datetime.now(datetime.UTC),
        AttributeCondition: {"attribute": "size", "in_": ["large"]},
        Decimal: PythonDecimal(1),
    }[graphql_type]
