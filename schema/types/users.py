"""Users as staff look for them: by role, by address or name, by state."""

import re
from typing import Any

import django_filters
import graphene
from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, Q, QuerySet

from schema.engine.filters import BooleanFilter, DateTimeFilter, EnumListFilter, TextFilter
from shop import models
from shop.actions.customers.roles import Role
from shop.models.customers import email_key

_MAX_WORDS = 10

UserRole = graphene.Enum.from_enum(
    Role,
    name="UserRole",
    description=lambda member: {
        None: "What a member of staff is to the shop; docs/accounts.md lists what each may do.",
        "OWNER": "May do everything. The shop always has an active one.",
        "MANAGER": "May do all that the daily business needs, and keeps staff below owners.",
        "SUPPORT": "Sees the shop and helps customers with their accounts and addresses.",
        "CATALOG": "Keeps products and all that belongs to them, imports and exports included.",
        "READ_ONLY": "Sees everything and changes nothing.",
    }[member and member.name],
)


class AddressOrNameFilter(TextFilter):
    """All words of a text must be contained in the e-mail address or in the name."""

    def prepare(self, value: str) -> list[dict[str, str]]:
        words = value.split()[:_MAX_WORDS]
        return [{"address": email_key(word), "name": re.escape(word)} for word in words]

    def filter(self, qs: QuerySet, value: list[Any]) -> QuerySet:
        for word in value:
            # A regular expression: SQLite's LIKE knows the case of ASCII letters only.
            qs = qs.filter(
                Q(email_key__contains=word["address"]) | Q(name__iregex=word["name"]),
            )
        return qs


class RoleFilter(EnumListFilter):
    """Users who have any of these roles; superusers count as owners."""

    def prepare(self, value: list[Any]) -> list[str]:
        return [Role(member.value).group_name for member in value]

    def filter(self, qs: QuerySet, value: list[Any]) -> QuerySet:
        if value == []:
            return qs.none()
        memberships = models.User.groups.through._default_manager.filter(
            user=OuterRef("pk"), group__name__in=value
        )
        # In SQL, because values may be slots here, which nobody can look into.
        owners = Group.objects.filter(name__in=value).filter(name=Role.OWNER.group_name)
        return qs.filter(Exists(memberships) | Q(Exists(owners), is_superuser=True))


class UserFilterSet(django_filters.FilterSet):
    """Conditions on users; all of them must be met."""

    operator_descriptions = {"role": "the roles", "created": "the time of sign-up"}

    search = AddressOrNameFilter(
        "Words that must all appear in the e-mail address or the name, whatever their case."
    )
    role__in = RoleFilter(UserRole, "Any of these.")
    active = BooleanFilter("Whether the account is active.", field_name="is_active")
    is_staff = BooleanFilter("Whether they work for the shop.", field_name="is_staff")
    confirmed = BooleanFilter(
        "Whether the e-mail address was found to be theirs.",
        field_name="confirmed_at",
        lookup_expr="isnull",
        exclude=True,
    )
    created__min = DateTimeFilter(
        "At this time or later.", field_name="created_at", lookup_expr="gte"
    )
    created__max = DateTimeFilter(
        "At this time or earlier.", field_name="created_at", lookup_expr="lte"
    )
