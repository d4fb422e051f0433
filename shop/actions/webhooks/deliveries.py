"""What was sent: send it again, remove it when it is old."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from shop.actions import audit
from shop.actions.webhooks import lanes
from shop.errors import Invalid, NotFound
from shop.models import DeliveryState, WebhookDelivery
from shop.outbox.housekeeping import delete_in_batches


def facts(delivery: WebhookDelivery) -> dict[str, Any]:
    """What the audit tells of a delivery; what is in it is for those who may read it."""
    names = ("endpoint_id", "topic", "state", "attempts", "next_at")
    return {name.removesuffix("_id"): getattr(delivery, name) for name in names}


@transaction.atomic
@audit.recorded("webhook_delivery.replay", facts)
def replay(delivery: WebhookDelivery) -> WebhookDelivery:
    """Sends `delivery` again from its first try, under the same webhook-id and with the same body.

    Raises:
        Invalid: the endpoint is not active.
        NotFound: it has been deleted meanwhile.
    """
    endpoint = lanes.locked(delivery.endpoint_id)
    if endpoint is None:
        raise NotFound("The delivery has been deleted.", field=["id"])
    if not endpoint.is_active:
        raise Invalid("The endpoint is not active.", field=["id"])
    audit.held(delivery)
    # A try under way loses its claim, and will not be recorded.
    found = WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.PENDING,
        attempts=0,
        next_at=timezone.now(),
        runner=None,
        status=None,
        error="",
        milliseconds=None,
        delivered_at=None,
    )
    if not found:
        raise NotFound("The delivery has been deleted.", field=["id"])
    lanes.probe_after_commit(endpoint)
    delivery.refresh_from_db()
    return delivery


def purge(before: datetime) -> int:
    """Removes the deliveries made before a time, whatever became of them, and counts them.

    Those still pending go too: an endpoint that has been failing, or inactive, for so long is not
    told any more.
    """
    return delete_in_batches(WebhookDelivery.objects.filter(created_at__lt=before))


def pending_events() -> QuerySet:
    """Primary keys of the events that somebody is still to be told of."""
    pending = WebhookDelivery.objects.filter(state=DeliveryState.PENDING)
    return pending.values_list("event", flat=True)
