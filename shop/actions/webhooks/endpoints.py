"""Who is told: addresses with their topics and secrets."""

import base64
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop import events
from shop.actions import audit
from shop.actions.webhooks import addresses, deliveries, lanes, payloads, topics
from shop.errors import Invalid, NotFound
from shop.input_errors import InputErrors
from shop.models import OutboxEvent, User, WebhookDelivery, WebhookEndpoint

_SECRET_BYTES = 32
_DESCRIPTION_LENGTH = 400


def _facts(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return audit.columns(endpoint, without=["failures", "open_until"])


@transaction.atomic
@audit.recorded("webhook_endpoint.create", _facts)
def create(*, by: User | None, **fields: Any) -> WebhookEndpoint:
    """A new endpoint, with its secret, that is told of what happens from now on.

    Args:
        by: who makes it; its document runs with their permissions.
        fields: url and topics (required), description, query, is_active.

    Raises:
        Required: there are no topics.
        UrlNotAllowed: the address must not be called.
        InvalidQuery: the document cannot be run.
        Invalid: another field makes no sense.
    """
    fields = {"url": "", "topics": (), **fields}
    endpoint = WebhookEndpoint(owner=by, secret=_new_secret())
    _apply(endpoint, fields)
    endpoint.save()
    return endpoint


@transaction.atomic
@audit.recorded("webhook_endpoint.update", _facts)
def update(endpoint: WebhookEndpoint, *, by: User, **changes: Any) -> WebhookEndpoint:
    """Changes an endpoint. Fields and errors as for `create`.

    Whoever changes what is sent, or where to, becomes the owner: else they could have it told to
    them what only the owner may see.
    """
    _hold(endpoint)
    before = (endpoint.url, endpoint.query)
    was_active = endpoint.is_active
    _apply(endpoint, changes)
    if (endpoint.url, endpoint.query) != before:
        endpoint.owner = by
    if endpoint.url != before[0] or (endpoint.is_active and not was_active):
        endpoint.failures, endpoint.open_until = 0, None
    endpoint.save()
    if endpoint.is_active:
        lanes.wake_after_commit(endpoint.pk)
    return endpoint


@transaction.atomic
@audit.recorded("webhook_endpoint.delete", _facts)
def delete(endpoint: WebhookEndpoint) -> None:
    """Removes an endpoint with its deliveries."""
    _hold(endpoint)
    endpoint.delete()


@transaction.atomic
@audit.recorded("webhook_endpoint.rotate_secret", _facts)
def rotate_secret(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Gives an endpoint a new secret, which signs from the next try on."""
    _hold(endpoint)
    endpoint.secret = _new_secret()
    endpoint.save(update_fields=["secret", "updated_at"])
    return endpoint


@transaction.atomic
@audit.recorded("webhook_delivery.create", deliveries.facts)
def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Sends a "shop.test" to one endpoint, whatever its topics, even while its circuit is open.

    Raises:
        Invalid: it is not active.
    """
    _hold(endpoint)
    if not endpoint.is_active:
        raise Invalid("The endpoint is not active.", field=["id"])
    events.emit(topics.TEST, endpoint)
    aggregate = events.aggregate_of(endpoint)
    event = OutboxEvent.objects.filter(aggregate=aggregate).latest("sequence")
    # Made here, since it concerns nobody else; who fans out passes it over.
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint,
        event=event,
        topic=event.topic,
        body=payloads.body(event, endpoint),
        next_at=timezone.now(),
    )
    lanes.probe_after_commit(endpoint)
    return delivery


def _hold(endpoint: WebhookEndpoint) -> None:
    """Reads the endpoint again and keeps others from writing it until the transaction ends."""
    if lanes.locked(endpoint.pk) is None:
        raise NotFound("The endpoint has been deleted.", field=["id"])
    endpoint.refresh_from_db()
    audit.held(endpoint)


def _apply(endpoint: WebhookEndpoint, fields: dict[str, Any]) -> None:
    """Sets `fields`. Raises a ShopError for what is wrong with them."""
    errors = InputErrors()
    for name, set_field in _SETTERS.items():
        if name in fields:
            with errors.collect():
                set_field(endpoint, fields[name])
    if "is_active" in fields:
        endpoint.is_active = fields["is_active"]
    errors.raise_any()


def _set_url(endpoint: WebhookEndpoint, given: str | None) -> None:
    endpoint.url = (given or "").strip()
    addresses.check(endpoint.url)


def _set_topics(endpoint: WebhookEndpoint, given: Iterable[str]) -> None:
    endpoint.topics = topics.chosen(given)


def _set_description(endpoint: WebhookEndpoint, given: str | None) -> None:
    endpoint.description = (given or "").strip()
    if len(endpoint.description) > _DESCRIPTION_LENGTH:
        message = f"A description has at most {_DESCRIPTION_LENGTH} characters."
        raise Invalid(message, field=["description"])


def _set_query(endpoint: WebhookEndpoint, given: str | None) -> None:
    endpoint.query = (given or "").strip()
    payloads.check_query(endpoint.query)


_SETTERS: dict[str, Callable[[WebhookEndpoint, Any], None]] = {
    "url": _set_url,
    "topics": _set_topics,
    "description": _set_description,
    "query": _set_query,
}


def _new_secret() -> str:
    """A secret in the form of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"
