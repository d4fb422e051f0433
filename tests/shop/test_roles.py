"""What staff may do: roles as groups, kept in step with the code, and who may give them."""

import io
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from shop.actions.customers import privileges, users
from shop.actions.customers.roles import PERMISSIONS, ROLE_OF_GROUP, Role, keep_groups, roles_of
from shop.backends import DEMO_EMAIL
from shop.errors import BeyondYourPermissions, LastOwner, NotFound
from shop.models import User

pytestmark = pytest.mark.django_db


def of_the_shop() -> set[str]:
    return {
        f"shop.{action}_{model._meta.model_name}"
        for model in apps.get_app_config("shop").get_models()
        for action in model._meta.default_permissions
    }


def held(group: Group) -> set[str]:
    rows = group.permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def test_owners_hold_every_permission_of_the_shop_and_none_is_forgotten() -> None:
    mine = {name for name in PERMISSIONS[Role.OWNER] if name.startswith("shop.")}
    assert mine == of_the_shop(), "name a new model in shop/actions/customers/roles.py"
    assert held(Group.objects.get(name="Role: owner")) >= of_the_shop()


def test_read_only_sees_everything_and_changes_nothing() -> None:
    views = {name for name in of_the_shop() if name.startswith("shop.view_")}
    assert PERMISSIONS[Role.READ_ONLY] == views | {"auth.view_group", "admin.view_logentry"}


def test_managers_reach_all_roles_but_owners() -> None:
    below = (Role.SUPPORT, Role.CATALOG, Role.READ_ONLY)
    assert all(PERMISSIONS[role] < PERMISSIONS[Role.MANAGER] for role in below)
    assert PERMISSIONS[Role.MANAGER] < PERMISSIONS[Role.OWNER]


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.MANAGER, "shop.delete_user auth.change_group", "auth.add_group shop.add_auditentry"),
        (Role.SUPPORT, "shop.change_user shop.change_address shop.view_session shop.view_job",
         "shop.add_user shop.delete_user shop.change_product auth.change_group shop.add_job"),
        (Role.CATALOG, "shop.delete_product shop.add_media shop.add_job shop.change_stock",
         "shop.view_user shop.view_address shop.view_webhookendpoint shop.view_auditentry"),
        (Role.READ_ONLY, "shop.view_user shop.view_auditentry", "shop.change_user shop.add_job"),
    ],
)  # fmt: skip
def test_a_role_may_just_what_it_is_for(role: Role, may: str, may_not: str) -> None:
    user = User.objects.create_user("clerk@example.org")
    user.groups.add(Group.objects.get(name=role.group_name))
    assert user.has_perms(may.split())
    assert not [name for name in may_not.split() if user.has_perm(name)]


def test_groups_are_brought_back_in_step_and_those_of_the_shop_left_alone() -> None:
    own = Group.objects.create(name="owner")
    own.permissions.set(Permission.objects.filter(codename="view_product"))
    support = Group.objects.get(name="Role: support")
    support.permissions.set(Permission.objects.filter(codename="delete_user"))
    Group.objects.get(name="Role: catalog").delete()
    for _ in range(2):
        keep_groups()
        assert {group.name for group in Group.objects.all()} == {*ROLE_OF_GROUP, "owner"}
        for role, names in PERMISSIONS.items():
            assert held(Group.objects.get(name=role.group_name)) == names
        assert held(own) == {"shop.view_product"}


def test_migrate_makes_the_groups() -> None:
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert {group.name for group in Group.objects.all()} == set(ROLE_OF_GROUP)


def test_the_first_role_makes_staff_and_the_last_one_takes_everything(staff: User) -> None:
    user = users.create(by=staff, email="bea@example.org", roles=[Role.SUPPORT])
    assert (user.is_staff, roles_of(user)) == (True, [Role.SUPPORT])
    user.groups.add(Group.objects.create(name="Choir"))
    user.user_permissions.set(Permission.objects.filter(codename="view_product"))
    users.update(user, by=staff, roles=[Role.READ_ONLY, Role.CATALOG])
    assert (user.is_staff, roles_of(user)) == (True, [Role.CATALOG, Role.READ_ONLY])
    assert user.groups.filter(name="Choir").exists()
    users.update(user, by=staff, roles=[])
    assert (user.is_staff, roles_of(user)) == (False, [])
    assert privileges.permissions_of(user) == set()


def test_a_superuser_is_an_owner_until_it_is_taken(staff: User) -> None:
    other = User.objects.create_superuser("root@example.org")
    assert roles_of(other) == [Role.OWNER]
    users.update(other, by=staff, roles=[Role.OWNER])
    assert (other.is_superuser, other.groups.count()) == (True, 0)
    users.update(other, by=staff, roles=[Role.MANAGER])
    assert (other.is_superuser, other.is_staff, roles_of(other)) == (False, True, [Role.MANAGER])


