"""What inputs name: rows by their global ids, and amounts."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import graphene
from django.conf import settings
from django.db import models
from django.db.models import QuerySet
from graphene.utils.str_converters import to_camel_case

from schema.engine.connections import NodeType
from schema.engine.nodes import decode_id
from shop import errors
from shop.input_errors import InputErrors
from shop.money import parse_minor


def load(
    info: graphene.ResolveInfo, node_type: type[NodeType], global_id: str, field: str = "id"
) -> Any:
    """The row of a global id, if the viewer may see it.

    Raises:
        BadRequest: not an id of this type.
        NotFound: no such row, or not for this viewer.
    """
    return _found(info, node_type, node_type.rows(info.context), global_id, field)


def load_any(
    info: graphene.ResolveInfo, node_type: type[NodeType], global_id: str, field: str = "id"
) -> Any:
    """As `load`, whether the viewer may see it or not: the mutation's own permission lets to it."""
    return _found(info, node_type, node_type._meta.model.objects.all(), global_id, field)


def _found(
    info: graphene.ResolveInfo,
    node_type: type[NodeType],
    rows: QuerySet,
    global_id: str,
    field: str,
) -> Any:
    _, pk = decode_id(info.schema, global_id, node_type._meta.name)
    row = rows.filter(pk=pk).first()
    if row is None:
        raise errors.NotFound(f"There is no such {node_type._meta.name}.", field=[field])
    return row


def load_all(
    info: graphene.ResolveInfo, node_type: type[NodeType], global_ids: list[str], field: str
) -> list[models.Model]:
    """As `load`, for a list: all rows in the order of their ids, in one statement."""
    keys = [decode_id(info.schema, item, node_type._meta.name)[1] for item in global_ids]
    rows = node_type.rows(info.context).in_bulk(keys)
    found = InputErrors()
    message = f"There is no such {node_type._meta.name}."
    for index, key in enumerate(keys):
        if key not in rows:
            found.add(errors.NotFound(message, field=[field, str(index)]))
    found.raise_any()
    return [rows[key] for key in keys]


def replace(
    values: dict[str, Any], name: str, found: InputErrors, convert: Callable[[Any], Any]
) -> None:
    """Replaces the input field `name` by what `convert` makes of it, unless it is absent or null.

    A value that `convert` refuses is removed, so that the rest of the input can be checked.
    """
    if values.get(name) is None:
        return
    value = values.pop(name)
    with found.collect():
        values[name] = convert(value)


def rename(values: dict[str, Any], name: str, to: str) -> None:
    """Renames the input field `name`, where actions and columns use another name."""
    if name in values:
        values[to] = values.pop(name)


def replace_amounts(values: dict[str, Any], found: InputErrors, *names: str) -> None:
    """As `replace`, for amounts in the shop's currency, none of which may be below zero."""
    for name in names:
        field = [to_camel_case(name)]

        def convert(amount: Decimal, field: list[str] = field) -> int | None:
            if amount < 0:
                raise errors.InvalidPrice("An amount must not be below zero.", field=field)
            return minor_units(amount, field)

        replace(values, name, found, convert)


def without_nulls(value: Any) -> Any:
    """The input without fields that are null, at every level."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def minor_units(amount: Decimal | None, field: list[str]) -> int | None:
    """An input amount in minor units of the shop's currency.

    Raises:
        InvalidPrice: more decimal places than the currency has, or too large.
    """
    if amount is None:
        return None
    try:
        return parse_minor(amount, settings.SHOP_CURRENCY)
    except ValueError as error:
        raise errors.InvalidPrice(field=field) from error
