"""Accounts kept through the API: by whom, about whom, and what else must not happen."""

import datetime
from typing import Any

import pytest

from shop.actions import customers
from shop.actions.customers import Device, privileges, users
from shop.actions.customers.roles import Role, roles_of
from shop.models import OutboxEvent, Session, User
from tests.kept import Kept

MUTATIONS = [
    "userCreate",
    "userUpdate",
    "userDeactivate",
    "userActivate",
    "userPasswordResetSend",
    "userDelete",
]
MAY = {
    "userCreate": {"owner", "manager"},
    "userUpdate": {"owner", "manager", "support"},
    "userDeactivate": {"owner", "manager", "support"},
    "userActivate": {"owner", "manager", "support"},
    "userPasswordResetSend": {"owner", "manager", "support"},
    "userDelete": {"owner", "manager"},
}
ROLES = [role.value for role in Role]


def make_people() -> dict[str, User | None]:
    staff = User.objects.create_superuser("staff@example.org", "a staff password")
    customer = User.objects.create_user("ann@example.org", "a customer password")
    made = {
        role.value: users.create(by=staff, email=f"{role.value}@shop.example", roles=[role])
        for role in Role
    }
    for user in made.values():
        user.set_password("a password")
        user.save()
    other = users.create(by=staff, email="bea@example.org", name="Bea")
    gone = users.create(by=staff, email="gone@example.org")
    users.deactivate(gone, by=staff)
    made |= {"superuser": staff, "customer": customer, "other": other, "gone": gone}
    return {**made, "nobody": None}


@pytest.fixture(scope="session")
def _kept_people(django_db_setup: None, django_db_blocker: Any) -> Kept:
    with django_db_blocker.unblock():
        return Kept("people", make_people)


@pytest.fixture
def people(db: None, _kept_people: Kept) -> dict[str, Any]:
    """The superuser, a customer, another one, one of each role, nobody, and one deactivated."""
    return _kept_people.copied()


@pytest.fixture
def staff(people: dict[str, Any]) -> User:
    return people["superuser"]


@pytest.fixture
def call(people: dict[str, Any], api: Any, gid: Any) -> Any:
    """`call("userUpdate", "manager", "owner", name="Mo")`: code and field, or "done", or an error.

    Whatever is refused writes nothing.
    """

    def send(mutation: str, who: str, whom: str | None = None, **values: Any) -> Any:
        if whom is not None:
            values["id"] = gid(people[whom])
        result = "deletedId" if mutation == "userDelete" else "user { id }"
        name = f"{mutation[0].upper()}{mutation[1:]}Input"
        document = f"""mutation($i: {name}!) {{ {mutation}(input: $i) {{
          {result} userErrors {{ code field message }} }} }}"""
        return api(document, people[who], i=values)

    return send


@pytest.fixture
def outcome(call: Any, dump: Any) -> Any:
    """As `call`: "done", the code of the error, or code and field of the user error."""

    def send(mutation: str, who: str, whom: str | None = None, **values: Any) -> Any:
        before = dump()
        answer = call(mutation, who, whom, **values)
        # That a member of staff tried is written down, and nothing else.
        unchanged = dump() | {"shop.AuditEntry": before["shop.AuditEntry"]} == before
        if "errors" in answer:
            assert unchanged
            return answer["errors"][0]["extensions"]["code"]
        if errors := answer["data"][mutation]["userErrors"]:
            assert unchanged
            return errors[0]["code"], errors[0]["field"]
        return "done"

    return send


def sample(mutation: str) -> tuple[str | None, dict[str, Any]]:
    """Whom a mutation is about, and what else it takes."""
    return {
        "userCreate": (None, {"email": "new@example.org"}),
        "userUpdate": ("customer", {"name": "Ann"}),
        "userActivate": ("gone", {}),
    }.get(mutation, ("customer", {}))


@pytest.mark.parametrize("who", ["nobody", "customer", "other", *ROLES, "superuser"])
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_customers_are_kept_by_those_who_may(mutation: str, who: str, outcome: Any) -> None:
    whom, values = sample(mutation)
    expected = "done" if who in MAY[mutation] | {"superuser"} else "FORBIDDEN"
    if who == "nobody":
        expected = "UNAUTHENTICATED"
    assert outcome(mutation, who, whom, **values) == expected


BEYOND = ("BEYOND_YOUR_PERMISSIONS", ["id"])
REACH = {
    "superuser": {*ROLES, "superuser"},
    "owner": {*ROLES, "superuser"},
    "manager": {"manager", "support", "catalog", "read_only"},
    "support": {"support"},
}


