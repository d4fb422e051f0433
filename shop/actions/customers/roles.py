"""What staff may do: five roles, each a Django group whose permissions are declared here.

The groups are written anew after each `migrate` (`shop/apps.py`). Groups that the shop makes itself
in the staff screens are its own affair and are left alone.
"""

from collections.abc import Collection
from enum import StrEnum
from itertools import product

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from shop.backends import DEMO_EMAIL
from shop.models import User


class Role(StrEnum):
    """What a member of staff is to the shop. A superuser counts as an owner."""

    OWNER = "owner"
    MANAGER = "manager"
    SUPPORT = "support"
    CATALOG = "catalog"
    READ_ONLY = "read_only"

    @property
    def group_name(self) -> str:
        """Of the group that stands for it; prefixed, so that a shop's own groups are no roles."""
        return f"Role: {self.value.replace('_', '-')}"


def _may(actions: str, *models: str) -> frozenset[str]:
    return frozenset(f"shop.{action}_{model}" for action, model in product(actions.split(), models))


_ALL = "add change delete view"
_CATALOG = (
    "attribute",
    "attributevalue",
    "brand",
    "category",
    "collection",
    "collectionitem",
    "digitalcontent",
    "media",
    "product",
    "productattribute",
    "variant",
)
_WAREHOUSE = ("importrecord", "job", "stock")
_SET_UP = (
    "automaticdiscount",
    "shippingrate",
    "shippingzone",
    "taxrate",
    "voucher",
    "zonecountry",
)
_SALES = (
    "cart",
    "cartline",
    "digitaldelivery",
    "dispute",
    "fulfillment",
    "fulfillmentline",
    "order",
    "orderevent",
    "orderline",
    "payment",
    "refund",
    "refundline",
    "return",
    "returnline",
)
_REVIEWS = ("review", "wishlistitem")
_PEOPLE = ("address", "session", "user")
_WEBHOOKS = ("webhookdelivery", "webhookendpoint")
# Written by the shop itself, and for nobody to rewrite.
_RECORDS = (
    "auditentry",
    "deferredtask",
    "democharge",
    "eventclaim",
    "eventcursor",
    "eventstream",
    "idempotencykey",
    "outboxevent",
    "paymentevent",
    "redemption",
    "refreshtoken",
    "reservation",
    "sentmail",
    "stockmovement",
    "throttleentry",
)

# To give and take roles, beside the permission to change the user.
CHANGE_ROLES = "auth.change_group"

_BUSINESS = (*_CATALOG, *_WAREHOUSE, *_SET_UP, *_SALES, *_REVIEWS, *_PEOPLE, *_WEBHOOKS)
_READ_ONLY = _may("view", *_BUSINESS, *_RECORDS) | {
    "admin.view_logentry",
    "auth.view_group",
}
_MANAGER = (
    _READ_ONLY
    | _may(_ALL, *_BUSINESS)
    # Tasks that were given up: try them again, or drop them.
    | _may("change delete", "deferredtask")
    | {CHANGE_ROLES}
)
# What managers lack is what makes owners: by it alone nobody but an owner makes another one.
_OWNER = _MANAGER | _may("add change delete", *_RECORDS) | {"auth.add_group", "auth.delete_group"}

# A model of which a permission is in none of these fails a test.
PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.OWNER: _OWNER,
    Role.MANAGER: _MANAGER,
    Role.SUPPORT: (
        _may("view", *_CATALOG, *_WAREHOUSE, *_SET_UP, *_SALES, *_REVIEWS)
        | _may("view", "reservation", "sentmail", "session", "stockmovement", "user")
        | _may("change", "order", "review", "user")
        | _may("add", "fulfillment", "orderevent", "refund", "return")
        | _may(_ALL, "address")
    ),
    Role.CATALOG: (
        _may(_ALL, *_CATALOG, *_WAREHOUSE)
        | _may("view", "reservation", "review", "stockmovement")
        | _may("change", "review")
    ),
    Role.READ_ONLY: _READ_ONLY,
}
ROLE_OF_GROUP = {role.group_name: role for role in Role}


def keep_groups(using: str = "default") -> None:
    """Gives each role its group with exactly its permissions. Other groups are not touched."""
    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.using(using).values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    with transaction.atomic(using=using):
        for role, names in PERMISSIONS.items():
            group, _ = Group.objects.using(using).get_or_create(name=role.group_name)
            # Halfway through the migrations there may be tables still to come.
            group.permissions.set({known[name] for name in names & known.keys()})


def roles_of_each(keys: Collection[int]) -> dict[int, list[Role]]:
    """The roles of users by primary key, in one statement."""
    held: dict[int, set[Role]] = {key: set() for key in keys}
    rows = User.objects.filter(pk__in=keys).values_list("pk", "is_superuser", "groups__name")
    for key, is_superuser, group in rows:
        if is_superuser:
            held[key].add(Role.OWNER)
        if group in ROLE_OF_GROUP:
            held[key].add(ROLE_OF_GROUP[group])
    return {key: [role for role in Role if role in roles] for key, roles in held.items()}


def roles_of(user: User) -> list[Role]:
    """The roles of one user as they are stored, the mightiest first."""
    return roles_of_each([user.pk])[user.pk]


def active_owners() -> QuerySet[User]:
    """Owners who can sign in: not those who were invited and have not chosen a password yet."""
    memberships = User.groups.through._default_manager.filter(
        user=OuterRef("pk"), group__name=Role.OWNER.group_name
    )
    able = User.objects.filter(is_active=True, confirmed_at__isnull=False)
    if not settings.DEMO_ACCOUNT:
        able = able.exclude(email_key=DEMO_EMAIL)
    able = able.exclude(password="").exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return able.filter(Q(is_superuser=True) | Q(Exists(memberships)))
