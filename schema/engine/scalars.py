"""Scalars that keep their promise in both directions."""

import datetime
import re
from contextlib import suppress
from decimal import Decimal as PythonDecimal
from typing import Any

import graphene
from graphql import GraphQLError, GraphQLScalarType, IntValueNode, StringValueNode

_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_DATE_TIME_DESCRIPTION = """
A date and a time with an offset (RFC 3339), such as "2026-12-01T00:00:00+01:00" or
"2026-12-01T00:00:00Z". A date alone, or a time without an offset, is refused. Answers are in UTC.
""".strip()
_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)


class Decimal(graphene.Scalar):
    """A decimal number as a string, such as "12.50": exact, never a binary float."""

    @staticmethod
    def serialize(value: Any) -> str:
        return str(value)

    @staticmethod
    def parse_value(value: Any) -> PythonDecimal:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise GraphQLError('A Decimal is a string of digits such as "12.50".')
        return PythonDecimal(value)

    @staticmethod
    def parse_literal(node: Any, variables: Any = None) -> PythonDecimal:
        if not isinstance(node, StringValueNode | IntValueNode):
            raise GraphQLError('A Decimal is a string of digits such as "12.50".')
        return Decimal.parse_value(node.value)


def require_offsets(scalar: GraphQLScalarType) -> None:
    """Makes Graphene's DateTime refuse input without a time or without an offset.

    The type itself is changed, because Graphene allows one class of this name in a schema, and its
    own is what fields, inputs and filters use.
    """
    scalar.description = _DATE_TIME_DESCRIPTION
    scalar.specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339"
    scalar.parse_value = _parse_date_time  # type: ignore[method-assign]
    scalar.parse_literal = _parse_date_time_literal  # type: ignore[method-assign]


def _parse_date_time(value: Any) -> datetime.datetime:
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        with suppress(ValueError):
            return datetime.datetime.fromisoformat(value.upper())
    raise GraphQLError(
        'Send a date and a time with an offset (RFC 3339), such as "2026-12-01T00:00:00+01:00" or '
        '"2026-12-01T00:00:00Z".'
    )


def _parse_date_time_literal(node: Any, variables: Any = None) -> datetime.datetime:
    return _parse_date_time(node.value if isinstance(node, StringValueNode) else None)


def in_utc(value: datetime.datetime) -> datetime.datetime:
    """An aware time in UTC."""
    try:
        return value.astimezone(datetime.UTC)
    except OverflowError:
        # Beyond the first or the last day of the calendar there is nothing else.
        first = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)
        last = datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=datetime.UTC)
        return first if value.year == 1 else last