@pytest.mark.parametrize("whom", [*ROLES, "superuser"])
@pytest.mark.parametrize("who", REACH)
@pytest.mark.parametrize("mutation", MUTATIONS[1:])
def test_nobody_decides_about_those_who_may_more(
    mutation: str, who: str, whom: str, staff: User, people: Any, outcome: Any
) -> None:
    if who not in MAY[mutation] | {"superuser"}:
        assert outcome(mutation, who, whom) == "FORBIDDEN"
        return
    # Somebody else with the same role.
    roles = roles_of(people[whom])
    people["twin"] = users.create(by=staff, email="twin@shop.example", roles=roles)
    User.objects.filter(pk=people["twin"].pk).update(
        is_superuser=whom == "superuser", is_active=mutation != "userActivate"
    )
    values = {"name": "Else"} if mutation == "userUpdate" else {}
    expected = "done" if whom in REACH[who] else BEYOND
    assert outcome(mutation, who, "twin", **values) == expected


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("who", ["owner", "manager", "support"])
def test_nobody_gives_or_takes_a_role_that_goes_beyond_theirs(
    who: str, role: Role, people: Any, outcome: Any
) -> None:
    able = {"owner": set(Role), "manager": set(Role) - {Role.OWNER}, "support": set()}[who]
    expected = "done" if role in able else ("BEYOND_YOUR_PERMISSIONS", ["roles"])
    assert outcome("userUpdate", who, "customer", roles=[role.name]) == expected
    if expected == "done":
        assert roles_of(people["customer"]) == [role]
        assert outcome("userUpdate", who, "customer", roles=[]) == "done"
        assert roles_of(people["customer"]) == []
    # Support may not make accounts at all.
    created = outcome("userCreate", who, email="new@example.org", roles=[role.name])
    assert created == ("FORBIDDEN" if who == "support" else expected)


def test_nobody_gives_themself_more(outcome: Any) -> None:
    for who in ("manager", "support"):
        refused = outcome("userUpdate", who, who, roles=["OWNER"])
        assert refused == ("BEYOND_YOUR_PERMISSIONS", ["roles"])
    assert outcome("userUpdate", "catalog", "catalog", roles=["OWNER"]) == "FORBIDDEN"
    assert outcome("userUpdate", "manager", "manager", roles=["SUPPORT"]) == "done"


def test_an_account_is_made_and_its_owner_invited(people: Any, mutate: Any, staff: User) -> None:
    OutboxEvent.objects.all().delete()
    payload = mutate(
        "userCreate",
        "user { email name isStaff isActive roles }",
        email=" New@Example.org ",
        name=" Nell ",
        roles=["SUPPORT", "CATALOG", "SUPPORT"],
    )
    assert payload["user"] == {
        "email": "New@Example.org",
        "name": "Nell",
        "isStaff": True,
        "isActive": True,
        "roles": ["SUPPORT", "CATALOG"],
    }
    user = User.objects.get(email_key="new@example.org")
    assert not user.has_usable_password()
    event = OutboxEvent.objects.get()
    assert (event.topic, event.aggregate) == ("user.invited", f"user:{user.pk}")
    assert event.payload == {"id": user.pk, "by": staff.pk}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"email": "ANN@example.org "}, ("DUPLICATE_EMAIL", ["email"])),
        ({"email": " "}, ("REQUIRED", ["email"])),
        ({"email": "ann"}, ("INVALID", ["email"])),
        ({"email": "a@b@example.org"}, ("INVALID", ["email"])),
        ({"email": "ann@example.org\nBcc: eve@example.org"}, ("INVALID", ["email"])),
        ({"email": f"{'x' * 243}@example.org"}, ("INVALID", ["email"])),
        ({"email": f"{'x' * 60}@{'ﷺ.' * 50}org"}, ("INVALID", ["email"])),
        ({"email": "a\x00@example.org"}, ("INVALID", ["email"])),
        ({"name": "x" * 201}, ("INVALID", ["name"])),
    ],
)
def test_what_makes_no_sense_is_refused(
    given: Any, expected: Any, people: Any, refuse: Any, gid: Any
) -> None:
    assert refuse("userUpdate", id=gid(people["other"]), **given) == expected
    assert refuse("userCreate", **{"email": "new@example.org", **given}) == expected


def sign_in(user: User) -> Session:
    lifetime = datetime.timedelta(days=1)
    return customers.open_session(user, lifetime=lifetime, device=Device()).session


def test_another_address_signs_out_everywhere(people: Any, mutate: Any, gid: Any) -> None:
    other = people["other"]
    sign_in(other)
    mutate("userUpdate", id=gid(other), name=None, email="BEA@example.org", roles=None)
    assert Session.objects.live().count() == 1
    payload = mutate("userUpdate", "user { email name }", id=gid(other), email="bo@example.org")
    assert payload["user"] == {"email": "bo@example.org", "name": ""}
    other.refresh_from_db()
    assert other.email_key == "bo@example.org"
    assert Session.objects.live().count() == 0


