"""Addresses in the API: everyone keeps their own, and nobody those of others."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from shop.actions.customers import addresses
from shop.models import Address, User

PARTS = """id name company line1 line2 district city region postalCode country phone
isDefaultShipping isDefaultBilling formatted"""
HOME = {
    "name": "Ann Baker",
    "line1": "1 Main St",
    "city": "Springfield",
    "region": "Illinois",
    "postalCode": "62704",
    "country": "us",
    "phone": "(217) 555-0100",
}
STORED = {
    "name": "Ann Baker",
    "line1": "1 Main St",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62704",
    "country": "US",
}
MINE = f"{{ viewer {{ addresses {{ totalCount edges {{ node {{ {PARTS} }} }} }} }} }}"
NODE = "query($id: ID!) { node(id: $id) { ... on Address { line1 } } }"
CALLS = {
    "addressCreate": lambda address: HOME,
    "addressUpdate": lambda address: {"id": address, "line1": "2 Main St"},
    "addressDelete": lambda address: {"id": address},
}


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_user("bob@example.org", "another password")


@pytest.fixture
def call(api: Any) -> Callable[..., dict[str, Any]]:
    """`call("addressCreate", user, **values)`: the whole answer."""

    def send(mutation: str, user: User | None, /, **values: Any) -> dict[str, Any]:
        selection = "deletedId" if mutation == "addressDelete" else f"address {{ {PARTS} }}"
        document = (
            f"mutation($input: {mutation[0].upper()}{mutation[1:]}Input!) {{ "
            f"{mutation}(input: $input) {{ {selection} userErrors {{ code message field }} }} }}"
        )
        return api(document, user, input=values)

    return send


@pytest.fixture
def add(call: Any) -> Callable[..., dict[str, Any]]:
    """`add(user, line1="2 Main St")`: the new address."""

    def send(user: User, **values: Any) -> dict[str, Any]:
        payload = call("addressCreate", user, **HOME | values)["data"]["addressCreate"]
        assert payload["userErrors"] == []
        return payload["address"]

    return send


def defaults(user: User) -> dict[str, str | None]:
    """The first line of each default."""
    mine = Address.objects.filter(user=user)
    return {
        "shipping": mine.filter(default_shipping_key=user.pk).values_list("line1", flat=True).get(),
        "billing": mine.filter(default_billing_key=user.pk).values_list("line1", flat=True).get(),
    }


# --- Keeping ------------------------------------------------------------------------------------


def test_an_address_is_stored_as_its_country_writes_it(add: Any, api: Any, customer: User) -> None:
    address = add(customer)
    assert {name: address[name] for name in ("region", "country", "phone", "company")} == {
        "region": "IL",
        "country": "US",
        "phone": "+12175550100",
        "company": "",
    }
    assert address["formatted"] == [
        "Ann Baker",
        "1 Main St",
        "SPRINGFIELD, IL 62704",
        "UNITED STATES",
    ]
    assert api(MINE, customer)["data"]["viewer"]["addresses"] == {
        "totalCount": 1,
        "edges": [{"node": address}],
    }


def test_the_first_address_is_the_default_for_everything(add: Any, customer: User) -> None:
    first = add(customer)
    second = add(customer, line1="2 Main St")
    assert (first["isDefaultShipping"], first["isDefaultBilling"]) == (True, True)
    assert (second["isDefaultShipping"], second["isDefaultBilling"]) == (False, False)


def test_the_payload_shows_what_was_stored(add: Any, api: Any, customer: User) -> None:
    sent = {"city": "Singapore", "region": "SG", "district": "Orchard", "postalCode": "238801"}
    address = add(customer, country="SG", phone="+65 6123 4567;ext=12", **sent)
    assert {name: address[name] for name in (*sent, "line2", "phone")} == {
        "city": "",
        "region": "",
        "district": "",
        "postalCode": "238801",
        "line2": "Orchard",
        "phone": "+6561234567;ext=12",
    }
    assert api(MINE, customer)["data"]["viewer"]["addresses"]["edges"] == [{"node": address}]


def test_a_new_default_takes_the_place_of_the_old(
    add: Any, call: Any, customer: User, other: User
) -> None:
    first = add(customer)
    add(other, line1="9 Elm St")
    add(customer, line1="2 Main St", setDefaultShipping=True)
    assert defaults(customer) == {"shipping": "2 Main St", "billing": "1 Main St"}
    third = add(customer, line1="3 Main St")
    call("addressUpdate", customer, id=third["id"], setDefaultBilling=True)
    assert defaults(customer) == {"shipping": "2 Main St", "billing": "3 Main St"}
    values = {"setDefaultBilling": True, "setDefaultShipping": True}
    answer = call("addressUpdate", customer, id=first["id"], **values)
    assert answer["data"]["addressUpdate"]["address"]["isDefaultShipping"] is True
    assert defaults(customer) == {"shipping": "1 Main St", "billing": "1 Main St"}
    # False leaves it alone, and so does null.
    values = {"setDefaultBilling": False, "setDefaultShipping": None}
    call("addressUpdate", customer, id=first["id"], **values)
    assert defaults(customer) == {"shipping": "1 Main St", "billing": "1 Main St"}
    assert defaults(other) == {"shipping": "9 Elm St", "billing": "9 Elm St"}


def test_the_newest_takes_the_place_of_a_deleted_default(
    add: Any, call: Any, customer: User
) -> None:
    first, second = add(customer), add(customer, line1="2 Main St")
    third = add(customer, line1="3 Main St")
    call("addressUpdate", customer, id=second["id"], setDefaultBilling=True)
    answer = call("addressDelete", customer, id=first["id"])["data"]["addressDelete"]
    assert answer == {"deletedId": first["id"], "userErrors": []}
    assert defaults(customer) == {"shipping": "3 Main St", "billing": "2 Main St"}
    call("addressDelete", customer, id=third["id"])
    assert defaults(customer) == {"shipping": "2 Main St", "billing": "2 Main St"}
    call("addressDelete", customer, id=second["id"])
    assert not Address.objects.exists()


def test_only_what_is_given_is_changed(add: Any, call: Any, customer: User) -> None:
    address = add(customer, company="Bakery")
    changes = {"name": "Ann B. Baker", "company": None}
    answer = call("addressUpdate", customer, id=address["id"], **changes)["data"]["addressUpdate"]
    formatted = ["Ann B. Baker", *address["formatted"][2:]]
    expected = address | {"name": "Ann B. Baker", "company": "", "formatted": formatted}
    assert answer == {"address": expected, "userErrors": []}


def test_moving_abroad_checks_the_whole_anew(add: Any, call: Any, customer: User) -> None:
    address = add(customer)
    answer = call("addressUpdate", customer, id=address["id"], country="GB")
    (error,) = answer["data"]["addressUpdate"]["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["postalCode"])
    abroad = {"country": "GB", "city": "London", "postalCode": "sw1a 2aa"}
    answer = call("addressUpdate", customer, id=address["id"], **abroad)
    moved = answer["data"]["addressUpdate"]["address"]
    assert (moved["region"], moved["postalCode"]) == ("", "SW1A 2AA")


@pytest.mark.parametrize("mutation", ["addressCreate", "addressUpdate"])
def test_every_fault_is_told_at_its_field_and_nothing_is_written(
    mutation: str, add: Any, call: Any, customer: User, dump: Any
) -> None:
    address = add(customer)
    wrong = {"name": "", "region": "Kent", "postalCode": "", "phone": "12"}
    values = {"id": address["id"]} if mutation == "addressUpdate" else HOME
    before = dump()
    payload = call(mutation, customer, **values | wrong)["data"][mutation]
    assert payload["address"] is None
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [
        ("REQUIRED", ["name"]),
        ("REQUIRED", ["postalCode"]),
        ("INVALID", ["phone"]),
    ]
    assert all(error["message"].endswith(".") for error in payload["userErrors"])
    assert dump() == before


def test_an_account_has_at_most_fifty(add: Any, call: Any, customer: User, dump: Any) -> None:
    addresses.create(customer, **STORED)
    rows = [Address(user=customer, **STORED) for _ in range(addresses.MAX_ADDRESSES - 2)]
    Address.objects.bulk_create(rows)
    add(customer, line1="50 Main St")
    before = dump()
    (error,) = call("addressCreate", customer, **HOME)["data"]["addressCreate"]["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", [])
    assert "50" in error["message"]
    assert dump() == before


# --- Whose --------------------------------------------------------------------------------------


def test_addresses_of_others_answer_as_missing_ones(
    call: Any, customer: User, other: User, staff: User, gid: Any, unknown: Any, dump: Any
) -> None:
    address = gid(addresses.create(customer, **STORED))
    before = dump()
    for mutation in ("addressUpdate", "addressDelete"):
        # Not even those who see all addresses change them here.
        for user in (other, staff):
            answers = [
                call(mutation, user, **CALLS[mutation](global_id))
                for global_id in (address, unknown("Address"))
            ]
            assert answers[0] == answers[1]
            (error,) = answers[0]["data"][mutation]["userErrors"]
            assert (error["code"], error["field"]) == ("NOT_FOUND", ["id"])
    assert dump() == before


@pytest.mark.parametrize("mutation", CALLS)
def test_nobody_keeps_addresses_without_signing_in(
    mutation: str, call: Any, customer: User, gid: Any, dump: Any
) -> None:
    address = gid(addresses.create(customer, **STORED))
    before = dump()
    answer = call(mutation, None, **CALLS[mutation](address))
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
    assert dump() == before


@pytest.mark.parametrize("mutation", ["addressUpdate", "addressDelete"])
def test_an_id_of_something_else_is_refused(
    mutation: str, call: Any, customer: User, unknown: Any
) -> None:
    answer = call(mutation, customer, id=unknown("Brand"))
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_staff_keep_their_own_like_everyone(add: Any, call: Any, staff: User) -> None:
    address = add(staff)
    answer = call("addressUpdate", staff, id=address["id"], line1="2 Main St")
    assert answer["data"]["addressUpdate"]["address"]["line1"] == "2 Main St"


def test_who_sees_users_does_not_see_where_they_live(
    api: Any, customer: User, other: User, gid: Any
) -> None:
    """Each asks in both orders, so that no plan of one serves another."""
    address = addresses.create(customer, **STORED)
    support = User.objects.create_user("support@example.org", is_staff=True)
    support.user_permissions.add(Permission.objects.get(codename="view_user"))
    dispatch = User.objects.create_user("dispatch@example.org", is_staff=True)
    wanted = ["view_user", "view_address"]
    dispatch.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    document = """query($id: ID!) { node(id: $id) { ... on User { email addresses {
      totalCount edges { node { line1 } } } } } }"""
    people = [None, other, support, dispatch, customer]
    for user in [*people, *reversed(people)]:
        sees_user = user in (support, dispatch, customer)
        sees_address = user in (dispatch, customer)
        found = api(document, user, id=gid(customer))["data"]["node"]
        assert (found is not None) == sees_user
        if found:
            edges = [{"node": {"line1": "1 Main St"}}] if sees_address else []
            assert found["addresses"] == {"totalCount": len(edges), "edges": edges}
        node = api(NODE, user, id=gid(address))["data"]["node"]
        assert node == ({"line1": "1 Main St"} if sees_address else None)


# --- Rules --------------------------------------------------------------------------------------

RULES = """query($country: String!) { addressRules(country: $country) { country name requiredParts
allowedParts regionType regions { code name } postalCodeType postalCodePattern
postalCodeExamples } }"""


def test_anyone_learns_what_a_form_needs(api: Any) -> None:
    rules = api(RULES, country="us")["data"]["addressRules"]
    assert (rules["country"], rules["name"]) == ("US", "UNITED STATES")
    assert rules["requiredParts"] == ["NAME", "LINE1", "CITY", "REGION", "POSTAL_CODE"]
    assert "DISTRICT" not in rules["allowedParts"]
    assert {"code": "IL", "name": "Illinois"} in rules["regions"]
    assert (rules["regionType"], rules["postalCodeType"]) == ("state", "zip")
    assert rules["postalCodePattern"] == r"(\d{5})(?:[ \-](\d{4}))?"
    assert rules["postalCodeExamples"][0] == "95014"
    rules = api(RULES, country="IE")["data"]["addressRules"]
    assert {"code": "Co. Kerry", "name": "Co. Kerry"} in rules["regions"]
    rules = api(RULES, country="GB")["data"]["addressRules"]
    assert (rules["regionType"], rules["regions"]) == ("", [])


@pytest.mark.parametrize("country", ["XX", "ZZ", "all", "", "../us", "ßß", "\x00"])
def test_no_rules_for_what_is_no_country(country: str, api: Any) -> None:
    assert api(RULES, country=country) == {"data": {"addressRules": None}}


def test_anyone_learns_which_countries_there_are(api: Any) -> None:
    found = api("{ countries { code name } }")["data"]["countries"]
    assert {"code": "CH", "name": "SWITZERLAND"} in found
    names = [country["name"] for country in found]
    assert (len(names), names) == (252, sorted(names))
    assert all(len(country["code"]) == 2 for country in found)
