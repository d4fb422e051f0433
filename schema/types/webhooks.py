"""Who outside is told what happened, and how the telling went. For staff who may see webhooks."""

import datetime
import uuid
from typing import Any, ClassVar

import django_filters
import graphene

from schema.base import StaffNode
from schema.engine.connections import ComputedField, ConnectionField, ObjectField
from schema.engine.filters import BooleanFilter, DateTimeFilter, EnumListFilter
from schema.engine.keyset import SortField
from shop import models
from shop.actions.webhooks import sending, topics

_VIEW = "shop.view_webhookendpoint"
_VIEW_PAYLOADS = "shop.view_webhookdelivery"

_TOPICS = {
    topics.ALL: "Every topic, also those still to come.",
    **topics.TOPICS,
    topics.TEST: "Staff asked for a test. It needs no subscription.",
}


def _topic_name(topic: str) -> str:
    return "ALL" if topic == topics.ALL else topic.replace(".", "_").upper()


WebhookTopic = graphene.Enum(
    "WebhookTopic",
    [(_topic_name(topic), topic) for topic in _TOPICS],
    description=lambda member: (
        _TOPICS[member.value] if member else "What endpoints can be told of; `type` in a message."
    ),
)

WebhookDeliveryState = graphene.Enum.from_enum(
    models.DeliveryState,
    name="WebhookDeliveryState",
    description=lambda member: {
        None: "How far a delivery is.",
        "PENDING": "Still to be sent, for the first time or again.",
        "DELIVERED": "Sent, and answered with a status of 200 to 299.",
        "FAILED": "Given up after the last try, or because the receiver answered 410.",
        "REFUSED": "Not sent: the address leads to where the shop does not call.",
    }[member and member.name],
)

WebhookCircuit = graphene.Enum(
    "WebhookCircuit",
    [("CLOSED", "closed"), ("OPEN", "open")],
    description=lambda member: {
        None: "Whether an endpoint is called.",
        "CLOSED": "It is called whenever something is due.",
        "OPEN": "Too many tries failed in a row: now and then a single one is made, until one "
        "succeeds.",
    }[member and member.name],
)


class WebhookEndpointFilterSet(django_filters.FilterSet):
    """Conditions on endpoints; all of them must be met."""

    is_active = BooleanFilter("Whether events are sent to it.", field_name="is_active")


class WebhookDeliveryFilterSet(django_filters.FilterSet):
    """Conditions on deliveries; all of them must be met."""

    operator_descriptions = {
        "state": "the state",
        "topic": "the topic",
        "created": "the time of creation",
    }

    state__in = EnumListFilter(
        WebhookDeliveryState, "Any of these.", field_name="state", lookup_expr="in"
    )
    topic__in = EnumListFilter(WebhookTopic, "Any of these.", field_name="topic", lookup_expr="in")
    created__min = DateTimeFilter(
        "At this time or later.", field_name="created_at", lookup_expr="gte"
    )
    created__max = DateTimeFilter(
        "At this time or earlier.", field_name="created_at", lookup_expr="lte"
    )


def _circuit(request: Any, open_until: datetime.datetime | None) -> str:
    return "closed" if open_until is None else "open"


def _payload(request: Any, body: str) -> str | None:
    return body if request.user.has_perm(_VIEW_PAYLOADS) else None


def _webhook_id(request: Any, uid: uuid.UUID) -> str:
    return sending.webhook_id(uid.hex)


def _next_attempt(request: Any, state: str, next_at: datetime.datetime) -> Any:
    return next_at if state == models.DeliveryState.PENDING else None


class WebhookEndpoint(StaffNode):
    """An address that is told of events."""

    permission = _VIEW

    url = graphene.String(required=True, description="Where messages are sent by POST.")
    description = graphene.String(required=True, description="Purpose of the endpoint, or empty.")
    topics = graphene.List(
        graphene.NonNull(WebhookTopic), required=True, description="What it is told of."
    )
    query = graphene.String(
        required=True,
        description="The GraphQL document whose result is the data of messages, with the "
        "subject's global id as `$id`; empty for the default data.",
    )
    is_active = graphene.Boolean(required=True, description="Whether events are sent to it.")
    created_at = graphene.DateTime(required=True, description="When it was created.")
    failures = graphene.Int(
        required=True, description="Tries that failed since the last that succeeded."
    )
    circuit = ComputedField(
        graphene.NonNull(WebhookCircuit),
        columns=("open_until",),
        compute=_circuit,
        description="Whether it is called.",
    )
    deliveries = ConnectionField(
        lambda: WebhookDelivery,
        link="endpoint_id",
        trusts_parent=True,
        description="What it was sent, or is about to be; kept for some days.",
    )

    class Meta:
        model = models.WebhookEndpoint
        filterset = WebhookEndpointFilterSet
        orderings = {"CREATED": SortField("created_at", "By time of creation.")}
        default_order = ("CREATED", "desc")


class WebhookDelivery(StaffNode):
    """One event for one endpoint: what is sent, and how that went."""

    permission = _VIEW
    field_permissions: ClassVar[dict[str, str]] = {"payload": _VIEW_PAYLOADS}

    endpoint = graphene.Field(WebhookEndpoint, required=True, description="Who is told.")
    webhook_id = ComputedField(
        graphene.NonNull(graphene.String),
        columns=("uid",),
        compute=_webhook_id,
        description="The header `webhook-id`, the same at every try.",
    )
    topic = graphene.Field(WebhookTopic, required=True, description="What happened.")
    state = graphene.Field(WebhookDeliveryState, required=True, description="How far it is.")
    attempts = graphene.Int(required=True, description="Tries so far, one under way counted.")
    status = graphene.Int(
        name="responseStatusCode",
        description="HTTP status code of the last response; null when there was none.",
    )
    error = graphene.String(
        required=True, description="Why the last try failed; empty when none did."
    )
    duration_ms = ComputedField(
        graphene.Int,
        columns=("milliseconds",),
        compute=lambda request, milliseconds: milliseconds,
        description="Milliseconds that the last try took.",
    )
    created_at = graphene.DateTime(required=True, description="When it was made.")
    next_attempt_at = ComputedField(
        graphene.DateTime,
        columns=("state", "next_at"),
        compute=_next_attempt,
        description="When it is tried next, at the earliest; null when it is not.",
    )
    delivered_at = graphene.DateTime(description="When it was delivered.")
    payload = ComputedField(
        graphene.String,
        columns=("body",),
        compute=_payload,
        description="The message, JSON exactly as it is sent. It may hold whatever the endpoint's "
        "owner may see; null for those who may not see it.",
    )

    class Meta:
        model = models.WebhookDelivery
        filterset = WebhookDeliveryFilterSet
        orderings = {"CREATED": SortField("created_at", "By time of creation.")}
        default_order = ("CREATED", "desc")


class WebhooksQuery(graphene.ObjectType):
    """Who outside is told what happens."""

    webhook_endpoints = ConnectionField(
        WebhookEndpoint,
        rows=WebhookEndpoint.all,
        description="Addresses that are told of events.",
    )
    webhook_endpoint = ObjectField(
        WebhookEndpoint,
        find=WebhookEndpoint.one,
        id=graphene.Argument(graphene.ID, required=True, description="Its global id."),
        description="One endpoint, or null.",
    )
