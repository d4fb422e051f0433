"""What is told: the message of an event, made once and sent the same at every try.

The form is that of Standard Webhooks (https://www.standardwebhooks.com), with the subject's global
id and its sequence added. Data can be the result of a GraphQL document. The shop knows nothing of
GraphQL: whoever does registers an executor here.
"""

import base64
import datetime
import logging
from importlib import import_module
from typing import Any, Protocol

import orjson
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, transaction

from shop.database import Reason, outage_of
from shop.errors import InvalidQuery
from shop.models import OutboxEvent, WebhookEndpoint

# What events hold the primary key of, beside their subject; receivers know rows by global ids.
_KEYS = {
    "dispute": "Dispute",
    "event": "OrderEvent",
    "fulfillment": "Fulfillment",
    "refund": "Refund",
    "return": "Return",
}


class Executor(Protocol):
    """Runs documents for us."""

    def check(self, document: str) -> str | None:
        """Why `document` cannot be run, in one sentence; None when it can."""

    def execute(self, document: str, subject: str, viewer: Any) -> dict[str, Any]:
        """The result, `data` and perhaps `errors`, as `viewer` may see it.

        Args:
            subject: global id, for the variable `$id`.
        """


logger = logging.getLogger(__name__)
_registered: list[Executor] = []


def register_executor(executor: Executor) -> None:
    """Has documents run by `executor`. The schema calls this when it is loaded."""
    _registered[:] = [executor]


def check_query(document: str) -> None:
    """Checks a document that is to make data; an empty one stands for the default.

    Raises:
        InvalidQuery: says why it cannot be run.
    """
    if document and (reason := _executor().check(document)):
        raise InvalidQuery(reason, field=["query"])


def body(event: OutboxEvent, endpoint: WebhookEndpoint) -> str:
    """The message of `event` for `endpoint`, as JSON."""
    subject = subject_id(event.aggregate)
    message: dict[str, Any] = {
        "type": event.topic,
        "timestamp": event.created_at.astimezone(datetime.UTC).isoformat(),
        "subject": subject,
        "sequence": event.sequence,
    }
    if endpoint.query:
        message |= _result(endpoint, subject)
    else:
        told = {name: value for name, value in event.payload.items() if name != "id"}
        for name in _KEYS.keys() & told.keys():
            told[name] = _global_id(_KEYS[name], told[name])
        message["data"] = {"id": subject, **told}
    return orjson.dumps(message).decode()


def subject_id(aggregate: str) -> str:
    """The global id, as the API has it, of what an aggregate such as "product:12" names."""
    name, _, key = aggregate.partition(":")
    return _global_id(apps.get_model("shop", name).__name__, key)


def _global_id(type_name: str, key: Any) -> str:
    return base64.b64encode(f"{type_name}:{key}".encode()).decode()


def _result(endpoint: WebhookEndpoint, subject: str) -> dict[str, Any]:
    """What the endpoint's document makes of `subject`."""
    try:
        # A savepoint: a failed statement must not take the deliveries of others along.
        with transaction.atomic():
            result = _executor().execute(endpoint.query, subject, _viewer(endpoint))
    except DatabaseError as error:
        outage = outage_of(error)
        # A document that takes too long would take too long again.
        if outage is not None and outage.reason is not Reason.TIMEOUT:
            raise  # The task is tried again.
        result = {"errors": [{"message": "The document could not be run."}]}
    if errors := result.get("errors"):
        message = errors[0]["message"]
        logger.warning("Query of webhook endpoint %s failed: %s", endpoint.pk, message)
    return {"data": None, **result}


def _viewer(endpoint: WebhookEndpoint) -> Any:
    """Whose permissions hold: the owner's as long as they work here, else a stranger's."""
    owner = endpoint.owner
    trusted = owner is not None and owner.is_active and owner.is_staff
    return owner if trusted else AnonymousUser()


def _executor() -> Executor:
    if not _registered:
        # A worker serves no addresses and so has not loaded the schema.
        import_module(settings.GRAPHENE["SCHEMA"].rpartition(".")[0])
    return _registered[0]
