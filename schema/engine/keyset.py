"""Keyset pagination: orderings, cursors, and the condition "after this row".

A page begins where a cursor points, by the values of the sort column and the key, so page 1,000
costs what page 1 costs and rows that come or go elsewhere never shift it
(https://use-the-index-luke.com/no-offset).
"""

import base64
import binascii
import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Expression, F, OrderBy

from schema.engine.errors import BadRequest

DEFAULT_SIZE = 20
MAX_SIZE = 100
_MAX_CURSOR = 2000


# A place in an ordering: the expressions of its sort value and key.
Bound = tuple[Any, Any] | None


@dataclass(frozen=True)
class SortField:
    """One public ordering, by `column` and then by primary key.

    Attributes:
        column: a column that is never null; a path through the link of a nested connection is
            allowed ("items__position").
        description: for the schema.
    """

    column: str
    description: str


@dataclass(frozen=True)
class Ordering:
    """A sort field in one direction.

    Attributes:
        tag: names the type, the sort field and the direction, such as "Product:NAME:asc".
        link: of a nested list, the path from its rows to the parent; empty in a root list.
    """

    tag: str
    column: str
    descending: bool
    link: str = ""

    def list_tag(self, parent: Any = None) -> str:
        """Prefix of the cursors of one list; in a nested list it contains the key of the parent."""
        return f"{self.tag}:{self.link}:{parent}" if self.link else self.tag

    def annotate(self, rows: models.QuerySet) -> models.QuerySet:
        """`rows` with the sort value as `_sort`.

        The page, its cursors and its order all read this annotation. Naming the column again in a
        filter would join a to-many relation a second time and compare rows of two joins.
        """
        return rows.annotate(_sort=F(self.column))

    def terms(self, *, reverse: bool = False) -> list[OrderBy]:
        """ORDER BY terms for annotated rows; `reverse` for paging backward."""
        descending = self.descending != reverse
        return [OrderBy(F(column), descending=descending) for column in self._columns()]

    def restrict(self, rows: models.QuerySet, after: Bound, before: Bound) -> models.QuerySet:
        """The annotated rows strictly between two places, each a pair of expressions."""
        columns = self._columns()
        for bound, is_after in ((after, True), (before, False)):
            if bound is not None:
                operator = ">" if is_after != self.descending else "<"
                values = bound[-len(columns) :]
                rows = rows.filter(RowComparison([F(name) for name in columns], operator, values))
        return rows

    def _columns(self) -> list[str]:
        return ["pk"] if self.column == "pk" else ["_sort", "pk"]


@dataclass(frozen=True)
class Position:
    """The place of one row in an ordering.

    Attributes:
        parent: key of the parent whose list the cursor belongs to, as text; empty in a root list.
    """

    value: Any
    key: Any
    parent: str = ""


@dataclass(frozen=True)
class Page:
    """What the page arguments of a connection ask for."""

    size: int
    backward: bool = False
    after: Position | None = None
    before: Position | None = None

    def check_parent(self, parent: Any) -> None:
        """Raises BadRequest for a cursor that belongs to the list of another parent."""
        for argument, place in (("after", self.after), ("before", self.before)):
            if place is not None and place.parent != str(parent):
                raise _of_another_list(argument)


def page_from(arguments: dict[str, Any], ordering: Ordering, model: type[models.Model]) -> Page:
    """The page of rows of `model` that Relay's arguments describe.

    Raises:
        BadRequest: a size below 0 or above MAX_SIZE, both `first` and `last`, or a cursor that is
            garbage or of another ordering.
    """
    first, last = arguments.get("first"), arguments.get("last")
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 0 <= size <= MAX_SIZE:
            raise BadRequest(
                f"`{name}` must be from 0 to {MAX_SIZE}, not {size}.", argument=name, max=MAX_SIZE
            )
    if first is not None and last is not None:
        raise BadRequest("Give `first` or `last`, not both.", argument="last")
    column, key = sort_column(model, ordering.column), model._meta.pk
    after, before = (
        None if cursor is None else decode_cursor(cursor, ordering, column, key, name)
        for name in ("after", "before")
        for cursor in [arguments.get(name)]
    )
    if last is not None:
        return Page(last, backward=True, after=after, before=before)
    return Page(DEFAULT_SIZE if first is None else first, after=after, before=before)


