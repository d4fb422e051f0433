"""Copies of rows, until every connection of the schema has enough to page through.

Built from the schema and the models: a new connection is in it as soon as `make_shop` has one row
of its type.
"""

import datetime
import itertools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Count, F
from django.test import RequestFactory
from graphql import GraphQLObjectType
from graphql_relay import to_global_id

from schema.engine.connections import ConnectionField
from schema.root import schema
from shop.actions import audit
from shop.actions.catalog import categories
from shop.models import Category, Order, Product, User
from shop.models.fields import PathRelation
from tests.schema.one_of_everything import make_shop

# Rows of a connection: pages of 1, 2 and 7 end within it and on its last row.
ROWS = 9
# Columns that have to change with a sort column, where a constraint ties them together.
TOGETHER = {(Order, "total"): ("subtotal", "total")}

_numbers = itertools.count(1_000)


@dataclass(frozen=True)
class Listed:
    """A connection field with its parent type."""

    type_name: str
    name: str
    field: ConnectionField

    @property
    def label(self) -> str:
        return f"{self.type_name}.{self.name}"

    @property
    def link(self) -> str | None:
        return self.field._link

    @property
    def model(self) -> type[models.Model]:
        return self.field.node_type._meta.model

    @property
    def parent_model(self) -> type[models.Model]:
        return schema.graphql_schema.type_map[self.type_name].graphene_type._meta.model


def connections() -> list[Listed]:
    """Every connection field of the schema."""
    return [
        Listed(name, field_name, connection)
        for name, item in schema.graphql_schema.type_map.items()
        if isinstance(item, GraphQLObjectType)
        for field_name, field in item.fields.items()
        if (connection := getattr(field.resolve, "connection", None)) is not None
    ]


def make_crowd() -> tuple[User, dict[str, list[str]]]:
    """A user who sees all rows, and global ids of two parents of each nested connection.

    Both parents of a connection over a to-many relation list the same rows, in opposite orders.
    """
    viewer = make_shop().owner
    User.objects.filter(pk=viewer.pk).update(is_staff=True, is_superuser=True)
    viewer = User.objects.get(pk=viewer.pk)
    request = RequestFactory().post("/graphql/")
    request.user = viewer
    audit.refuse(viewer, "brandDelete", "192.0.2.1")
    _grow_trees()
    parents = {}
    for listed in connections():
        rows = [_crowd(listed, request)] if listed.link is None else _crowds(listed, request)
        parents[listed.label] = [
            to_global_id(listed.type_name, parent.pk) for parent in rows if parent is not None
        ]
    _tie()
    return viewer, parents


def _crowd(listed: Listed, request: Any) -> None:
    """Rows of a root connection."""
    if listed.model is not Category:
        sample = listed.field.root_rows(request).first()
        assert sample is not None, f"make_shop has no row for {listed.label}"
        for _ in range(ROWS - 1):
            clone(sample)


def _crowds(listed: Listed, request: Any) -> list[models.Model]:
    """Rows of a nested connection, of two parents."""
    steps = str(listed.link).split("__")
    first = listed.model._meta.get_field(steps[0])
    if any(isinstance(field, PathRelation) for field in _fields_on(listed.model, steps)):
        deepest = Category.objects.order_by("-depth", "pk")
        if listed.model is Category:
            return list(deepest[:2])
        return list(Category.objects.filter(descendants=deepest[0]).order_by("depth")[:2])
    if listed.model is Category:
        # `_grow_trees` made its children: copies of one would have no path.
        return list(Category.objects.annotate(size=Count("children")).order_by("-size")[:2])
    sample = listed.field.root_rows(request).first()
    assert sample is not None, f"make_shop has no row for {listed.label}"
    if len(steps) == 1:
        key = getattr(sample, steps[0])
        parents = listed.parent_model._base_manager
        parent = parents.first() if key is None else parents.get(pk=key)
        for _ in range(ROWS):
            clone(sample, **{steps[0]: parent.pk})
        return [parent, clone(parent)]
    # The rows between the two: each child is linked to both parents.
    through, child_key, parent_key = first.related_model, first.field.attname, steps[1]
    sample = listed.field.root_rows(request).last()
    parents = [clone(listed.parent_model._base_manager.last()) for _ in range(2)]
    children = [clone(sample) for _ in range(ROWS)]
    for parent, ordered in zip(parents, (children, children[::-1]), strict=True):
        for place, child in enumerate(ordered):
            link = through(**{child_key: child.pk, parent_key: parent.pk})
            if hasattr(link, "position"):
                link.position = place // 2
            through._base_manager.bulk_create([link])
    return parents


