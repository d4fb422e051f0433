"""People in the staff screens: the rules of the API hold there."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from shop.actions import customers
from shop.actions.customers import users
from shop.actions.customers.roles import Role, roles_of
from shop.models import OutboxEvent, User

pytestmark = pytest.mark.django_db
LIST = "admin:shop_user_changelist"
SCREENS = ("admin:shop_user_change", "admin:shop_user_delete")


@pytest.fixture(autouse=True)
def static_root(settings: Any, tmp_path: Any) -> None:
    # WhiteNoise warns of a static root that is not there yet.
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def people() -> dict[str, User]:
    """An owner by role, one of each other role, a superuser and a customer."""
    root = User.objects.create_superuser("root@shop.example")
    made = {
        role.value: users.create(by=root, email=f"{role.value}@shop.example", roles=[role])
        for role in Role
    }
    for user in made.values():
        user.set_password("a password")
        user.save()
    return {**made, "superuser": root, "customer": User.objects.create_user("ann@example.org")}


@pytest.fixture
def signed_in(people: dict[str, User]) -> Any:
    """`signed_in("manager")`: their browser."""

    def browser(name: str) -> Client:
        client = Client()
        client.force_login(people[name])
        return client

    return browser


def change_url(user: User) -> str:
    return reverse("admin:shop_user_change", args=[user.pk])


def save(client: Client, user: User, **changes: Any) -> Any:
    """Sends the form of `user` with these changes; None leaves a field out."""
    form = client.get(change_url(user)).context["adminform"].form
    data = {bound.html_name: bound.value() for bound in form} | changes
    sent = {name: value for name, value in data.items() if value not in (None, False)}
    return client.post(change_url(user), sent)


def groups(*roles: Role) -> list[int]:
    names = [role.group_name for role in roles]
    return list(Group.objects.filter(name__in=names).values_list("pk", flat=True))


def errors_of(response: Any) -> list[str]:
    assert response.status_code == 200
    found = response.context["errors"]
    return [text for item in found for text in ([item] if isinstance(item, str) else item)]


@pytest.mark.parametrize("who", ["support", "manager", "owner", "superuser"])
def test_the_screens_of_a_user_open_for_those_who_may_as_much(
    who: str, people: Any, signed_in: Any
) -> None:
    reached = {
        "support": {"support", "customer"},
        "manager": {"manager", "support", "catalog", "read_only", "customer"},
    }.get(who, set(people))
    client = signed_in(who)
    for name, user in people.items():
        for screen in SCREENS:
            # Support deletes nobody.
            may = name in reached and (who != "support" or "delete" not in screen)
            status = client.post(reverse(screen, args=[user.pk]), {}).status_code
            assert status == (200 if may else 403), (name, screen)


def test_those_who_only_look_see_everyone_and_change_nobody(people: Any, signed_in: Any) -> None:
    client = signed_in("read_only")
    assert len(client.get(reverse(LIST)).context["cl"].result_list) == len(people)
    assert client.get(change_url(people["customer"])).status_code == 200
    assert client.post(change_url(people["customer"]), {"email": "x@y.org"}).status_code == 403
    assert signed_in("catalog").get(reverse(LIST)).status_code == 403


def test_an_owner_gives_roles_and_takes_them(people: Any, signed_in: Any) -> None:
    client, customer = signed_in("owner"), people["customer"]
    own = Group.objects.create(name="Choir")
    assert save(client, customer, groups=[*groups(Role.CATALOG), own.pk]).status_code == 302
    customer.refresh_from_db()
    assert (customer.is_staff, roles_of(customer)) == (True, [Role.CATALOG])
    assert save(client, customer, groups=[own.pk]).status_code == 302
    customer.refresh_from_db()
    assert (customer.is_staff, roles_of(customer)) == (True, [])
    assert save(client, customer, groups=[]).status_code == 302
    customer.refresh_from_db()
    assert not customer.is_staff
    save(client, customer, is_superuser="on")
    customer.refresh_from_db()
    assert (customer.is_staff, customer.is_superuser) == (True, True)


def test_others_decide_no_privileges(people: Any, signed_in: Any) -> None:
    client, customer = signed_in("manager"), people["customer"]
    given = {"name": "Anne", "groups": groups(Role.SUPPORT), "is_superuser": "on", "is_staff": "on"}
    assert save(client, customer, **given).status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.is_staff, customer.is_superuser) == ("Anne", False, False)
    assert roles_of(customer) == []


def test_another_address_and_a_deactivation_sign_out(people: Any, signed_in: Any) -> None:
    client, customer = signed_in("support"), people["customer"]
    save(client, customer, email="new@example.org")
    customer.refresh_from_db()
    assert (customer.email_key, customer.token_version) == ("new@example.org", 1)
    save(client, customer, is_active=None)
    customer.refresh_from_db()
    assert (customer.is_active, customer.token_version) == (False, 2)
    save(client, customer, is_active="on")
    customer.refresh_from_db()
    assert customer.is_active


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"groups": []}, "The shop would be left without an owner who can sign in."),
        ({"is_active": None}, "You cannot deactivate yourself."),
        (
            {"email": "ANN@example.org"},
            "Change your own address as every customer does: with your password.",
        ),
    ],
)
def test_what_is_refused_is_shown_and_nothing_is_written(
    changes: Any, error: str, people: Any, signed_in: Any, dump: Any
) -> None:
    User.objects.filter(is_superuser=True).update(is_active=False)
    client = signed_in("owner")
    before = dump()
    assert errors_of(save(client, people["owner"], **{"name": "Ola", **changes})) == [error]
    assert dump() == before


def test_an_address_that_somebody_has_is_refused(people: Any, signed_in: Any, dump: Any) -> None:
    client = signed_in("owner")
    before = dump()
    response = save(client, people["manager"], email="ANN@example.org")
    assert errors_of(response) == ["Somebody already has this e-mail address."]
    assert dump() == before


def test_signing_out_everywhere_ends_the_sessions_of_the_screens(
    people: Any, signed_in: Any
) -> None:
    client = signed_in("manager")
    assert client.get(reverse("admin:index")).status_code == 200
    customers.end_all(people["manager"])
    assert client.get(reverse("admin:index")).status_code == 302


def test_the_last_owner_is_not_deleted(people: Any, signed_in: Any) -> None:
    User.objects.filter(is_superuser=True).update(is_active=False)
    for user in (people["owner"], people["superuser"]):
        url = reverse("admin:shop_user_delete", args=[user.pk])
        signed_in("owner").post(url, {"post": "yes"}, follow=True)
        user.refresh_from_db()
    assert people["owner"].erased_at is None
    assert people["superuser"].erased_at is not None


def test_deleting_erases_and_the_log_tells_no_name(people: Any, signed_in: Any) -> None:
    client, customer = signed_in("manager"), people["customer"]
    save(client, customer, name="Anne")
    customer.addresses.create(name="Anne", line1="1 Hill", city="Ely", country="GB")
    url = reverse("admin:shop_user_delete", args=[customer.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"post": "yes"}).status_code == 302
    customer.refresh_from_db()
    assert customer.erased_at is not None
    assert customer.addresses.count() == 0
    assert client.get(change_url(customer)).status_code == 302
    entries = LogEntry.objects.filter(object_id=str(customer.pk))
    assert {entry.object_repr for entry in entries} == {"[erased]"}
    assert len(entries) == 2


def test_many_are_deleted_together_or_none(people: Any, signed_in: Any) -> None:
    client = signed_in("manager")
    chosen = [people["customer"], people["support"]]

    def delete(*rows: User) -> None:
        data = {"action": "delete_selected", "_selected_action": [row.pk for row in rows]}
        client.post(reverse(LIST), {**data, "post": "yes", "index": 0}, follow=True)

    for one in ("owner", "manager"):
        delete(*chosen, people[one])
        assert not User.objects.exclude(erased_at=None).exists()
    delete(*chosen)
    assert set(User.objects.exclude(erased_at=None)) == set(chosen)


def test_added_users_are_invited(people: Any, signed_in: Any) -> None:
    given = {"email": " Bob@Example.org", "name": "Bob", "usable_password": "true"}
    given |= {"password1": "correct horse", "password2": "correct horse"}
    OutboxEvent.objects.all().delete()
    response = signed_in("manager").post(reverse("admin:shop_user_add"), given)
    assert response.status_code == 302
    bob = User.objects.get(email_key="bob@example.org")
    assert (bob.name, bob.has_usable_password(), bob.is_staff) == ("Bob", False, False)
    assert OutboxEvent.objects.filter(topic="user.invited").exists()


def test_groups_of_roles_are_as_the_code_has_them(people: Any, signed_in: Any) -> None:
    role = Group.objects.get(name=Role.SUPPORT.group_name)
    own = Group.objects.create(name="Choir")
    for who, may in [("owner", True), ("superuser", True), ("manager", False)]:
        client = signed_in(who)
        for group, changes in [(role, False), (own, may)]:
            url = reverse("admin:auth_group_change", args=[group.pk])
            assert client.get(url).status_code == 200
            expected = 302 if changes else 403
            assert client.post(url, {"name": group.name, "permissions": []}).status_code == expected
        assert client.get(reverse("admin:auth_group_add")).status_code == (200 if may else 403)
    assert role.permissions.count() > 10


@pytest.mark.parametrize("who", [role.value for role in Role])
def test_every_role_finds_its_way_in(who: str, people: Any, signed_in: Any) -> None:
    client = signed_in(who)
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.get(reverse("admin:shop_product_changelist")).status_code == 200
