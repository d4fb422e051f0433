"""Every mutation of the schema, called by everyone: who is let through, and nobody else writes.

Generated from the schema: a mutation without a sample input (samples.py) fails the suite.
"""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from schema.base import Mutation
from schema.permissions import ANYONE, SIGNED_IN
from shop.models import User
from tests.schema.samples import FIELDS, GUARDED, OPEN, OWN, SAMPLES, WITH_CODES, permissions_needed


def test_there_is_a_sample_input_for_every_guarded_mutation() -> None:
    assert SAMPLES.keys() - OPEN == {*GUARDED, *OWN}


@pytest.mark.parametrize("mutation", sorted(FIELDS))
def test_each_mutation_declares_who_may_call_it(mutation: str) -> None:
    mutation_class = FIELDS[mutation].resolve.__self__
    assert issubclass(mutation_class, Mutation)
    assert (mutation_class.permission == ANYONE) == (mutation in OPEN)
    assert (mutation_class.permission == SIGNED_IN) == (mutation in OWN)


@pytest.mark.parametrize("mutation", GUARDED)
def test_description_names_the_permission(mutation: str) -> None:
    for permission in permissions_needed(mutation):
        assert f"Needs the permission `{permission}`." in FIELDS[mutation].description


@pytest.mark.parametrize("mutation", sorted(OPEN))
def test_description_of_an_open_mutation_says_so(mutation: str) -> None:
    assert "Open to anyone." in FIELDS[mutation].description


@pytest.mark.parametrize("mutation", sorted(OWN))
def test_what_is_for_everyone_says_so_and_refuses_nobody_else_than_strangers(
    mutation: str, call: Any, dump: Any, shop: SimpleNamespace
) -> None:
    assert "Open to everyone who is signed in." in FIELDS[mutation].description
    before = dump()
    answer = call(mutation, None)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
    assert answer["data"] == {mutation: None}
    assert dump() == before
    answer = call(mutation, shop.owner)
    if mutation in WITH_CODES:
        assert "errors" not in answer
    else:
        assert answer == {"data": {mutation: {"userErrors": []}}}
        assert dump() != before


@pytest.mark.parametrize("mutation", GUARDED)
@pytest.mark.parametrize(
    ("caller", "code"),
    [("nobody", "UNAUTHENTICATED"), ("customer", "FORBIDDEN"), ("clerk", "FORBIDDEN")],
)
def test_refused_without_the_permission_and_nothing_is_written(
    caller: str, code: str, mutation: str, call: Any, dump: Any
) -> None:
    user = None
    if caller != "nobody":
        user = User.objects.create_user("someone@example.org", is_staff=caller == "clerk")
    for wanted in sorted(permissions_needed(mutation)):
        if user is not None and user.is_staff:
            # Every other permission of the shop does not help.
            others = Permission.objects.exclude(codename=wanted.removeprefix("shop."))
            user.user_permissions.set(others)
        before = dump()
        answer = call(mutation, user)
        assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
        assert answer["data"] == {mutation: None}
        # That a member of staff tried is written down (test_audit.py), and nothing else.
        assert dump() | {"shop.AuditEntry": []} == before | {"shop.AuditEntry": []}


@pytest.mark.parametrize("mutation", GUARDED)
def test_let_through_with_just_the_declared_permissions(
    mutation: str, call: Any, dump: Any
) -> None:
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    for permission in permissions_needed(mutation):
        app, _, codename = permission.partition(".")
        clerk.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    before = dump()
    assert call(mutation, clerk) == {"data": {mutation: {"userErrors": []}}}
    assert dump() != before


def test_a_disabled_member_of_staff_is_refused(call: Any, dump: Any) -> None:
    user = User.objects.create_superuser("gone@example.org", is_active=False)
    before = dump()
    answer = call("productCreate", user)
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in answer
    assert dump() == before
