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


@transaction.atomic
def fan_out(event: OutboxEvent) -> None:
    """Makes one delivery of `event` for each endpoint that wants it, and has them sent.

    Endpoints that were not there yet when it happened are not told. Run twice, it makes no second
    delivery: there is one for each event and endpoint.
    """
    there = WebhookEndpoint.objects.filter(is_active=True, created_at__lte=event.created_at)
    endpoints = [
        endpoint
        for endpoint in there.select_related("owner").order_by("pk")
        if wants(endpoint.topics, event.topic)
    ]
    now = timezone.now()
    deliveries = [
        WebhookDelivery(
            endpoint=endpoint,
            event=event,
            topic=event.topic,
            body=payloads.body(event, endpoint),
            next_at=now,
        )
        for endpoint in endpoints
    ]
    WebhookDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    for endpoint in endpoints:
        if endpoint.open_until is None or endpoint.open_until <= now:
            lanes.wake_after_commit(endpoint.pk)