def _fields_on(model: type[models.Model], steps: Iterable[str]) -> list[Any]:
    fields = []
    for step in steps:
        field = model._meta.get_field(step)
        fields.append(field)
        model = field.related_model or model
    return fields


def _grow_trees() -> None:
    """A category with many children, and a deep tree with products on every level of it."""
    wide = categories.create(name="Same")
    for _ in range(ROWS):
        categories.create(name="Same", parent=wide)
    product = Product.objects.filter(status="published").first()
    parent = None
    for _ in range(ROWS + 1):
        parent = categories.create(name="Same", parent=parent)
        clone(product, category_id=parent.pk)
    for _ in range(2):
        categories.create(name="Same", parent=parent)


def clone(row: models.Model, **changes: Any) -> Any:
    """A copy of `row` with `changes`, and with new values where they must be unique."""
    model = type(row)
    columns = [f for f in model._meta.concrete_fields if not f.primary_key and not f.generated]
    values = {f.attname: getattr(row, f.attname) for f in columns}
    fresh = {f.attname: _fresh(f, row) for f in columns if f.unique and f.attname not in changes}
    for constraint in model._meta.total_unique_constraints:
        names = [model._meta.get_field(name).attname for name in constraint.fields]
        if not fresh.keys() & set(names):
            # The last column is the one within the others, such as a position in an order.
            name = next(name for name in reversed(names) if name not in changes)
            fresh[name] = _fresh(model._meta.get_field(name), row)
    # Not by `save`, which would make new keys of what is the same.
    (made,) = model._base_manager.bulk_create([model(**(values | fresh | changes))])
    return made


def _fresh(field: Any, row: models.Model) -> Any:
    if field.null and not field.is_relation:
        return None
    if field.is_relation:
        return clone(getattr(row, field.name)).pk
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.IntegerField):
        return next(_numbers)
    return uuid.uuid4().hex[: field.max_length]


def _tie() -> None:
    """Gives every sort column three values, or two and null, each on several rows."""
    for model, column in {
        (listed.model, sort.column)
        for listed in connections()
        for sort in listed.field.orderings.values()
        if "__" not in sort.column
    }:
        field = model._meta.get_field(column)
        if may_tie(model, column):
            names = TOGETHER.get((model, column)) or [_source(field)]
            fields = [model._meta.get_field(name) for name in names]
            keys = list(model._base_manager.values_list("pk", flat=True))
            for step in range(3):
                changes = {f.name: _tied(f, step, is_alone=names == [column]) for f in fields}
                model._base_manager.filter(pk__in=keys[step::3]).update(**changes)


def may_tie(model: type[models.Model], column: str) -> bool:
    """Whether two rows of one parent may have the same value."""
    if "__" in column:
        return True
    # A position in an order is never taken twice; a country has tax rates of several categories.
    pairs = [constraint.fields for constraint in model._meta.total_unique_constraints]
    within = any(column in names and len(names) == 2 for names in pairs)
    return column != "depth" and not model._meta.get_field(column).unique and not within


def _source(field: Any) -> str:
    """The column that a generated one is computed from, or the column itself."""
    if not isinstance(field, models.GeneratedField):
        return field.name
    return next(part.name for part in field.expression.flatten() if isinstance(part, F))


def _tied(field: Any, step: int, *, is_alone: bool) -> Any:
    if field.null and step == 2:
        return None
    if isinstance(field, models.DateTimeField):
        start = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
        return start + datetime.timedelta(microseconds=step)
    if isinstance(field, models.IntegerField):
        return 1 + step if is_alone else F(field.name) + step
    return ("same", "Same", "same ")[step][: field.max_length]
