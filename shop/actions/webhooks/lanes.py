"""Sends the deliveries of one endpoint, and keeps one that fails out of the others' way.

Each endpoint has a lane of its own: at most a few tries at once, one once a try has failed, and
none while its circuit is open. What a lane is at is written down, so that any worker can go on
where another was lost.
"""

import random
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from shop import metrics, outbox
from shop.actions.webhooks import sending
from shop.models import DeliveryState, WebhookDelivery, WebhookEndpoint

TASK = "shop.deliver_webhooks"

# Tries at once, while all goes well.
AT_ONCE = 4
# Seconds until the next try, after each that failed: ten tries in a day.
GAPS = (5, 30, 120, 600, 1800, 7200, 18_000, 28_800, 28_800)
TRIES = len(GAPS) + 1
# So many failures in a row open the circuit, for so many seconds that double to so many.
FAILURES, _FIRST_BREAK, _LONGEST_BREAK = 5, 60, 3600
# A try that has not been recorded after so many seconds was lost; none takes half of that.
_LOST = 60
# After so many seconds a lane lets others have the worker.
_TURN = 20.0


@dataclass(frozen=True)
class Claim:
    """A try that is ours to make."""

    endpoint: WebhookEndpoint
    delivery: WebhookDelivery
    runner: uuid.UUID


def wake_after_commit(endpoint_id: int) -> None:
    """Has the lane of an endpoint run once the transaction is committed."""
    transaction.on_commit(partial(wake, endpoint_id), robust=True)


def wake(endpoint_id: int) -> None:
    """Has the lane of an endpoint run. The message may be lost: `sweep` wakes it again."""
    outbox.send(TASK, endpoint_id, key=f"webhooks:{uuid.uuid4().hex}", queue="webhooks")


def probe_after_commit(endpoint: WebhookEndpoint) -> None:
    """As `wake_after_commit`, for staff who want to see now: an open circuit lets one try through.

    Args:
        endpoint: locked.
    """
    if endpoint.open_until is not None:
        endpoint.open_until = timezone.now()
        endpoint.save(update_fields=["open_until"])
    wake_after_commit(endpoint.pk)


def sweep() -> None:
    """Wakes all lanes that have something to do, those also whose worker was lost."""
    now = timezone.now()
    due = WebhookDelivery.objects.filter(
        endpoint=models.OuterRef("pk"), state=DeliveryState.PENDING, next_at__lte=now
    )
    open_now = models.Q(open_until__gt=now)
    waiting = WebhookEndpoint.objects.filter(~open_now, models.Exists(due), is_active=True)
    for key in waiting.values_list("pk", flat=True):
        wake(key)


def run(endpoint_id: int) -> None:
    """Makes the tries of an endpoint that are due, until there are none or its turn is over."""
    until = time.monotonic() + _TURN
    while time.monotonic() < until:
        claim = _claim(endpoint_id)
        if claim is None:
            return
        outcome = sending.send(claim.endpoint, claim.delivery)
        metrics.count("webhooks.tries", result=outcome.result)
        _record(claim, outcome)
    wake(endpoint_id)


def locked(endpoint_id: int) -> WebhookEndpoint | None:
    """The endpoint, locked until the transaction ends; always before its deliveries.

    On PostgreSQL without its key, so that deliveries can be made for it meanwhile.
    """
    no_key = connection.features.has_select_for_no_key_update
    rows = WebhookEndpoint.objects.select_for_update(no_key=no_key)
    return rows.filter(pk=endpoint_id).first()


def _claim(endpoint_id: int) -> Claim | None:
    """The next try that is due and may be made now, made ours."""
    now = timezone.now()
    pending = WebhookDelivery.objects.filter(endpoint=endpoint_id, state=DeliveryState.PENDING)
    due = pending.filter(next_at__lte=now)
    # Most who are woken find that another lane was there first: they need no lock.
    if not due.exists():
        return None
    with transaction.atomic():
        # The lock keeps two lanes from both taking the last place.
        endpoint = locked(endpoint_id)
        if endpoint is None or not endpoint.is_active or _is_open(endpoint, now):
            return None
        at_once = 1 if endpoint.failures else AT_ONCE
        if pending.filter(runner__isnull=False, next_at__gt=now).count() >= at_once:
            return None
        delivery = due.order_by("next_at", "id").first()
        return _take(endpoint, delivery, now) if delivery else None


def _take(endpoint: WebhookEndpoint, delivery: WebhookDelivery, now: datetime) -> Claim | None:
    """Makes the next try of `delivery` ours, unless it changed meanwhile."""
    same = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.PENDING, next_at=delivery.next_at
    )
    if delivery.attempts >= TRIES:
        # A worker was lost at the last try. The sweep goes on with the others.
        same.update(state=DeliveryState.FAILED, runner=None, error="The last try was lost.")
        return None
    delivery.attempts += 1
    claim = Claim(endpoint, delivery, uuid.uuid4())
    taken = same.update(
        runner=claim.runner,
        next_at=now + timedelta(seconds=_LOST),
        attempts=delivery.attempts,
    )
    return claim if taken else None


@transaction.atomic
def _record(claim: Claim, outcome: sending.Outcome) -> None:
    """Writes down how a try went, unless it is not ours any more: lost, or asked for anew."""
    endpoint = locked(claim.endpoint.pk)
    now = timezone.now()
    mine = WebhookDelivery.objects.filter(
        pk=claim.delivery.pk, runner=claim.runner, state=DeliveryState.PENDING
    )
    recorded = mine.update(
        runner=None,
        status=outcome.status,
        error=outcome.error,
        milliseconds=outcome.milliseconds,
        **_what_follows(outcome, claim.delivery.attempts, now),
    )
    if endpoint is None or not recorded or outcome.result == sending.REFUSED:
        return
    if outcome.result == sending.DELIVERED:
        endpoint.failures, endpoint.open_until = 0, None
    else:
        endpoint.failures += 1
        endpoint.open_until = _break_after(endpoint.failures, now)
    if outcome.is_gone:
        endpoint.is_active = False
    endpoint.save(update_fields=["failures", "open_until", "is_active"])


def _what_follows(outcome: sending.Outcome, attempts: int, now: datetime) -> dict[str, Any]:
    """What becomes of a delivery after a try."""
    if outcome.result == sending.DELIVERED:
        return {"state": DeliveryState.DELIVERED, "delivered_at": now}
    if outcome.result == sending.REFUSED:
        return {"state": DeliveryState.REFUSED}
    if outcome.is_gone or attempts >= TRIES:
        return {"state": DeliveryState.FAILED}
    # Spread, so that what failed together does not come back together.
    seconds = GAPS[attempts - 1] * random.uniform(1.0, 1.2)  # noqa: S311 - nothing secret.
    return {"next_at": now + timedelta(seconds=seconds)}


def _is_open(endpoint: WebhookEndpoint, now: datetime) -> bool:
    return endpoint.open_until is not None and endpoint.open_until > now


def _break_after(failures: int, now: datetime) -> datetime | None:
    """Until when an endpoint with so many failures in a row is left alone."""
    if failures < FAILURES:
        return None
    # More doublings than these make no difference.
    doublings = min(failures - FAILURES, 10)
    return now + timedelta(seconds=min(_FIRST_BREAK * 2**doublings, _LONGEST_BREAK))
