"""Filter arguments: one typed input object per FilterSet, with nested operators.

The filter `price__min` of a FilterSet becomes `price: {min: ...}` in the schema; a filter without
`__` becomes a plain input field. Two rules make a FilterSet static, so that its SQL can be reused
for other values:

- `prepare` turns an input value into scalars, or lists and dicts of scalars;
- `filter` only passes those scalars on to the ORM, and never looks at them. Booleans are the
  exception: they are part of the query's shape.

Filters must not multiply rows: reach through relations with subqueries, never with joins.
"""

import datetime
import functools
from typing import Any

import django_filters
import graphene
from django.db.models import QuerySet
from graphene.utils.str_converters import to_camel_case

from schema.engine.errors import BadRequest
from schema.engine.scalars import in_utc

_MAX_LIST = 100
_MAX_TEXT = 1000


class FilterMixin:
    """A filter with the GraphQL type and description of its input field."""

    def __init__(self, graphql_type: Any, description: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.graphql_type = graphql_type
        self.description = description

    def prepare(self, value: Any) -> Any:
        """The scalars to filter by. Raises BadRequest for a value that makes no sense."""
        return value


class TextFilter(FilterMixin, django_filters.CharFilter):
    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(graphene.String, description, **kwargs)


class BooleanFilter(FilterMixin, django_filters.BooleanFilter):
    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(graphene.Boolean, description, **kwargs)


class DateTimeFilter(FilterMixin, django_filters.IsoDateTimeFilter):
    """A time with an offset."""

    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(graphene.DateTime, description, **kwargs)

    def prepare(self, value: datetime.datetime) -> datetime.datetime:
        return in_utc(value)


class ValueFilter(FilterMixin, django_filters.Filter):
    """A filter by lists or input objects."""

    def __init__(self, graphql_type: Any, description: str, **kwargs: Any) -> None:
        super().__init__(graphql_type, description, **kwargs)

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        # An empty list asks for rows that match one of no values: there are none.
        if value == []:
            return qs.none()
        return super().filter(qs, value)


class EnumListFilter(ValueFilter):
    """Any of several members of a Graphene enum, compared by their values."""

    def __init__(self, enum: Any, description: str, **kwargs: Any) -> None:
        super().__init__(graphene.List(graphene.NonNull(enum)), description, **kwargs)

    def prepare(self, value: list[Any]) -> list[str]:
        return [str(member.value) for member in value]


class SearchFilter(TextFilter):
    """All words of a text must be contained in one column.

    Args:
        fold: how the column's text was normalised; words are normalised alike.
    """

    def __init__(self, description: str, *, fold: Any, **kwargs: Any) -> None:
        super().__init__(description, **kwargs)
        self._fold = fold

    def prepare(self, value: str) -> list[str]:
        # Ten words are more than people type, and bound the statement.
        return [self._fold(word) for word in value.split()[:10]]

    def filter(self, qs: QuerySet, value: list[Any]) -> QuerySet:
        for word in value:
            qs = qs.filter(**{f"{self.field_name}__contains": word})
        return qs


Prepared = dict[str, Any]


def prepare_filter(filterset: Any, values: dict[str, Any] | None) -> Prepared:
    """The scalars of a filter input, by filter name; empty conditions are left out.

    Raises:
        BadRequest: a value is not acceptable; says which.
    """
    if not values:
        return {}
    filters = _instance(filterset).filters
    prepared = {}
    for name, value in _flatten(filterset, values).items():
        _check(value, name)
        prepared[name] = filters[name].prepare(value)
    return prepared


def apply_filter(filterset: Any, prepared: Prepared, queryset: QuerySet) -> QuerySet:
    """`queryset` narrowed by prepared values, or by slots in their places."""
    if not prepared:
        return queryset
    filters = _instance(filterset).filters
    for name, value in prepared.items():
        queryset = filters[name].filter(queryset, value)
    return queryset


def filter_input(filterset: type[django_filters.FilterSet], name: str) -> type:
    """The GraphQL input object type `name` for `filterset`."""
    plain: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for key, item in filterset.base_filters.items():
        field = graphene.InputField(item.graphql_type, description=item.description)
        outer, _, inner = key.partition("__")
        if not inner:
            plain[outer] = field
        elif inner == "in":
            field.name = "in"
            nested.setdefault(outer, {})["in_"] = field
        else:
            nested.setdefault(outer, {})[inner] = field
    descriptions = getattr(filterset, "operator_descriptions", {})
    for outer, fields in nested.items():
        title = to_camel_case(f"_{outer}")
        description = f"Conditions on {descriptions.get(outer, outer)}."
        operators = type(
            f"{name}{title}", (graphene.InputObjectType,), {**fields, "__doc__": description}
        )
        plain[outer] = graphene.InputField(operators, description=description)
    return type(name, (graphene.InputObjectType,), {**plain, "__doc__": filterset.__doc__})


@functools.cache
def _instance(filterset: Any) -> Any:
    """One instance for all requests: filters keep no state, and copying them is slow."""
    return filterset(data=None, queryset=QuerySet())


def _flatten(filterset: type[django_filters.FilterSet], values: dict[str, Any]) -> dict[str, Any]:
    flat = {}
    for key, value in values.items():
        if key in filterset.base_filters or not isinstance(value, dict):
            flat[key] = value
        else:
            flat |= {f"{key}__{inner.rstrip('_')}": item for inner, item in value.items()}
    # As in a form, an empty text is no condition.
    return {key: value for key, value in flat.items() if value not in (None, "")}


def _client_name(name: str) -> str:
    """The name of a filter as clients write it: `brand__in` is `brand.in`."""
    return ".".join(to_camel_case(part) for part in name.split("__"))


def _check(value: Any, name: str) -> None:
    """Raises BadRequest for text that no database holds, and for lists beyond reason."""
    if isinstance(value, str) and ("\x00" in value or len(value) > _MAX_TEXT):
        raise BadRequest(
            f"Text has at most {_MAX_TEXT} characters and no NUL.",
            argument=f"filter.{_client_name(name)}",
        )
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        if len(value) > _MAX_LIST:
            raise BadRequest(
                f"A filter takes at most {_MAX_LIST} values.",
                argument=f"filter.{_client_name(name)}",
            )
        for item in value:
            _check(item, name)
