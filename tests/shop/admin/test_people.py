"""Who may enter the staff screens, and what they may do to others."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import NoReverseMatch, reverse

from shop.models import OutboxEvent, ProductStatus, User
from tests.shop.admin.screens import (
    add_url,
    change_url,
    errors_of,
    list_url,
    messages_of,
    run_action,
    save,
)

pytestmark = pytest.mark.django_db


def test_shopper_cannot_enter(client, people):
    client.force_login(people.shopper)
    response = client.get(list_url("product"))
    assert response.status_code == 302
    assert response.url.startswith("/admin/login/")


def test_view_only_staff_cannot_change(client, people, shop):
    client.force_login(people.clerk)
    assert client.get(list_url("product")).status_code == 200
    assert client.get(add_url("product")).status_code == 403
    assert client.post(change_url(shop.lamp), {"name": "Mine"}).status_code == 403
    run_action(client, "product", "archive", [shop.lamp])
    shop.lamp.refresh_from_db()
    assert (shop.lamp.name, shop.lamp.status) == ("Heron Lamp", ProductStatus.PUBLISHED)


def test_staff_who_keep_users_cannot_reach_other_staff(client, people):
    people.clerk.user_permissions.set(Permission.objects.filter(codename__endswith="_user"))
    client.force_login(people.clerk)
    assert client.post(change_url(people.owner), {"name": "Mine"}).status_code == 403
    save(client, change_url(people.shopper), {"name": "Anne", "is_superuser": "on"})
    people.shopper.refresh_from_db()
    assert (people.shopper.name, people.shopper.is_superuser) == ("Anne", False)


def test_staff_cannot_give_their_own_group_permissions(client, people):
    group = Group.objects.create(name="Clerks")
    people.clerk.groups.add(group)
    people.clerk.user_permissions.set(Permission.objects.filter(codename__endswith="_group"))
    client.force_login(people.clerk)
    url = reverse("admin:auth_group_change", args=[group.pk])
    client.post(url, {"name": "Clerks", "permissions": [Permission.objects.first().pk]})
    assert client.get(reverse("admin:auth_group_add")).status_code == 403
    assert group.permissions.count() == 0


def test_screens_call_who_is_signed_in_by_name(client, people):
    people.owner.name = "Olga Owner"
    people.owner.save()
    for user, name in ((people.owner, "Olga Owner"), (people.clerk, "clerk@example.org")):
        client.force_login(user)
        content = client.get(reverse("admin:index")).content.decode()
        card = content.partition("text-important tracking-tight truncate")[2]
        assert card.partition(">")[2].partition("<")[0].strip() == name


def test_added_users_choose_their_password_themselves(owner):
    page = owner.get(add_url("user")).content.decode()
    assert "password1" not in page
    assert "usable_password" not in page
    # Fields that the form does not have change nothing.
    changes = {"email": "Bob@Example.org", "usable_password": "true", "set_usable_password": "on"}
    changes |= {"password1": "correct horse", "password2": "correct horse"}
    assert save(owner, add_url("user"), changes).status_code == 302
    user = User.objects.get(email_key="bob@example.org")
    assert not user.has_usable_password()
    assert not user.is_staff
    assert OutboxEvent.objects.filter(topic="user.invited", aggregate=f"user:{user.pk}").exists()
    assert owner.get(change_url(user)).status_code == 200


def test_staff_cannot_set_a_password(owner, people):
    before = people.shopper.password
    url = f"{change_url(people.shopper).removesuffix('change/')}password/"
    new = {"password1": "correct horse", "password2": "correct horse", "usable_password": "true"}
    assert owner.post(url, new).status_code in (302, 404)
    with pytest.raises(NoReverseMatch):
        reverse("admin:auth_user_password_change", args=[people.shopper.pk])
    save(owner, change_url(people.shopper), {"password": "correct horse", **new})
    people.shopper.refresh_from_db()
    assert people.shopper.password == before
    page = owner.get(change_url(people.shopper)).content.decode()
    assert "pbkdf2" not in page
    assert "argon2" not in page


def test_staff_send_a_link_to_choose_a_password(owner, people):
    people.shopper.set_password("a customer password")
    people.shopper.save()
    response = run_action(owner, "user", "send_password_reset", [people.shopper])
    assert messages_of(response) == [f"A link to choose a password goes to {people.shopper.email}."]
    sent = OutboxEvent.objects.filter(topic="user.reset_requested")
    assert sent.get().aggregate == f"user:{people.shopper.pk}"
    for _ in range(4):
        run_action(owner, "user", "send_password_reset", [people.shopper])
    response = run_action(owner, "user", "send_password_reset", [people.shopper])
    assert "Too many tries" in messages_of(response)[0]


def test_staff_send_no_link_to_those_with_more_permissions(client, people):
    people.clerk.user_permissions.set(Permission.objects.filter(codename__endswith="_user"))
    client.force_login(people.clerk)
    response = run_action(client, "user", "send_password_reset", [people.owner])
    assert messages_of(response)[0].startswith(people.owner.email)
    assert not OutboxEvent.objects.filter(topic="user.reset_requested").exists()


def test_user_with_a_taken_address_is_refused(owner, people):
    changes = {"email": "ANN@example.org"}
    response = save(owner, add_url("user"), changes)
    assert errors_of(response) == ["Somebody already has this e-mail address."]


def test_group_screens_open(owner):
    group = Group.objects.create(name="Catalog")
    assert owner.get(reverse("admin:auth_group_changelist")).status_code == 200
    assert owner.get(reverse("admin:auth_group_change", args=[group.pk])).status_code == 200
