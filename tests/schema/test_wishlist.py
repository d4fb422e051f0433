"""Wishlists in the API: everyone has one, and nobody sees that of others."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from shop.actions.catalog import products, variants
from shop.actions.reviews import wishlist
from shop.models import AuditEntry, User, Variant, WishlistItem

MINE = """{ viewer { wishlist { totalCount edges { node {
  id variantId createdAt variant { sku } } } } } }"""
NODE = "query($id: ID!) { node(id: $id) { ... on WishlistItem { variant { sku } } } }"


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_user("bob@example.org", "another password")


@pytest.fixture
def call(api: Any) -> Callable[..., dict[str, Any]]:
    """`call("wishlistAdd", user, variant)`: the whole answer."""

    def send(mutation: str, user: User | None, variant: str) -> dict[str, Any]:
        chosen = "wishlistItem { id variant { sku } }" if mutation == "wishlistAdd" else "deletedId"
        document = (
            f"mutation($v: ID!) {{ {mutation}(input: {{variant: $v}}) {{ "
            f"{chosen} userErrors {{ code field }} }} }}"
        )
        return api(document, user, v=variant)

    return send


@pytest.fixture
def add(call: Any) -> Callable[..., dict[str, Any]]:
    """`add(user, variant)`: the item."""

    def send(user: User, variant: str) -> dict[str, Any]:
        payload = call("wishlistAdd", user, variant)["data"]["wishlistAdd"]
        assert payload["userErrors"] == []
        return payload["wishlistItem"]

    return send


@pytest.fixture
def wished(api: Any) -> Callable[[User], list[str | None]]:
    """`wished(user)`: the SKUs on their list, the newest first; None for what is not for sale."""

    def ask(user: User) -> list[str | None]:
        found = api(MINE, user)["data"]["viewer"]["wishlist"]
        assert found["totalCount"] == len(found["edges"])
        variants = [edge["node"]["variant"] for edge in found["edges"]]
        return [variant and variant["sku"] for variant in variants]

    return ask


def test_what_is_added_is_on_the_list_the_newest_first(
    add: Any, wished: Any, mug: SimpleNamespace, customer: User, other: User
) -> None:
    for place in (0, 2, 1):
        add(customer, mug.variants[place])
    add(other, mug.variants[3])
    assert wished(customer) == ["MUG-1-M", "MUG-1-L", "MUG-1-S"]
    assert wished(other) == ["MUG-1-X"]


def test_adding_again_and_removing_again_change_nothing(
    add: Any, call: Any, wished: Any, mug: SimpleNamespace, customer: User, dump: Any
) -> None:
    item = add(customer, mug.variants[0])
    before = dump()
    assert add(customer, mug.variants[0]) == item
    assert dump() == before
    removed = call("wishlistRemove", customer, mug.variants[0])["data"]["wishlistRemove"]
    assert removed == {"deletedId": item["id"], "userErrors": []}
    assert wished(customer) == []
    before = dump()
    again = call("wishlistRemove", customer, mug.variants[0])["data"]["wishlistRemove"]
    assert again == {"deletedId": None, "userErrors": []}
    assert dump() == before


def test_what_is_withdrawn_stays_on_the_list_unseen_and_can_be_removed(
    add: Any, call: Any, wished: Any, api: Any, mug: SimpleNamespace, customer: User
) -> None:
    add(customer, mug.variants[0])
    products.set_status(mug.row, "draft")
    assert wished(customer) == [None]
    (edge,) = api(MINE, customer)["data"]["viewer"]["wishlist"]["edges"]
    assert edge["node"]["variantId"] == mug.variants[0]
    answer = call("wishlistRemove", customer, edge["node"]["variantId"])["data"]["wishlistRemove"]
    assert answer["userErrors"] == []
    assert answer["deletedId"]
    assert wished(customer) == []


def test_a_deleted_variant_leaves_all_lists(
    add: Any, wished: Any, mug: SimpleNamespace, customer: User
) -> None:
    add(customer, mug.variants[0])
    add(customer, mug.variants[1])
    variants.delete(Variant.objects.get(sku="MUG-1-S"))
    assert wished(customer) == ["MUG-1-M"]


@pytest.mark.parametrize("mutation", ["wishlistAdd", "wishlistRemove"])
def test_hidden_variants_answer_as_missing_ones(
    mutation: str, call: Any, mug: SimpleNamespace, customer: User, unknown: Any, dump: Any
) -> None:
    products.set_status(mug.row, "archived")
    before = dump()
    answers = [
        call(mutation, customer, variant) for variant in (mug.variants[0], unknown("Variant"))
    ]
    assert answers[0] == answers[1]
    errors = answers[0]["data"][mutation]["userErrors"]
    assert errors == [{"code": "NOT_FOUND", "field": ["variant"]}]
    assert dump() == before


@pytest.mark.parametrize("mutation", ["wishlistAdd", "wishlistRemove"])
def test_nobody_wishes_without_signing_in(
    mutation: str, call: Any, mug: SimpleNamespace, dump: Any
) -> None:
    before = dump()
    answer = call(mutation, None, mug.variants[0])
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
    assert dump() == before


@pytest.mark.parametrize("mutation", ["wishlistAdd", "wishlistRemove"])
def test_an_id_of_something_else_is_refused(
    mutation: str, call: Any, mug: SimpleNamespace, customer: User
) -> None:
    answer = call(mutation, customer, mug.id)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_list_has_at_most_five_hundred(
    add: Any, call: Any, mug: SimpleNamespace, customer: User, dump: Any
) -> None:
    rows = [
        Variant(product=mug.row, options_key=str(number), position=number)
        for number in range(wishlist.MAX_ITEMS - 1)
    ]
    Variant.objects.bulk_create(rows)
    WishlistItem.objects.bulk_create(WishlistItem(user=customer, variant=row) for row in rows)
    item = add(customer, mug.variants[0])
    before = dump()
    answer = call("wishlistAdd", customer, mug.variants[1])["data"]["wishlistAdd"]
    assert answer == {"wishlistItem": None, "userErrors": [{"code": "INVALID", "field": []}]}
    # What is there already is found all the same.
    assert add(customer, mug.variants[0]) == item
    assert dump() == before


def test_nobody_sees_the_list_of_others_not_even_staff(
    add: Any, api: Any, mug: SimpleNamespace, customer: User, other: User, staff: User, gid: Any
) -> None:
    item = add(customer, mug.variants[0])
    document = """query($id: ID!) { node(id: $id) { ... on User { email wishlist {
      totalCount edges { node { id } } } } } }"""
    people = [None, other, staff, customer]
    for user in [*people, *reversed(people)]:
        node = api(NODE, user, id=item["id"])["data"]["node"]
        assert node == ({"variant": {"sku": "MUG-1-S"}} if user == customer else None)
        found = api(document, user, id=gid(customer))["data"]["node"]
        if user in (staff, customer):
            assert found["wishlist"]["totalCount"] == (1 if user == customer else 0)
        else:
            assert found is None


def test_what_staff_wish_is_recorded_as_all_that_they_write(
    add: Any, call: Any, mug: SimpleNamespace, staff: User
) -> None:
    for _ in range(2):
        add(staff, mug.variants[0])
    for _ in range(2):
        call("wishlistRemove", staff, mug.variants[0])
    entries = AuditEntry.objects.filter(object_type="WishlistItem").order_by("pk")
    assert [entry.action for entry in entries] == ["wishlist_item.create", "wishlist_item.delete"]
