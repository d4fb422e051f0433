"""Owners who decide about each other at the same moment, and one address taken by two."""

from typing import Any

import pytest

from shop.actions import accounts
from shop.actions.customers import privileges, users
from shop.actions.customers.roles import Role, active_owners
from shop.errors import BeyondYourPermissions, DuplicateEmail, LastOwner
from shop.models import User

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
UPDATE = """mutation($i: UserUpdateInput!) { userUpdate(input: $i) {
  user { id } userErrors { code } } }"""
CREATE = """mutation($i: UserCreateInput!) { userCreate(input: $i) {
  user { id } userErrors { code } } }"""


def owner(name: str) -> User:
    user = User.objects.create_user(f"{name}@example.org", "a password")
    privileges.make_owner(user)
    # As in a request: what they may do was looked up before they decide.
    assert user.has_perm("shop.delete_user")
    return user


def fresh(user: User) -> User:
    """A row of its own for each of those who decide."""
    return User.objects.get(pk=user.pk)


WAYS = {
    "demote": lambda user, by: users.update(fresh(user), by=by, roles=[Role.MANAGER]),
    "deactivate": lambda user, by: users.deactivate(fresh(user), by=by),
    "delete": lambda user, by: accounts.remove(fresh(user), by=by),
}


@pytest.mark.parametrize("attempt", range(3))
@pytest.mark.parametrize("second", WAYS)
@pytest.mark.parametrize("first", WAYS)
def test_two_owners_who_undo_each_other_leave_one(
    first: str, second: str, attempt: int, at_once: Any
) -> None:
    one, two = owner("one"), owner("two")
    results = at_once(lambda: WAYS[first](two, by=one), lambda: WAYS[second](one, by=two))
    (refused,) = [result for result in results if isinstance(result, Exception)]
    assert type(refused) is LastOwner
    assert active_owners().count() == 1


@pytest.mark.parametrize("attempt", range(5))
def test_a_role_and_a_superuser_who_undo_each_other_leave_one(attempt: int, at_once: Any) -> None:
    one, two = owner("one"), User.objects.create_superuser("two@example.org", "a password")
    results = at_once(
        lambda: users.update(fresh(two), by=one, roles=[]),
        lambda: users.update(fresh(one), by=two, roles=[]),
    )
    (refused,) = [item for item in results if isinstance(item, Exception)]
    # Superusers are beyond everyone who is no owner any more.
    assert type(refused) in (LastOwner, BeyondYourPermissions)
    assert active_owners().count() == 1


@pytest.mark.parametrize("attempt", range(5))
def test_of_three_the_one_who_was_demoted_first_demotes_nobody(attempt: int, at_once: Any) -> None:
    one, two, three = (owner(name) for name in ("one", "two", "three"))
    results = at_once(
        lambda: users.update(fresh(two), by=one, roles=[]),
        lambda: users.update(fresh(one), by=two, roles=[]),
    )
    refused = [type(item) for item in results if isinstance(item, Exception)]
    assert refused == [BeyondYourPermissions]
    assert active_owners().filter(pk=three.pk).exists()
    assert active_owners().count() == 2


@pytest.mark.parametrize("attempt", range(5))
def test_over_the_api_one_of_two_owners_stays(
    attempt: int, at_once: Any, send: Any, gid: Any
) -> None:
    one, two = owner("one"), owner("two")
    answers = at_once(
        lambda: send(UPDATE, one, i={"id": gid(two), "roles": []}),
        lambda: send(UPDATE, two, i={"id": gid(one), "roles": []}),
    )
    # The later one is refused for the last owner, or came when they could not ask any more.
    codes = [
        error.get("code") or error["extensions"]["code"]
        for answer in answers
        for error in answer.get("errors") or answer["data"]["userUpdate"]["userErrors"]
    ]
    assert codes in (["LAST_OWNER"], ["FORBIDDEN"])
    assert active_owners().count() == 1


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_accounts_with_one_address_one_is_made(
    attempt: int, at_once: Any, send: Any, staff: User
) -> None:
    answers = at_once(
        lambda: send(CREATE, staff, i={"email": "Bea@example.org"}),
        lambda: send(CREATE, staff, i={"email": "bea@Example.org"}),
    )
    codes = [e["code"] for answer in answers for e in answer["data"]["userCreate"]["userErrors"]]
    assert codes == ["DUPLICATE_EMAIL"]
    assert User.objects.filter(email_key="bea@example.org").count() == 1


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_users_who_are_given_one_address_one_gets_it(
    attempt: int, at_once: Any, staff: User
) -> None:
    ann, bea = (User.objects.create_user(f"{name}@example.org") for name in ("ann", "bea"))
    results = at_once(
        *[
            lambda user=user: users.update(user, by=staff, email="c@example.org")
            for user in (ann, bea)
        ]
    )
    assert {type(result) for result in results} == {User, DuplicateEmail}
