"""Base classes of the mutations that create and update one object, and the rule for null in them.

In an update, an absent field stays, null clears the field, and null for a required field is the
user error REQUIRED. When an object is created, null equals an absent field. All errors of an input
are reported together.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import graphene
from django.db import models
from graphene.utils.str_converters import to_camel_case

from schema.base import Mutation, StaffNode
from schema.engine.connections import NodeType
from schema.inputs import load, load_any, without_nulls
from shop.errors import Required
from shop.input_errors import InputErrors

# Input fields that are no field of the object.
_CONTROL = ("id", "variant", "client_mutation_id", "idempotency_key")
# In `cleared`: null is the user error REQUIRED.
REQUIRED = object()


class NullClears(Mutation):
    """Mutation whose input follows the rule for null in an update.

    Null clears a list to an empty one, a column that allows NULL to NULL, and a text that may be
    blank to an empty text. A subclass declares in `cleared` what else null clears, and to which
    value. Null for any other field is REQUIRED. The descriptions of the input fields say which.
    """

    class Meta:
        abstract = True

    # Its model decides what null clears.
    node_type: type[NodeType]
    cleared: ClassVar[dict[str, Any]] = {}

    @classmethod
    def __init_subclass_with_meta__(cls, **options: Any) -> None:
        super().__init_subclass_with_meta__(**options)
        fields = cls._meta.arguments["input"].type.of_type._meta.fields
        for name, field in fields.items():
            if name in _CONTROL or isinstance(field.type, graphene.NonNull):
                continue
            # A copy, because the mutation that creates such an object may share the field.
            fields[name] = described = copy.copy(field)
            if "null" not in described.description.lower():
                described.description += f" {_sentence(cls._null_value(name, field))}"

    @classmethod
    def apply_nulls(cls, values: dict[str, Any], errors: InputErrors) -> dict[str, Any]:
        """`values` with what each null clears its field to. Adds Required for the other nulls."""
        fields = cls._meta.arguments["input"].type.of_type._meta.fields
        found = {}
        for name, value in values.items():
            if value is None and name not in _CONTROL:
                value = cls._null_value(name, fields[name])
            if value is REQUIRED:
                errors.add(Required(field=[to_camel_case(name)]))
            else:
                found[name] = value
        return found

    @classmethod
    def _null_value(cls, name: str, field: graphene.InputField) -> Any:
        if name in cls.cleared:
            return cls.cleared[name]
        if isinstance(field.type, graphene.List):
            return []
        columns = {column.name: column for column in cls.node_type._meta.model._meta.get_fields()}
        column = columns.get(name)
        if isinstance(column, models.Field):
            if column.null:
                return None
            if column.blank and isinstance(column, models.CharField | models.TextField):
                return ""
        return REQUIRED


class UpdateMutation(NullClears):
    """Base of the mutations that change one object, named by the input field `id`.

    A subclass declares `node_type`, `permission` and `save`, and `read` where the input holds ids,
    amounts or enum values.
    """

    class Meta:
        abstract = True

    codes: tuple[str, ...] = ("INVALID", "REQUIRED", "NOT_FOUND")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, **values: Any) -> Any:
        errors = InputErrors()
        key = values.pop("id")
        changes = cls.apply_nulls(values, errors)
        cls.read(info, changes, errors)
        with errors.collect():
            payload = cls.save(info, cls.find(info, key), changes)
        # Undoes the change: the caller's transaction ends with the error.
        errors.raise_any()
        return payload

    @classmethod
    def find(cls, info: graphene.ResolveInfo, key: str) -> Any:
        """Loads the object. Staff who may change it find it, visible or not."""
        find = load_any if issubclass(cls.node_type, StaffNode) else load
        return find(info, cls.node_type, key)

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        """Replaces ids, amounts and enum values in `values` by what the action takes."""

    @classmethod
    def save(cls, info: graphene.ResolveInfo, row: Any, changes: dict[str, Any]) -> Any:
        """Changes the object by one action and returns the payload. Raises ShopError."""
        raise NotImplementedError


class CreateMutation(Mutation):
    """Base of the mutations that create one object. A subclass declares `read` and `save`."""

    class Meta:
        abstract = True

    codes: tuple[str, ...] = ("INVALID", "REQUIRED")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, **values: Any) -> Any:
        errors = InputErrors()
        values = without_nulls(values)
        cls.read(info, values, errors)
        with errors.collect():
            payload = cls.save(info, values)
        # Undoes the creation: the caller's transaction ends with the error.
        errors.raise_any()
        return payload

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        """Replaces ids, amounts and enum values in `values` by what the action takes."""

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        """Creates the object by one action and returns the payload. Raises ShopError."""
        raise NotImplementedError


def _sentence(value: Any) -> str:
    if value is REQUIRED:
        return "Cannot be null."
    if value == []:
        return "Null removes all."
    return "Null clears it." if value in (None, "") else f"Null sets it to {value}."
