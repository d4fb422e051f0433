"""Many requests of one customer at once: one default of a kind, and never too many addresses."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from shop.actions.customers import addresses
from shop.models import Address, User

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
PARTS = {
    "name": "Ann Baker",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62704",
    "country": "US",
}
CREATE = """mutation($input: AddressCreateInput!) { addressCreate(input: $input) {
  address { id } userErrors { code } } }"""
UPDATE = """mutation($id: ID!) { addressUpdate(
  input: {id: $id, setDefaultShipping: true, setDefaultBilling: true}) {
  address { isDefaultShipping } userErrors { code } } }"""
DELETE = """mutation($id: ID!) { addressDelete(input: {id: $id}) {
  deletedId userErrors { code } } }"""
INPUT = {
    "name": "Ann Baker",
    "line1": "1 Main St",
    "city": "Springfield",
    "region": "IL",
    "postalCode": "62704",
    "country": "US",
}


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ann@example.org", "a customer password")


@pytest.fixture
def live(user: User) -> Callable[[int], list[Address]]:
    """`live(3)`: addresses of the user."""
    return lambda count: [
        addresses.create(user, line1=f"{number} Main St", **PARTS) for number in range(count)
    ]


def defaults() -> tuple[int, int]:
    return (
        Address.objects.exclude(default_shipping_key=None).count(),
        Address.objects.exclude(default_billing_key=None).count(),
    )


def test_of_many_new_defaults_one_remains(
    at_once: Any, send: Any, user: User, live: Any, gid: Any
) -> None:
    rows = live(8)
    for _ in range(3):
        answers = at_once(*[partial(send, UPDATE, user, id=gid(row)) for row in rows])
        assert [answer["data"]["addressUpdate"]["userErrors"] for answer in answers] == [[]] * 8
        assert defaults() == (1, 1)


def test_two_first_addresses_make_one_default(at_once: Any, send: Any, user: User) -> None:
    answers = at_once(*[partial(send, CREATE, user, input=INPUT)] * 8)
    assert all(answer["data"]["addressCreate"]["address"] for answer in answers)
    assert Address.objects.count() == 8
    assert defaults() == (1, 1)


def test_many_at_once_do_not_pass_the_limit(at_once: Any, send: Any, user: User, live: Any) -> None:
    live(1)
    Address.objects.bulk_create(
        [Address(user=user, line1="2 Main St", **PARTS)] * (addresses.MAX_ADDRESSES - 3)
    )
    answers = at_once(*[partial(send, CREATE, user, input=INPUT)] * 8)
    errors = [answer["data"]["addressCreate"]["userErrors"] for answer in answers]
    assert sorted(map(str, errors)) == sorted(map(str, [[]] * 2 + [[{"code": "INVALID"}]] * 6))
    assert Address.objects.count() == addresses.MAX_ADDRESSES


def test_a_default_is_deleted_while_another_becomes_it(
    at_once: Any, send: Any, user: User, live: Any, gid: Any
) -> None:
    rows = live(6)
    for gone, chosen in ((0, 1), (5, 2), (2, 3)):
        calls = [
            partial(send, DELETE, user, id=gid(rows[gone])),
            partial(send, UPDATE, user, id=gid(rows[chosen])),
            partial(send, DELETE, user, id=gid(rows[gone])),
        ]
        answers = at_once(*calls)
        assert all("errors" not in answer for answer in answers)
        deleted = [answers[place]["data"]["addressDelete"]["userErrors"] for place in (0, 2)]
        assert sorted(map(len, deleted)) == [0, 1]
        assert defaults() == (1, 1)


def test_each_customer_has_defaults_of_their_own(at_once: Any, send: Any, user: User) -> None:
    others = [User.objects.create_user(f"{number}@example.org") for number in range(4)]
    answers = at_once(*[partial(send, CREATE, other, input=INPUT) for other in (user, *others)])
    assert all(answer["data"]["addressCreate"]["address"] for answer in answers)
    assert defaults() == (5, 5)
