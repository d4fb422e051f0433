"""Scalars that keep their promise in both directions."""

import datetime
import re
from decimal import Decimal as PythonDecimal
from typing import Any

import graphene
from django.utils import timezone
from graphql import GraphQLError, IntValueNode, StringValueNode

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


def in_utc(value: datetime.datetime) -> datetime.datetime:
    """A time that a client gave, aware and in UTC; one without a zone is in UTC already."""
    if timezone.is_naive(value):
        return value.replace(tzinfo=datetime.UTC)
    try:
        return value.astimezone(datetime.UTC)
    except OverflowError:
        # Beyond the first or the last day of the calendar there is nothing else.
        first = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)
        last = datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=datetime.UTC)
        return first if value.year == 1 else last
