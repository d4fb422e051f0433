"""Querysets that are compiled once and then run with other values.

Django makes the SQL of a queryset anew whenever it is run. For rows by their keys that takes longer
than the database does, and selling is made of such statements.

    LINES = Compiled(lambda cart: CartLine.objects.filter(cart=cart).order_by("pk"))
    LINES.all(cart=7)

The statement and the objects that come of it are those of the queryset.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models.expressions import Expression
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    get_related_populators,
)
from django.db.transaction import TransactionManagementError

T = TypeVar("T")
# value, expression, connection -> value
Converter = Callable[[Any, Any, Any], Any]
# Statements of longer lists are not kept: each length is one of its own.
_KEPT_LENGTH = 100


class Slot(Expression):
    """Stands in the queryset for a value that comes when it is run."""

    def __init__(self, name: str, index: int | None = None) -> None:
        super().__init__()
        self.name = name
        self.index = index

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return "%s", [self]

    def value_in(self, values: dict[str, Any]) -> Any:
        value = values[self.name]
        return value if self.index is None else value[self.index]


class Compiled(Generic[T]):
    """A queryset with places for values.

    Args:
        build: makes the queryset, of model instances or of `values_list`; is called with a slot for
            each value, or with a list of slots where the value is a list. Its text must depend on
            nothing else: settings that tests change, and the time, are values too. Lists are looked
            for by keys of the row itself, or of another by `other__pk__in`.
    """

    def __init__(self, build: Callable[..., models.QuerySet]) -> None:
        self._build = build
        self._statements: dict[Any, _Statement | None] = {}

    def all(self, **values: Any) -> list[T]:
        """The rows for these values; each an int, a str or a list of such."""
        lengths = tuple(len(value) for value in values.values() if isinstance(value, list))
        key = (connection.vendor, *lengths)
        if key in self._statements:
            statement = self._statements[key]
        else:
            statement = self._compile(values)
            if max(lengths, default=0) <= _KEPT_LENGTH:
                self._statements[key] = statement
        return statement.run(values) if statement else []

    def first(self, **values: Any) -> T | None:
        """The first of the rows; the queryset should ask for one only."""
        return next(iter(self.all(**values)), None)

    def _compile(self, values: dict[str, Any]) -> "_Statement | None":
        slots = {
            name: [Slot(name, index) for index in range(len(value))]
            if isinstance(value, list)
            else Slot(name)
            for name, value in values.items()
        }
        try:
            return _statement(self._build(**slots))
        except EmptyResultSet:
            return None


@dataclass(frozen=True, slots=True)
class _Statement:
    """What is kept of a queryset.

    Attributes:
        params: values, and slots in the places of others.
        converters: of the columns that the database returns in another form: their positions, what
            converts them, one after the other, and the expression that it is told.
        read: makes of the rows what the queryset makes of them.
        locks: whether it is to run in a transaction.
    """

    sql: str
    params: tuple[Any, ...]
    converters: list[tuple[int, list[Converter], Any]]
    read: Callable[[Iterable[Any]], list[Any]]
    locks: bool

    def run(self, values: dict[str, Any]) -> list[Any]:
        if self.locks and not connection.in_atomic_block:
            raise TransactionManagementError("Rows are locked within transactions.")
        params = [
            param.value_in(values) if isinstance(param, Slot) else param for param in self.params
        ]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, params)
            rows: Iterable[Any] = cursor.fetchall()
        if self.converters:
            rows = [self._converted(row) for row in rows]
        return self.read(rows)

    def _converted(self, row: Iterable[Any]) -> list[Any]:
        values = list(row)
        for position, converters, expression in self.converters:
            for convert in converters:
                values[position] = convert(values[position], expression, connection)
        return values


def _statement(queryset: models.QuerySet) -> _Statement:
    query = queryset.query
    compiler = query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    columns = [column for column, *_ in compiler.select[: compiler.col_count]]
    return _Statement(
        sql=sql,
        params=tuple(params),
        converters=[
            (position, [_freed(one) for one in converters], expression)
            for position, (converters, expression) in compiler.get_converters(columns).items()
        ],
        read=_reader(queryset, compiler),
        locks=query.select_for_update and connection.features.has_select_for_update,
    )


def _freed(converter: Any) -> Converter:
    """`converter`, with the connection of whoever calls it in place of the one that it was made by.

    That belongs to a thread, and would be kept open after its end.
    """
    if getattr(converter, "__self__", None) is not connection.ops:
        return converter
    method = converter.__func__
    return lambda value, expression, own: method(own.ops, value, expression, own)


def _reader(queryset: models.QuerySet, compiler: Any) -> Callable[[Iterable[Any]], list[Any]]:
    """As the iterables of `django.db.models.query` do it, with all that is the same found once."""
    kind: Any = queryset._iterable_class
    if kind is FlatValuesListIterable:
        return lambda rows: [row[0] for row in rows]
    if kind is not ModelIterable:
        return lambda rows: [tuple(row) for row in rows]
    found = compiler.klass_info
    model, fields, alias = found["model"], found["select_fields"], connection.alias
    start, end = fields[0], fields[-1] + 1
    names = [column.target.attname for column, *_ in compiler.select[start:end]]
    # The stubs know a later Django.
    populators = get_related_populators(found, compiler.select, alias)  # type: ignore[call-arg]

    def read(rows: Iterable[Any]) -> list[Any]:
        made = []
        for row in rows:
            item = model.from_db(alias, names, row[start:end])
            for populator in populators:
                populator.populate(row, item)
            made.append(item)
        return made

    return read
