"""Leaky buckets: what is spent in points, which come back at an even rate.

Of a bucket only one number is kept: when it will be full again. In Redis it is read, judged and
written in one script, by the clock of Redis, so that all processes of all machines draw from one
bucket. Without Redis, and while it does not answer, each process has buckets of its own: a limit
upon what honest clients spend must not become a reason not to serve them.
"""

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from shop import metrics
from shop.throttling.names import digest

logger = logging.getLogger(__name__)

# Seconds that Redis may take for each step of an answer, and for which it is left alone after that.
_REDIS_TIMEOUT = 0.1
_REDIS_PAUSE = 3.0

# Buckets that a process keeps. Those longest untouched go first: likely they are full.
_MAX_LOCAL = 50_000

_SECOND = 1_000_000  # In microseconds, as Redis tells the time.

# What is owed is the time until the bucket is full. It is never more than an empty bucket owes,
# though a clock be set back or a bucket be made smaller.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local size, rate, points = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
local owed = math.min(math.max(full_at - now, 0), size / rate * 1000000)
local after = owed + points / rate * 1000000
local taken = 1
if after > size / rate * 1000000 then
  if ARGV[4] == '0' then
    return {0, math.ceil(owed)}
  end
  taken, after = 0, size / rate * 1000000
end
redis.call('SET', KEYS[1], string.format('%.0f', now + after), 'PX', math.ceil(after / 1000) + 1)
return {taken, math.ceil(after)}
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Holds `size` points; `rate` of them come back in a second."""

    size: int
    rate: int

    @property
    def seconds(self) -> float:
        """Those that an empty bucket takes to be full."""
        return self.size / self.rate


@dataclass(frozen=True, slots=True)
class Level:
    """What came of a draw.

    Attributes:
        available: points that are in the bucket now.
        wait: seconds until there are as many as were asked for; 0 when they were taken.
    """

    available: float
    wait: float


def draw(bucket: Bucket, points: int, *key: str, drain: bool = False) -> Level:
    """Takes `points` from the bucket that `key` names, if there are so many.

    What is refused takes nothing. More than the bucket holds takes all that it holds, when it is
    full: else it would have to be waited for for ever.

    Args:
        points: 0 takes none and says how many there are.
        drain: whether a bucket with fewer points loses them: for work that is done already.
    """
    name = digest("bucket", *key)
    points = min(points, bucket.size)
    shared = _shared(settings.REDIS_URL) if settings.REDIS_URL else None
    found = shared.draw(bucket, points, name, drain) if shared else None
    if found is None:
        found = _local.draw(bucket, points, name, drain)
    else:
        # A Redis that goes should give nobody a full bucket.
        _local.note(bucket, name, found[1])
    taken, owed = found
    available = max(bucket.size - owed * bucket.rate, 0)
    return Level(available, 0 if taken else (points - available) / bucket.rate)


class Local:
    """Buckets of this process.

    Args:
        most: as many are kept.
    """

    def __init__(self, most: int = _MAX_LOCAL) -> None:
        self._most = most
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._full_at)

    def draw(self, bucket: Bucket, points: int, name: str, drain: bool) -> tuple[bool, float]:
        """Whether the points were taken, and the seconds until the bucket is full."""
        with self._lock:
            now = time.monotonic()
            owed = min(max(self._full_at.get(name, now) - now, 0), bucket.seconds)
            after = owed + points / bucket.rate
            is_enough = after <= bucket.seconds
            if not (is_enough or drain):
                return False, owed
            after = min(after, bucket.seconds)
            self._put(name, now + after)
            return is_enough, after

    def note(self, bucket: Bucket, name: str, owed: float) -> None:
        """Has the bucket full in `owed` seconds."""
        with self._lock:
            self._put(name, time.monotonic() + min(owed, bucket.seconds))

    def _put(self, name: str, full_at: float) -> None:
        self._full_at[name] = full_at
        self._full_at.move_to_end(name)
        while len(self._full_at) > self._most:
            self._full_at.popitem(last=False)


class Shared:
    """Buckets in Redis, for all processes; with a switch that opens when Redis does not answer."""

    def __init__(self, url: str) -> None:
        # No second try: the process's own buckets are there at once. No greetings either, which
        # would each take a turn of their own.
        self._redis = redis.Redis.from_url(
            url,
            protocol=2,
            socket_timeout=_REDIS_TIMEOUT,
            socket_connect_timeout=_REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )
        self._script = self._redis.register_script(_SCRIPT)
        self._lock = threading.Lock()
        self._gone = False
        self._try_at = 0.0

    def draw(
        self, bucket: Bucket, points: int, name: str, drain: bool
    ) -> tuple[bool, float] | None:
        """As `Local.draw`; None when Redis does not answer, or did not a moment ago."""
        if not self._is_to_be_asked():
            metrics.count("cost.local")
            return None
        key = f"shop:bucket:{name}"
        try:
            arguments = [bucket.size, bucket.rate, points, int(drain)]
            taken, owed = self._script(keys=[key], args=arguments)
        except redis.RedisError as error:
            self._left(error)
            metrics.count("cost.local")
            return None
        if self._gone:
            self._came_back()
        return bool(taken), owed / _SECOND

    def _is_to_be_asked(self) -> bool:
        if not self._gone:
            return True
        with self._lock:
            # One request at a time finds out, and each of the others is spared the wait.
            if time.monotonic() < self._try_at:
                return False
            self._try_at = time.monotonic() + _REDIS_PAUSE
            return True

    def _left(self, error: redis.RedisError) -> None:
        with self._lock:
            was_there, self._gone = not self._gone, True
            self._try_at = time.monotonic() + _REDIS_PAUSE
        # Those that are open lead to the Redis that was: none of them is used again.
        self._redis.connection_pool.disconnect(inuse_connections=False)
        if was_there:
            logger.warning("Costs are counted in each process: %s", type(error).__name__)

    def _came_back(self) -> None:
        with self._lock:
            was_gone, self._gone = self._gone, False
        if was_gone:
            logger.warning("Costs are counted in Redis again.")


_local = Local()


@lru_cache(maxsize=4)
def _shared(url: str) -> Shared:
    return Shared(url)