def encode_cursor(list_tag: str, value: Any, key: Any) -> str:
    """An opaque cursor for the row with this sort value and key, bound to a list and ordering."""
    if isinstance(value, datetime.datetime):
        value = value.isoformat()
    text = json.dumps([list_tag, value, key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(
    cursor: str,
    ordering: Ordering,
    column: models.Field,
    key: models.Field,
    argument: str = "after",
) -> Position:
    """The position that `cursor` stands for. `Page.check_parent` checks its parent later.

    Args:
        argument: where the client wrote it.

    Raises:
        BadRequest: not a cursor, or one of another list or ordering.
    """
    try:
        if len(cursor) > _MAX_CURSOR:
            raise ValueError("too long")
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        tag, value, pk = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        name, _, rest = tag.partition(":")
        found, link, parent = _split(rest)
        if tag == ordering.list_tag(parent):
            return Position(_sort_value(value, column), _sort_value(pk, key), parent)
    except (
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
        binascii.Error,
        ValidationError,
    ) as error:
        raise BadRequest("This is not a cursor of this connection.", argument=argument) from error
    own_name, _, own = ordering.tag.partition(":")
    if (name, link) == (own_name, ordering.link) and found != own:
        raise BadRequest("This cursor belongs to another ordering.", argument="orderBy")
    raise _of_another_list(argument)


def _split(tag: str) -> tuple[str, str, str]:
    """Ordering, link and parent of a list tag without its type; empty where there is none."""
    field, direction, *nested = tag.split(":", 2)
    link, _, parent = nested[0].partition(":") if nested else ("", "", "")
    return f"{field}:{direction}", link, parent


def _of_another_list(argument: str) -> BadRequest:
    return BadRequest("This cursor belongs to another list.", argument=argument)


def _sort_value(value: Any, column: Any) -> Any:
    """The value of a cursor as `column` holds it. Raises ValueError for one that it never holds."""
    if isinstance(column, models.GeneratedField):
        return _sort_value(value, column.output_field)
    if isinstance(column, models.IntegerField):
        if type(value) is int and abs(value) < 2**63:
            return value
    elif isinstance(value, str):
        if isinstance(column, models.DateTimeField):
            moment = datetime.datetime.fromisoformat(value.replace("\x00", "?"))
            if moment.tzinfo is not None and not moment.utcoffset():
                return moment
        elif "\x00" not in value:
            # Raises for half of a surrogate pair, which no database holds.
            value.encode()
            return value
    raise ValueError("no value of this column")


class RowComparison(Expression):
    """`(a, b) > (x, y)`, as a row comparison where the engine uses an index for it.

    MariaDB does not, so there it is spelled out with a leading range on `a`.
    """

    conditional = True
    output_field = models.BooleanField()

    def __init__(self, columns: Sequence[Any], operator: str, values: Sequence[Any]) -> None:
        super().__init__()
        self.columns = list(columns)
        self.operator = operator
        self.values = list(values)

    def get_source_expressions(self) -> list[Any]:
        return [*self.columns, *self.values]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        half = len(self.columns)
        self.columns, self.values = list(exprs[:half]), list(exprs[half:])

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        left, left_params = self._row(compiler, self.columns)
        right, right_params = self._row(compiler, self.values)
        return f"({left}) {self.operator} ({right})", [*left_params, *right_params]

    def as_mysql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        if len(self.columns) == 1:
            return self.as_sql(compiler, connection)
        columns = [compiler.compile(column) for column in self.columns]
        values = [compiler.compile(value) for value in self.values]
        ((a, a_params), (b, b_params)), ((x, x_params), (y, y_params)) = columns, values
        sql = f"({a} {self.operator}= {x} AND ({a} {self.operator} {x} OR {b} {self.operator} {y}))"
        params = [*a_params, *x_params, *a_params, *x_params, *b_params, *y_params]
        return sql, params

    @staticmethod
    def _row(compiler: Any, expressions: Sequence[Any]) -> tuple[str, list[Any]]:
        parts, params = [], []
        for expression in expressions:
            sql, expression_params = compiler.compile(expression)
            parts.append(sql)
            params.extend(expression_params)
        return ", ".join(parts), params


def sort_column(model: type[models.Model], path: str) -> models.Field:
    """The model field at the end of `path`, which may go through relations."""
    if path == "pk":
        return model._meta.pk
    field: Any = None
    for step in path.split("__"):
        field = model._meta.get_field(step)
        model = field.related_model or model
    return field


def bound_of(position: Position | None, ordering: Ordering, model: type[models.Model]) -> Bound:
    """`position` as expressions."""
    if position is None:
        return None
    column = sort_column(model, ordering.column)
    return (
        models.Value(position.value, output_field=column),
        models.Value(position.key, output_field=model._meta.pk),
    )
