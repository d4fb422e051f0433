"""Who of the staff changed what. For staff who may see the audit."""

import functools
import json
from types import SimpleNamespace
from typing import Any

import django_filters
import graphene
from django.db.models import BigIntegerField, Case, ExpressionWrapper, F, QuerySet, When
from graphene_django.registry import get_global_registry
from graphql_relay import from_global_id, to_global_id

from schema.base import StaffNode
from schema.engine.connections import ComputedField, ConnectionField, NodeType, RelatedField
from schema.engine.errors import BadRequest
from schema.engine.filters import DateTimeFilter, EnumListFilter, ValueFilter
from schema.engine.keyset import SortField
from schema.types.customers import VIEW_USERS, User
from shop import models
from shop.models.audit import view_permission

AuditOutcome = graphene.Enum.from_enum(
    models.AuditOutcome,
    name="AuditOutcome",
    description=lambda member: {
        None: "Whether something was done.",
        "DONE": "It was done.",
        "REFUSED": "It was not: who tried lacked the permission.",
    }[member and member.name],
)
AuditSource = graphene.Enum.from_enum(
    models.AuditSource,
    name="AuditSource",
    description=lambda member: {
        None: "By which way something was done.",
        "API": "By a mutation.",
        "ADMIN": "On the staff screens.",
    }[member and member.name],
)


@functools.cache
def _types() -> dict[str, str]:
    """The node type of each model that has one, both by name."""
    found = get_global_registry()._registry
    return {
        model._meta.object_name: node_type._meta.name
        for model, node_type in found.items()
        if issubclass(node_type, NodeType)
    }


def _decoded(global_id: str) -> tuple[str, int]:
    """The model's name and the primary key that a global id stands for. Raises BadRequest."""
    try:
        name, key = from_global_id(global_id)
    except (ValueError, UnicodeError):
        name, key = "", ""
    model = {node_type: model for model, node_type in _types().items()}.get(name)
    if model is None or not (key.isascii() and key.isdigit() and len(key) < 19):
        raise BadRequest("This is not a global id of this API.", value=global_id[:100])
    return model, int(key)


class _ActorFilter(ValueFilter):
    """Any of several users, by their global ids."""

    def prepare(self, value: list[str]) -> list[int]:
        decoded = [_decoded(item) for item in value]
        for item, (model, _) in zip(value, decoded, strict=True):
            if model != "User":
                raise BadRequest("This is not the id of a User.", value=item[:100])
        return [pk for _, pk in decoded]


class _TextListFilter(ValueFilter):
    """Any of several texts."""

    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(
            graphene.List(graphene.NonNull(graphene.String)),
            description,
            lookup_expr="in",
            **kwargs,
        )


class _ObjectFilter(ValueFilter):
    """One object, by its global id."""

    def prepare(self, value: str) -> list[Any]:
        return list(_decoded(value))

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        return qs.filter(object_type=value[0], object_id=value[1])


class AuditEntryFilterSet(django_filters.FilterSet):
    """Conditions on entries; all of them must be met."""

    operator_descriptions = {
        "actor": "who did it",
        "action": "what was done",
        "outcome": "whether it was done",
        "source": "by which way",
        "created": "when it was done",
    }

    actor__in = _ActorFilter(
        graphene.List(graphene.NonNull(graphene.ID)),
        "Any of these users, by global id; nothing is found of those who are not for you to see.",
        field_name="seen_actor",
        lookup_expr="in",
    )
    action__in = _TextListFilter(
        'Any of these, such as "product.update"; in refused entries names of mutations, such as '
        '"productUpdate".',
        field_name="action",
    )
    object_id = _ObjectFilter(
        graphene.ID, "Changes of this object, by global id, also of one that is gone."
    )
    outcome__in = EnumListFilter(
        AuditOutcome, "Any of these.", field_name="outcome", lookup_expr="in"
    )
    source__in = EnumListFilter(AuditSource, "Any of these.", field_name="source", lookup_expr="in")
    created__min = DateTimeFilter(
        "At this time or later.", field_name="created_at", lookup_expr="gte"
    )
    created__max = DateTimeFilter(
        "At this time or earlier.", field_name="created_at", lookup_expr="lte"
    )


