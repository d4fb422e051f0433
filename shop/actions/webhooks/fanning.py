"""From an event to its deliveries."""

from django.db import transaction
from django.utils import timezone

from shop.actions.webhooks import lanes, payloads
from shop.actions.webhooks.topics import wants
from shop.models import OutboxEvent, WebhookDelivery, WebhookEndpoint


def anyone_listens() -> bool:
    """Whether there is any endpoint; as long as there is none, events need not be looked at.

    One that is not active counts: events that nobody looked at would be caught up on with the next
    of their aggregate, and it would be told of them once it is active again.
    """
    return WebhookEndpoint.objects.exists()


def messages(event: OutboxEvent) -> list[WebhookDelivery]:
    """What is to be sent of `event`, for each endpoint that wants it; nothing is written.

    Making the bodies runs the documents of their owners, which no transaction should wait for.
    Endpoints that were not there yet when it happened are not told.
    """
    there = WebhookEndpoint.objects.filter(is_active=True, created_at__lte=event.created_at)
    endpoints = [
        endpoint
        for endpoint in there.select_related("owner").order_by("pk")
        if wants(endpoint.topics, event.topic)
    ]
    now = timezone.now()
    return [
        WebhookDelivery(
            endpoint=endpoint,
            event=event,
            topic=event.topic,
            body=payloads.body(event, endpoint),
            next_at=now,
        )
        for endpoint in endpoints
    ]


@transaction.atomic
def fan_out(event: OutboxEvent, deliveries: list[WebhookDelivery]) -> None:
    """Writes what `messages` has made of `event`, and has it sent.

    Run twice, it makes no second delivery: there is one for each event and endpoint.
    """
    # One that was deleted meanwhile is told of nothing.
    keys = [delivery.endpoint_id for delivery in deliveries]
    there = set(WebhookEndpoint.objects.filter(pk__in=keys).values_list("pk", flat=True))
    kept = [delivery for delivery in deliveries if delivery.endpoint_id in there]
    WebhookDelivery.objects.bulk_create(kept, ignore_conflicts=True)
    now = timezone.now()
    for delivery in kept:
        endpoint = delivery.endpoint
        if endpoint.open_until is None or endpoint.open_until <= now:
            lanes.wake_after_commit(endpoint.pk)
