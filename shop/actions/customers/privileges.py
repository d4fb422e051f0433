"""Who may decide about whom: nobody beyond their own permissions, and never about the last owner.

Whoever changes, deactivates or deletes a user needs all permissions that the user has; whoever
gives or takes a role, all permissions of the role. Owners and superusers have all there are.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from shop.actions import rows
from shop.actions.customers.roles import (
    CHANGE_ROLES,
    ROLE_OF_GROUP,
    Role,
    active_owners,
    roles_of,
)
from shop.errors import BeyondYourPermissions, LastOwner, NotFound
from shop.models import User


@dataclass(frozen=True)
class Standing:
    """What a user is to the shop: groups, those of the roles among them, and superuser or not."""

    groups: frozenset[Group]
    is_superuser: bool

    @property
    def is_owner(self) -> bool:
        names = {group.name for group in self.groups}
        return self.is_superuser or Role.OWNER.group_name in names

    @property
    def is_staff(self) -> bool:
        return self.is_superuser or bool(self.groups)


def hold(user: User) -> None:
    """Reads `user` again and keeps others from deciding about anyone until the transaction ends.

    About anyone, because two owners could demote each other else.

    Raises:
        NotFound: the user has been deleted or erased.
    """
    hold_owners()
    rows.hold(user)
    if user.erased_at is not None:
        raise NotFound("The account has been erased.", field=["id"])


def hold_owners() -> None:
    """Keeps others from deciding about anyone until the transaction ends."""
    list(rows.locked(Group.objects.filter(name=Role.OWNER.group_name)))


def check(user: User, *, by: User, ends_ownership: bool = False) -> User:
    """Whether `by` may decide about `user`, who is held.

    Args:
        ends_ownership: whether the user, were they an owner, would be none any more.

    Returns:
        `by` as stored now.

    Raises:
        BeyondYourPermissions: the user has permissions that `by` does not have.
        LastOwner: there is no other owner who can sign in.
    """
    needed = permissions_of(user)
    _require(by, needed, field="id")
    if ends_ownership:
        owners = active_owners()
        if owners.filter(pk=user.pk).exists() and not owners.exclude(pk=user.pk).exists():
            raise LastOwner(field=["id"])
    # While we waited, somebody may have taken from `by` what they had when they asked.
    now = User.objects.get(pk=by.pk)
    _require(now, needed, field="id")
    return now


def reaches(by: User, user: User) -> bool:
    """Whether `by` has all permissions of `user`."""
    return _lacks_nothing(by, permissions_of(user))


def has_all(user: User) -> bool:
    """Whether nothing is beyond `user`: owners and superusers."""
    return user.is_active and Role.OWNER in roles_of(user)


def permissions_of(user: User) -> set[str]:
    """What `user` may do, or might once activated again."""
    if user.is_superuser:
        return _names(Q())
    return _names(Q(group__user=user) | Q(user=user))


def standing(
    user: User,
    *,
    roles: Collection[Role] | None = None,
    groups: Collection[Group] | None = None,
    is_superuser: bool | None = None,
) -> Standing:
    """What `user` is to the shop, or would be with other roles or groups.

    Args:
        roles: these roles and no others; with none of them the shop's own groups go as well, so
            that no permission is left.
        groups: these groups and no others.
        is_superuser: whether they are one.
    """
    now = frozenset(user.groups.all() if groups is None else groups)
    superuser = user.is_superuser if is_superuser is None else is_superuser
    if roles is None or set(roles) == set(roles_of(user)):
        return Standing(now, superuser)
    if not roles:
        return Standing(frozenset(), is_superuser=False)
    given = Group.objects.filter(name__in=[role.group_name for role in roles])
    kept = frozenset(group for group in now if group.name not in ROLE_OF_GROUP)
    return Standing(kept.union(given), superuser and Role.OWNER in roles)


def give(user: User, after: Standing, *, by: User) -> None:
    """Makes `user`, who is held, what `after` says. Whoever is in no group is no staff.

    Raises:
        BeyondYourPermissions: `by` may not change roles, or lacks permissions of one of them.
    """
    if not check_change(user, after, by=by):
        return
    user.groups.set(after.groups)
    user.is_superuser, user.is_staff = after.is_superuser, after.is_staff
    user.save(update_fields=["is_superuser", "is_staff"])
    if not user.is_staff:
        user.user_permissions.clear()


def check_change(user: User, after: Standing, *, by: User) -> bool:
    """Whether `after` is another standing than `user` has. Raises as `give` does."""
    before = standing(user)
    if after == before:
        return False
    needed = _names(Q(group__in=before.groups ^ after.groups)) | {CHANGE_ROLES}
    if after.is_superuser != before.is_superuser:
        needed |= _names(Q())
    _require(by, needed, field="roles")
    return True


def check_roles(roles: Collection[Role], *, by: User) -> None:
    """Raises as `give` does, for roles of an account that is not there yet."""
    groups = Group.objects.filter(name__in=[role.group_name for role in roles])
    _require(by, _names(Q(group__in=groups)) | {CHANGE_ROLES}, field="roles")


def make_owner(user: User) -> None:
    """Makes `user` an owner, where there is nobody yet who could."""
    user.groups.add(Group.objects.get(name=Role.OWNER.group_name))
    user.is_staff = True
    user.save(update_fields=["is_staff"])


def _require(by: User, needed: set[str], *, field: str) -> None:
    """Raises BeyondYourPermissions, about `field`, unless `by` has all permissions `needed`."""
    if not _lacks_nothing(by, needed):
        raise BeyondYourPermissions(field=[field])


def _lacks_nothing(by: User, needed: set[str]) -> bool:
    return by.is_active and (needed <= by.get_all_permissions() or has_all(by))


def _names(condition: Q) -> set[str]:
    rows = Permission.objects.filter(condition).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}