class AuditChange(graphene.ObjectType):
    """What became of one field of an object."""

    field = graphene.String(
        required=True, description='Name of the field as the shop stores it, such as "seo_title".'
    )
    before = graphene.String(
        description='What it was, as JSON: `"Mug"` with its quotes, `12`, `["Red"]`. Null when '
        "there was nothing. References to other objects are primary keys, prices are minor units. "
        'Secrets show as `"***"`, what was erased on demand of its owner as `"[erased]"`; long '
        'texts and lists are cut, with a "…".'
    )
    after = graphene.String(description="What it became, in the same form.")


def _object_type(request: Any, object_type: str) -> str | None:
    return _types().get(object_type, object_type) or None


def _object_id(request: Any, object_type: str, object_id: int | None) -> str | None:
    name = _types().get(object_type)
    return to_global_id(name, object_id) if name and object_id is not None else None


def _difference(request: Any, object_type: str, difference: dict[str, list[Any]]) -> Any:
    if not request.user.has_perm(view_permission(object_type)):
        return [] if not difference else None
    return [
        SimpleNamespace(field=name, before=_json(before), after=_json(after))
        for name, (before, after) in difference.items()
    ]


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


class AuditEntry(StaffNode):
    """One change that a member of staff made, or one that was refused to them. It never changes."""

    permission = "shop.view_auditentry"

    actor = RelatedField(
        User,
        column="actor_id",
        description="Who did it; null when that account is gone, or not for you to see.",
    )
    action = graphene.String(
        required=True,
        description='What was done, such as "product.update"; what was refused is called as the '
        'mutation is, such as "productUpdate".',
    )
    outcome = graphene.Field(AuditOutcome, required=True, description="Whether it was done.")
    source = graphene.Field(AuditSource, required=True, description="By which way.")
    object_type = ComputedField(
        graphene.String,
        columns=("object_type",),
        compute=_object_type,
        description='What kind of object it was done to, such as "Product"; null when refused.',
    )
    object_id = ComputedField(
        graphene.ID,
        columns=("object_type", "object_id"),
        compute=_object_id,
        description="Global id of the object, which may be gone; null where objects of its kind "
        "have none.",
    )
    difference = ComputedField(
        graphene.List(graphene.NonNull(AuditChange)),
        columns=("object_type", "difference"),
        compute=_difference,
        description="What became of which field. It may tell all about the object: null without "
        "the permission to view its kind, such as `shop.view_product`.",
    )
    created_at = graphene.DateTime(required=True, description="When it was done.")
    address = graphene.String(
        description="IP address that it was done from; null when that is not known."
    )

    class Meta:
        model = models.AuditEntry
        filterset = AuditEntryFilterSet
        orderings = {"CREATED": SortField("created_at", "By time.")}
        default_order = ("CREATED", "desc")

    @classmethod
    def rows(cls, context: Any) -> QuerySet:
        """Those that the viewer may see, with the actors that they may see, to filter by."""
        if _sees_actors(context):
            # Not as a foreign key: what is compared comes later than the statement.
            actor: Any = ExpressionWrapper(F("actor_id"), BigIntegerField())
        else:
            oneself = When(actor_id=context.user.pk, then="actor_id")
            actor = Case(oneself, output_field=BigIntegerField())
        return super().rows(context).alias(seen_actor=actor)

    @classmethod
    def viewer_class(cls, context: Any) -> str | None:
        # Others each see one actor, and each another one.
        return super().viewer_class(context) if _sees_actors(context) else None


def _sees_actors(context: Any) -> bool:
    return context.user.has_perm(VIEW_USERS)


class AuditQuery(graphene.ObjectType):
    """Who of the staff changed what."""

    audit_entries = ConnectionField(
        AuditEntry,
        rows=AuditEntry.all,
        description="What members of staff changed, and what was refused to them.",
    )
