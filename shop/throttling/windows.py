"""Moving windows: at most so many tries within any so many seconds, across all processes.

In Redis where there is one, by the package `limits`; else in a row of the database. A window that
cannot be counted lets nobody through: who could stop the counting could guess without limit.
"""

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

# Imported here, too, because `limits` finds half of it when the first two requests both load it.
import redis
from django.conf import settings
from django.db import transaction
from limits.errors import StorageError
from limits.storage import RedisStorage

from shop.errors import Busy, Throttled
from shop.models import ThrottleEntry
from shop.outbox.housekeeping import delete_in_batches
from shop.throttling.names import digest

# Seconds that Redis may take to answer.
_REDIS_TIMEOUT = 1


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `tries` within any `seconds`."""

    tries: int
    seconds: int


def hit(limit: Limit, *key: str) -> None:
    """Counts a try of what `key` names.

    A try that is refused does not count: who keeps knocking is let in once the first of the counted
    tries is `limit.seconds` old.

    Raises:
        Throttled: it was one too many; when to come back.
        Busy: the tries cannot be counted now.
    """
    name = digest(*key, str(limit.tries), str(limit.seconds))
    wait = _hit_redis(limit, name) if settings.REDIS_URL else _hit_database(limit, name)
    if wait is not None:
        raise Throttled(max(math.ceil(wait), 1))


def give_back(limit: Limit, *key: str) -> None:
    """Takes back a try that `hit` counted; without a store, the try stays counted."""
    name = digest(*key, str(limit.tries), str(limit.seconds))
    if not settings.REDIS_URL:
        _give_back_database(name)
        return
    storage = _redis(settings.REDIS_URL)
    # The newest entry may be another request's; all that counts is how many there are.
    with suppress(redis.RedisError):
        storage.storage.lpop(storage.prefixed_key(name))


def purge(before: datetime) -> int:
    """Removes what left its window before `before`, and counts it."""
    return delete_in_batches(ThrottleEntry.objects.filter(expires_at__lt=before))


@lru_cache(maxsize=4)
def _redis(url: str) -> RedisStorage:
    return RedisStorage(
        url,
        key_prefix="shop:throttle",
        wrap_exceptions=True,
        socket_timeout=_REDIS_TIMEOUT,
        socket_connect_timeout=_REDIS_TIMEOUT,
    )


def _hit_redis(limit: Limit, name: str) -> float | None:
    storage = _redis(settings.REDIS_URL)
    try:
        if storage.acquire_entry(name, limit.tries, limit.seconds):
            return None
        start, _ = storage.get_moving_window(name, limit.tries, limit.seconds)
    except StorageError as error:
        raise Busy from error
    return start + limit.seconds - time.time()


@transaction.atomic
def _hit_database(limit: Limit, name: str) -> float | None:
    now = time.time()
    # The row is locked until the try is written: on SQLite, by its one writer at a time.
    entry, _ = ThrottleEntry.objects.select_for_update().get_or_create(
        key=name, defaults={"expires_at": _time(now + limit.seconds)}
    )
    first = (now - limit.seconds) * 1000
    hits = [hit for hit in entry.hits if hit > first]
    if len(hits) >= limit.tries:
        return hits[-limit.tries] / 1000 + limit.seconds - now
    entry.hits = [*hits, int(now * 1000)]
    entry.expires_at = _time(now + limit.seconds)
    entry.save(update_fields=["hits", "expires_at"])
    return None


@transaction.atomic
def _give_back_database(name: str) -> None:
    entry = ThrottleEntry.objects.select_for_update().filter(key=name).first()
    if entry is not None:
        entry.hits = entry.hits[:-1]
        entry.save(update_fields=["hits"])


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
