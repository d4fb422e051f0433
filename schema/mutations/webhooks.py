"""Endpoints of webhooks and what is sent to them."""

from typing import Any, ClassVar

import graphene

from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.inputs import load_any, replace
from schema.types.webhooks import WebhookDelivery, WebhookEndpoint, WebhookTopic
from schema.updates import REQUIRED, CreateMutation, UpdateMutation
from shop import models
from shop.actions.webhooks import deliveries, endpoints
from shop.input_errors import InputErrors

_URL = "Where messages are sent: an https address on the public internet."
_DESCRIPTION = "Purpose of the endpoint."
_QUERY = (
    "A GraphQL query whose result is the data of messages, executed with your permissions; it may "
    "declare `$id`, the subject's global id. Empty or null: the default data."
)
_TOPICS = "What it is told of; `ALL` for everything. `SHOP_TEST` cannot be asked for."
_ACTIVE = "Whether events are sent to it."
_SECRET = "Signs the messages. It is not shown again: store it where the receiver can read it."  # noqa: S105


def _id(description: str) -> graphene.ID:
    return graphene.ID(required=True, description=description)


def _topics(*, required: bool) -> graphene.List:
    return graphene.List(graphene.NonNull(WebhookTopic), required=required, description=_TOPICS)


def _read(values: dict[str, Any], errors: InputErrors) -> None:
    replace(values, "topics", errors, lambda topics: [topic.value for topic in topics])


class WebhookEndpointCreate(CreateMutation):
    """Creates an endpoint, which is told of what happens from then on."""

    permission = "shop.add_webhookendpoint"
    codes = ("URL_NOT_ALLOWED", "INVALID_QUERY")

    class Input:
        url = graphene.String(required=True, description=_URL)
        topics = _topics(required=True)
        description = graphene.String(description=_DESCRIPTION)
        query = graphene.String(description=_QUERY)
        is_active = graphene.Boolean(description=f"{_ACTIVE} True when left out.")

    webhook_endpoint = ObjectField(WebhookEndpoint, description="The new endpoint.")
    secret = graphene.String(description=_SECRET)

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read(values, errors)

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        endpoint = endpoints.create(by=info.context.user, **values)
        return cls(webhook_endpoint=endpoint, secret=endpoint.secret)


class WebhookEndpointUpdate(UpdateMutation):
    """Changes an endpoint. A new `url` or `query` makes it yours: your permissions then count."""

    permission = "shop.change_webhookendpoint"
    codes = ("URL_NOT_ALLOWED", "INVALID_QUERY")
    node_type = WebhookEndpoint
    cleared: ClassVar[dict[str, Any]] = {"topics": REQUIRED}

    class Input:
        id = _id("Global id of the endpoint.")
        url = graphene.String(description=_URL)
        topics = _topics(required=False)
        description = graphene.String(description=_DESCRIPTION)
        query = graphene.String(description=_QUERY)
        is_active = graphene.Boolean(description=_ACTIVE)

    webhook_endpoint = ObjectField(WebhookEndpoint, description="The endpoint as it is now.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read(values, errors)

    @classmethod
    def save(
        cls, info: graphene.ResolveInfo, row: models.WebhookEndpoint, changes: dict[str, Any]
    ) -> Any:
        endpoint = endpoints.update(row, by=info.context.user, **changes)
        return cls(webhook_endpoint=endpoint)


class WebhookEndpointDelete(Mutation):
    """Deletes an endpoint with its deliveries."""

    permission = "shop.delete_webhookendpoint"
    codes = ("NOT_FOUND",)

    class Input:
        id = _id("Global id of the endpoint.")

    deleted_id = graphene.ID(description="Global id of what was deleted.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        endpoints.delete(load_any(info, WebhookEndpoint, id))
        return cls(deleted_id=id)


class WebhookEndpointRotateSecret(Mutation):
    """Gives an endpoint a new secret, which signs from the next try on."""

    permission = "shop.change_webhookendpoint"
    codes = ("NOT_FOUND",)

    class Input:
        id = _id("Global id of the endpoint.")

    webhook_endpoint = ObjectField(WebhookEndpoint, description="The endpoint.")
    secret = graphene.String(description=_SECRET)

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        endpoint = endpoints.rotate_secret(load_any(info, WebhookEndpoint, id))
        return cls(webhook_endpoint=endpoint, secret=endpoint.secret)


class WebhookEndpointTest(Mutation):
    """Sends a message of the topic `SHOP_TEST` to an active endpoint, whatever it is told of."""

    permission = "shop.change_webhookendpoint"
    codes = ("NOT_FOUND",)

    class Input:
        id = _id("Global id of the endpoint.")

    webhook_delivery = ObjectField(
        WebhookDelivery, description="The delivery: ask for it again to see how it went."
    )

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        return cls(webhook_delivery=endpoints.send_test(load_any(info, WebhookEndpoint, id)))


class WebhookDeliveryReplay(Mutation):
    """Sends a delivery again from its first try, with the same webhook-id and the same payload."""

    permission = "shop.change_webhookdelivery"
    codes = ("NOT_FOUND",)

    class Input:
        id = _id("Global id of the delivery.")

    webhook_delivery = ObjectField(WebhookDelivery, description="The delivery as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        return cls(webhook_delivery=deliveries.replay(load_any(info, WebhookDelivery, id)))


class WebhooksMutation(graphene.ObjectType):
    """Who outside is told what happens."""

    webhook_endpoint_create = WebhookEndpointCreate.Field()
    webhook_endpoint_update = WebhookEndpointUpdate.Field()
    webhook_endpoint_delete = WebhookEndpointDelete.Field()
    webhook_endpoint_rotate_secret = WebhookEndpointRotateSecret.Field()
    webhook_endpoint_test = WebhookEndpointTest.Field()
    webhook_delivery_replay = WebhookDeliveryReplay.Field()