def test_a_deactivated_user_is_out_at_once_and_can_be_let_in_again(
    people: Any, mutate: Any, api: Any, gid: Any
) -> None:
    support = people["support"]
    sign_in(support)
    payload = mutate("userDeactivate", "user { isActive roles }", id=gid(support))
    assert payload["user"] == {"isActive": False, "roles": ["SUPPORT"]}
    assert Session.objects.live().count() == 0
    # With the token of before, and with one as new as can be.
    for user in (support, User.objects.get(pk=support.pk)):
        assert (
            api("{ viewer { id } }", user)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        )
    payload = mutate("userActivate", "user { isActive }", id=gid(support))
    assert payload["user"] == {"isActive": True}
    assert Session.objects.live().count() == 0
    assert "errors" not in api("{ viewer { id } }", User.objects.get(pk=support.pk))


def test_a_deleted_user_is_nobody_any_more(people: Any, mutate: Any, gid: Any) -> None:
    other = people["other"]
    sign_in(other)
    other.addresses.create(name="Bea", line1="1 Hill", city="Ely", country="GB")
    assert mutate("userDelete", "deletedId", id=gid(other))["deletedId"] == gid(other)
    other.refresh_from_db()
    assert "bea" not in f"{other.email} {other.email_key} {other.name}".lower()
    assert (other.is_active, other.is_staff, other.has_usable_password()) == (False, False, False)
    assert other.erased_at is not None
    assert (other.addresses.count(), other.sessions.count()) == (0, 0)
    # The address is free again.
    assert mutate("userCreate", email="bea@example.org")["userErrors"] == []
    for mutation in ("userUpdate", "userActivate", "userDeactivate", "userDelete"):
        (error,) = mutate(mutation, id=gid(other))["userErrors"]
        assert (error["code"], error["field"]) == ("NOT_FOUND", ["id"])


@pytest.mark.parametrize("mutation", ["userDeactivate", "userDelete"])
def test_nobody_shuts_themself_out(mutation: str, outcome: Any) -> None:
    for who in ("superuser", "owner", "manager"):
        assert outcome(mutation, who, who) == ("INVALID", ["id"])


@pytest.mark.parametrize("kind", ["role", "superuser"])
def test_the_last_owner_stays(kind: str, people: Any, outcome: Any) -> None:
    last, left = ("owner", "superuser") if kind == "role" else ("superuser", "owner")
    User.objects.filter(pk=people[left].pk).update(is_active=False)
    assert outcome("userUpdate", last, last, roles=["MANAGER"]) == ("LAST_OWNER", ["id"])
    # Somebody who was given all permissions one by one reaches owners, and is none.
    mighty = people["manager"]
    mighty.user_permissions.set(privileges.Permission.objects.all())
    for mutation in ("userDeactivate", "userDelete"):
        assert outcome(mutation, "manager", last) == ("LAST_OWNER", ["id"])
    assert outcome("userUpdate", "manager", last, roles=[]) == ("LAST_OWNER", ["id"])
    assert outcome("userUpdate", last, last, name="Ola", roles=["OWNER"]) == "done"
    # One who is deactivated is not the last, and may go.
    assert outcome("userDelete", last, left) == "done"


def test_an_unknown_user_is_told_as_such(
    people: Any, refuse: Any, mutation_error: Any, unknown: Any, gid: Any
) -> None:
    for mutation in MUTATIONS[1:]:
        assert refuse(mutation, id=unknown("User")) == ("NOT_FOUND", ["id"])
        assert mutation_error(mutation, id="garbage") == "BAD_REQUEST"


# --- Links to choose a password -------------------------------------------------------------------


def test_staff_send_a_password_reset(people: Any, outcome: Any) -> None:
    password = people["customer"].password
    assert outcome("userPasswordResetSend", "support", "customer") == "done"
    event = OutboxEvent.objects.get(topic="user.reset_requested")
    assert event.aggregate == f"user:{people['customer'].pk}"
    assert User.objects.get(pk=people["customer"].pk).password == password


def test_users_without_a_password_are_invited_again(people: Any, outcome: Any) -> None:
    events = OutboxEvent.objects.filter(
        topic="user.invited", aggregate=f"user:{people['other'].pk}"
    )
    assert events.count() == 1
    assert outcome("userPasswordResetSend", "support", "other") == "done"
    assert events.count() == 2


def test_deactivated_users_get_no_link(people: Any, outcome: Any) -> None:
    assert outcome("userPasswordResetSend", "owner", "gone") == ("INVALID", ["id"])


def test_password_resets_are_throttled(people: Any, call: Any) -> None:
    answers = [call("userPasswordResetSend", "owner", "customer") for _ in range(6)]
    assert [answer.get("errors") for answer in answers[:5]] == [None] * 5
    assert answers[5]["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert OutboxEvent.objects.filter(topic="user.reset_requested").count() == 5
