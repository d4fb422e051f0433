"""Filter arguments: one typed input object per FilterSet, with nested operators.

The filter `price__min` of a FilterSet becomes `price: {min: ...}` in the schema; a filter without
`__` becomes a plain input field. Filters must not multiply rows: reach through relations with
subqueries, never with joins.
"""

from typing import Any

import django_filters
import graphene
from django.db.models import QuerySet
from graphene.utils.str_converters import to_camel_case

from schema.engine.errors import BadRequest

_MAX_LIST = 100


class FilterMixin:
    """A filter with the GraphQL type and description of its input field."""

    def __init__(self, graphql_type: Any, description: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.graphql_type = graphql_type
        self.description = description


class TextFilter(FilterMixin, django_filters.CharFilter):
    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(graphene.String, description, **kwargs)


class BooleanFilter(FilterMixin, django_filters.BooleanFilter):
    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(graphene.Boolean, description, **kwargs)


class DateTimeFilter(FilterMixin, django_filters.IsoDateTimeFilter):
    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(graphene.DateTime, description, **kwargs)


class ValueFilter(FilterMixin, django_filters.Filter):
    """A filter whose value GraphQL has checked already: enums, lists, input objects."""

    def __init__(self, graphql_type: Any, description: str, **kwargs: Any) -> None:
        super().__init__(graphql_type, description, **kwargs)

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        if isinstance(value, list) and len(value) > _MAX_LIST:
            raise BadRequest(f"A filter takes at most {_MAX_LIST} values.", argument="filter")
        # An empty list asks for rows that match one of no values: there are none.
        if value == []:
            return qs.none()
        return super().filter(qs, value)


class EnumListFilter(ValueFilter):
    """Any of several members of a Graphene enum, compared by their values."""

    def __init__(self, enum: Any, description: str, **kwargs: Any) -> None:
        super().__init__(graphene.List(graphene.NonNull(enum)), description, **kwargs)

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        return super().filter(qs, value and [member.value for member in value])


def filter_input(filterset: type[django_filters.FilterSet], name: str) -> type:
    """The GraphQL input object type `name` for `filterset`."""
    plain: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for key, item in filterset.base_filters.items():
        field = graphene.InputField(item.graphql_type, description=item.description)
        outer, _, inner = key.partition("__")
        if inner:
            nested.setdefault(outer, {})[f"{inner}_" if inner == "in" else inner] = (
                field if inner != "in" else _named(field, "in")
            )
        else:
            plain[outer] = field
    descriptions = getattr(filterset, "operator_descriptions", {})
    for outer, fields in nested.items():
        title = to_camel_case(outer)
        title = title[0].upper() + title[1:]
        operators = type(
            f"{name}{title}",
            (graphene.InputObjectType,),
            {**fields, "__doc__": f"Conditions on {descriptions.get(outer, outer)}."},
        )
        plain[outer] = graphene.InputField(
            operators, description=f"Conditions on {descriptions.get(outer, outer)}."
        )
    return type(name, (graphene.InputObjectType,), {**plain, "__doc__": filterset.__doc__})


def apply_filter(
    filterset: type[django_filters.FilterSet], values: dict[str, Any], queryset: QuerySet
) -> QuerySet:
    """`queryset` narrowed by the values of a filter input.

    Raises:
        BadRequest: a value is not acceptable; says which.
    """
    bound = filterset(data=_flatten(filterset, values), queryset=queryset)
    if not bound.is_valid():
        field, messages = next(iter(bound.errors.items()))
        name = ".".join(to_camel_case(part) for part in field.split("__"))
        raise BadRequest(f"filter.{name}: {' '.join(messages)}", argument=f"filter.{name}")
    return bound.qs


def _named(field: graphene.InputField, name: str) -> graphene.InputField:
    field.name = name
    return field


def _flatten(filterset: type[django_filters.FilterSet], values: dict[str, Any]) -> dict[str, Any]:
    flat = {}
    for key, value in values.items():
        if key in filterset.base_filters or not isinstance(value, dict):
            flat[key] = value
        else:
            flat |= {f"{key}__{inner.rstrip('_')}": item for inner, item in value.items()}
    for key, value in flat.items():
        if isinstance(value, str) and "\x00" in value:
            raise BadRequest("Text must not contain NUL characters.", argument=f"filter.{key}")
    return {key: value for key, value in flat.items() if value is not None}
