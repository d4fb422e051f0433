"""Users through the API: who sees whom, and how staff find them."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from schema.engine import execution
from shop.actions.accounts import erasing
from shop.actions.customers import users
from shop.actions.customers.roles import Role
from shop.models import User

LIST = """query($f: UserFilter, $o: UserOrder) {
  users(filter: $f, orderBy: $o) { totalCount edges { node { email } } } }"""
ONE = "query($id: ID!) { user(id: $id) { email roles } node(id: $id) { id } }"
FIELDS = "email name isStaff isActive isConfirmed confirmedAt lastLogin roles"


@pytest.fixture
def people(staff: User, customer: User) -> dict[str, User]:
    """The superuser, a customer, another one, and one of each role."""
    made = {
        role.value: users.create(by=staff, email=f"{role.value}@shop.example", roles=[role])
        for role in Role
    }
    other = users.create(by=staff, email="Zoe@Example.com", name="Zoë ÉMILE-Straße")
    return {"superuser": staff, "customer": customer, "other": other, **made}


@pytest.fixture
def find(people: dict[str, User], api: Any) -> Any:
    """`find(search="ann")`: the names of the people found, as the superuser finds them."""
    names = {user.email: name for name, user in people.items()}

    def send(**given: Any) -> list[str]:
        answer = api(LIST, people["superuser"], f=given, o={"field": "CREATED"})
        edges = answer["data"]["users"]["edges"]
        assert len(edges) == answer["data"]["users"]["totalCount"]
        return [names[edge["node"]["email"]] for edge in edges]

    return send


SEEING = {"superuser", "owner", "manager", "support", "read_only"}


def test_lists_are_for_those_who_may_see_users(people: Any, api: Any) -> None:
    for name, user in {**people, "nobody": None}.items():
        answer = api(LIST, user)
        if name in SEEING:
            assert answer["data"]["users"]["totalCount"] == len(people)
            continue
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == ("FORBIDDEN" if user else "UNAUTHENTICATED")
        assert "@" not in str(answer)


def test_everyone_sees_themself_and_staff_see_others(people: Any, api: Any, gid: Any) -> None:
    for name, user in {**people, "nobody": None}.items():
        for other in people.values():
            data = api(ONE, user, id=gid(other))["data"]
            if name in SEEING or user == other:
                assert (data["user"]["email"], data["node"]["id"]) == (other.email, gid(other))
            else:
                assert data == {"user": None, "node": None}


def test_a_user_tells_roles_and_state(people: Any, api: Any, gid: Any) -> None:
    document = f"query($id: ID!) {{ user(id: $id) {{ {FIELDS} }} viewer {{ {FIELDS} }} }}"
    joined = datetime.datetime(2026, 2, 3, tzinfo=datetime.UTC)
    User.objects.update(confirmed_at=joined)
    User.objects.filter(pk=people["support"].pk).update(confirmed_at=None, is_active=False)
    data = api(document, people["read_only"], id=gid(people["support"]))["data"]
    assert data["user"] == {
        "email": "support@shop.example",
        "name": "",
        "isStaff": True,
        "isActive": False,
        "isConfirmed": False,
        "confirmedAt": None,
        "lastLogin": None,
        "roles": ["SUPPORT"],
    }
    told = {name: data["viewer"][name] for name in ("roles", "isConfirmed", "confirmedAt")}
    assert told == {
        "roles": ["READ_ONLY"],
        "isConfirmed": True,
        "confirmedAt": joined.isoformat(),
    }


def test_whoever_signs_in_is_told_their_roles(people: Any, api: Any) -> None:
    document = """mutation { tokenAuth(input: {email: "staff@example.org",
      password: "a staff password"}) { user { roles lastLogin } } }"""
    user = api(document)["data"]["tokenAuth"]["user"]
    assert user["roles"] == ["OWNER"]
    assert user["lastLogin"] is not None


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"search": "EXAMPLE.org"}, ["superuser", "customer"]),
        ({"search": "  ann   example "}, ["customer"]),
        ({"search": "émile zoe@"}, ["other"]),
        ({"search": "émile ann"}, []),
        ({"search": "m.le"}, []),
        ({"search": "%"}, []),
        ({"search": "_only"}, ["read_only"]),
        ({"search": "(["}, []),
        ({"search": "\\"}, []),
        ({"role": {"in": ["OWNER"]}}, ["superuser", "owner"]),
        ({"role": {"in": ["CATALOG", "READ_ONLY"]}}, ["catalog", "read_only"]),
        ({"role": {"in": []}}, []),
        ({"active": False}, ["customer"]),
        ({"active": True, "isStaff": False}, ["other"]),
        ({"confirmed": False}, ["other"]),
        ({"confirmed": True, "isStaff": False}, ["customer"]),
        ({"created": {"max": "2020-01-01T00:00:00Z"}}, ["catalog"]),
        ({"created": {"min": "2100-01-01T00:00:00Z"}}, []),
    ],
)
def test_filters_find(given: Any, found: list[str], people: Any, find: Any) -> None:
    User.objects.filter(pk=people["customer"].pk).update(is_active=False)
    User.objects.filter(pk=people["other"].pk).update(confirmed_at=None)
    old = datetime.datetime(2019, 1, 1, tzinfo=datetime.UTC)
    User.objects.filter(pk=people["catalog"].pk).update(created_at=old)
    assert find(**given) == found


def test_filters_find_alike_with_the_statement_ready(find: Any) -> None:
    for search, role, found in [
        ("shop", ["OWNER", "MANAGER"], ["owner", "manager"]),
        ("EXAMPLE", ["OWNER", "CATALOG"], ["superuser", "owner", "catalog"]),
        ("shop", ["SUPPORT", "CATALOG"], ["support", "catalog"]),
    ]:
        assert find(search=search, role={"in": role}) == found


def test_lists_sort_by_address_whatever_its_case(people: Any, api: Any) -> None:
    users.create(by=people["superuser"], email="Bea@example.org")
    order = {"field": "EMAIL", "direction": "ASC"}
    edges = api(LIST, people["superuser"], o=order)["data"]["users"]["edges"]
    emails = [edge["node"]["email"] for edge in edges]
    assert emails == sorted(emails, key=str.casefold)
    assert emails[:2] == ["ann@example.org", "Bea@example.org"]


def test_those_who_were_erased_are_in_no_list(people: Any, find: Any, api: Any, gid: Any) -> None:
    erasing.erase(people["other"])
    assert "other" not in find()
    data = api(ONE, people["superuser"], id=gid(people["other"]))["data"]
    assert data["user"]["email"].endswith("@erased.invalid")


def test_staff_are_served_on_the_compiled_path(people: Any, api: Any, gid: Any) -> None:
    before = execution.counts.copy()
    api(LIST, people["support"], f={"role": {"in": ["OWNER"]}, "search": "shop"})
    api(
        "query($id: ID!) { user(id: $id) { email roles } }",
        people["support"],
        id=gid(people["owner"]),
    )
    assert execution.counts - before == {("compiled", ""): 2}


@pytest.mark.parametrize("who", ["superuser", "support"])
def test_roles_cost_one_statement_for_all(who: str, people: Any, api: Any) -> None:
    counts = []
    for selection in ("email", "email roles"):
        with CaptureQueriesContext(connection) as captured:
            api(f"{{ users {{ edges {{ node {{ {selection} }} }} }} }}", people[who])
        counts.append(len(captured))
    assert counts[1] == counts[0] + 1


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="Reads PostgreSQL's plan.")
@pytest.mark.parametrize("order", ["created_at", "email_key"])
def test_orderings_are_backed_by_an_index(order: str, people: Any) -> None:
    now = timezone.now()
    User.objects.bulk_create(
        User(email=f"{number}@many.example", email_key=f"{number}@many.example", created_at=now)
        for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE shop_user")
    page = User.objects.filter(erased_at=None).order_by(order, "pk")[:20]
    assert "Index Scan" in page.explain()