def test_the_last_owner_who_can_sign_in_stays_one() -> None:
    owner, second = (
        User.objects.create_user(f"{name}@example.org", "a password")
        for name in ("owner", "second")
    )
    privileges.make_owner(owner)
    privileges.make_owner(second)
    users.update(second, by=owner, roles=[Role.MANAGER])
    with pytest.raises(LastOwner):
        users.update(owner, by=owner, roles=[])
    users.update(second, by=owner, roles=[Role.OWNER])
    users.deactivate(second, by=owner)
    with pytest.raises(LastOwner):
        users.update(owner, by=owner, roles=[Role.MANAGER])
    users.update(second, by=owner, roles=[])
    users.update(owner, by=owner, name="Ola", roles=[Role.OWNER, Role.SUPPORT])
    assert roles_of(owner) == [Role.OWNER, Role.SUPPORT]


def test_deciding_about_the_last_owner_is_refused_only_when_it_ends_the_ownership() -> None:
    owner = User.objects.create_user("owner@example.org", "a password")
    privileges.make_owner(owner)
    assert privileges.check(owner, by=owner) == owner
    with pytest.raises(LastOwner) as caught:
        privileges.check(owner, by=owner, ends_ownership=True)
    assert caught.value.field == ("id",)


def test_staff_reach_those_who_may_no_more_than_they(staff: User) -> None:
    manager = users.create(by=staff, email="mo@example.org", roles=[Role.MANAGER])
    clerk = users.create(by=staff, email="clerk@example.org", roles=[Role.SUPPORT])
    assert privileges.reaches(manager, clerk) is True
    assert privileges.reaches(clerk, manager) is False


def test_roles_of_a_new_account_are_checked_by_their_own_permissions(staff: User) -> None:
    manager = users.create(by=staff, email="mo@example.org", roles=[Role.MANAGER])
    privileges.check_roles([Role.SUPPORT, Role.MANAGER], by=manager)
    with pytest.raises(BeyondYourPermissions):
        privileges.check_roles([Role.OWNER], by=manager)


def test_own_permissions_go_with_the_last_role(staff: User) -> None:
    user = users.create(by=staff, email="clerk@example.org", roles=[Role.SUPPORT])
    user.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    users.update(user, by=staff, roles=[Role.CATALOG])
    assert user.user_permissions.count() == 1
    users.update(user, by=staff, roles=[])
    assert user.user_permissions.count() == 0


def test_who_cannot_sign_in_yet_is_not_the_owner_who_is_left(staff: User, settings: Any) -> None:
    users.create(by=staff, email="invited@example.org", roles=[Role.OWNER])
    User.objects.create_superuser("unconfirmed@example.org", "a password", confirmed_at=None)
    User.objects.create_superuser(DEMO_EMAIL, "a password")
    settings.DEMO_ACCOUNT = False
    with pytest.raises(LastOwner):
        users.update(staff, by=staff, roles=[Role.MANAGER])
    settings.DEMO_ACCOUNT = True
    users.update(staff, by=staff, roles=[Role.MANAGER])


def test_whoever_was_demoted_a_moment_ago_decides_nothing_more(staff: User) -> None:
    manager = users.create(by=staff, email="mo@example.org", roles=[Role.MANAGER])
    clerk = users.create(by=staff, email="clerk@example.org", roles=[Role.SUPPORT])
    # As a request has it that began before: with its permissions looked up.
    asking = User.objects.get(pk=manager.pk)
    assert asking.has_perm("shop.delete_user")
    users.update(manager, by=staff, roles=[])
    with pytest.raises(BeyondYourPermissions):
        users.deactivate(clerk, by=asking)


def test_an_account_activated_meanwhile_is_signed_out_when_deactivated(staff: User) -> None:
    user = users.create(by=staff, email="bea@example.org")
    users.deactivate(user, by=staff)
    stale = User.objects.get(pk=user.pk)
    users.activate(user, by=staff)
    version = User.objects.get(pk=user.pk).token_version
    users.deactivate(stale, by=staff)
    assert User.objects.get(pk=user.pk).token_version == version + 1


def test_an_erased_account_cannot_be_changed(staff: User) -> None:
    user = users.create(by=staff, email="bea@example.org")
    User.objects.update(erased_at=user.created_at)
    with pytest.raises(NotFound):
        users.activate(user, by=staff)


def test_facts_tell_what_staff_decide(staff: User) -> None:
    given = {"email": "bea@example.org", "name": "Bea"}
    user = users.create(by=staff, roles=[Role.CATALOG], **given)
    assert users.facts(user) == {
        **given,
        "password": user.password,
        "is_active": True,
        "is_staff": True,
        "is_superuser": False,
        "groups": ["Role: catalog"],
    }


def test_the_demo_account_is_an_owner(settings: Any) -> None:
    settings.DEMO_ACCOUNT = True
    call_command("seed", catalog_only=True, stdout=io.StringIO())
    demo = User.objects.get(email=DEMO_EMAIL)
    assert (demo.is_staff, demo.is_superuser, roles_of(demo)) == (True, False, [Role.OWNER])
