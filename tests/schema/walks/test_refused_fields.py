"""A refused field is null at its own path, and the rest of the answer stays.

Generated from the schema, so that a new root field that needs a permission is in it by itself.
"""

from typing import Any

import pytest
from django.conf import settings
from graphql import is_non_null_type, is_required_argument
from graphql_relay import to_global_id

from schema.permissions import ANYONE, permission_of
from schema.root import schema
from shop.models import User

QUERY: Any = schema.graphql_schema.query_type
REFUSABLE = [
    name
    for name in QUERY.fields
    if any(permission != ANYONE for permission, _ in permission_of(QUERY, name))
]
# Fields that refuse nobody: they show everyone their own.
OWN = {name for name in REFUSABLE if all(own_rows for _, own_rows in permission_of(QUERY, name))}


def test_no_field_that_needs_a_permission_is_non_null() -> None:
    assert not [name for name in REFUSABLE if is_non_null_type(QUERY.fields[name].type)]
    assert len(REFUSABLE) > len(OWN) > 1


def test_catalog_lists_stay_non_null() -> None:
    for name in ("products", "categories", "brands", "attributes", "collections"):
        assert is_non_null_type(QUERY.fields[name].type)


@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("name", sorted({*REFUSABLE} - OWN))
def test_a_refused_field_leaves_the_others(
    name: str, signed_in: bool, api: Any, customer: User
) -> None:
    field = QUERY.fields[name]
    type_name = getattr(field.type, "name", "")
    given = [
        f'{argument}: "{to_global_id(type_name, 1)}"'
        for argument, definition in field.args.items()
        if is_required_argument(definition)
    ]
    arguments = f"({', '.join(given)})" if given else ""
    selection = "edges { cursor }" if type_name.endswith("Connection") else "id"
    document = f"{{ shop {{ name }} asked: {name}{arguments} {{ {selection} }} }}"
    answer = api(document, customer if signed_in else None)
    assert answer["data"] == {"shop": {"name": settings.SHOP_NAME}, "asked": None}
    (error,) = answer["errors"]
    assert error["path"] == ["asked"]
    assert error["extensions"]["code"] == ("FORBIDDEN" if signed_in else "UNAUTHENTICATED")
