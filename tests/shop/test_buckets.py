"""Leaky buckets, in the memory of the process and, where there is one, in Redis."""

import itertools
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.conf import settings as configured
from redis import Redis

from shop.throttling import Bucket, Level, buckets, draw

BUCKET = Bucket(size=100, rate=10)
NOWHERE = "redis://127.0.0.1:1/0"
# Before tests set another one.
_REAL = configured.REDIS_URL


@pytest.fixture(autouse=True)
def local(monkeypatch: pytest.MonkeyPatch, settings: Any) -> buckets.Local:
    """Buckets of this test's own; Redis is for those that ask for it."""
    settings.REDIS_URL = ""
    own = buckets.Local()
    monkeypatch.setattr(buckets, "_local", own)
    buckets._shared.cache_clear()
    return own


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """`clock.now`: seconds of the process's clock."""
    clock = SimpleNamespace(now=1000.0, time=time.time)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(buckets, "time", clock)
    return clock


def taken(points: int, *key: str) -> bool:
    return draw(BUCKET, points, *key).wait == 0


def test_points_are_taken_and_come_back_at_an_even_rate(clock: SimpleNamespace) -> None:
    assert draw(BUCKET, 70, "ann") == Level(30, 0)
    assert draw(BUCKET, 50, "ann") == Level(30, 2)
    clock.now += 1
    assert draw(BUCKET, 50, "ann") == Level(40, 1)
    clock.now += 1
    assert draw(BUCKET, 50, "ann") == Level(0, 0)
    clock.now += 1000
    assert draw(BUCKET, 1, "ann") == Level(99, 0)


@pytest.mark.usefixtures("clock")
def test_each_key_has_a_bucket_of_its_own() -> None:
    assert [taken(100, "ann"), taken(1, "ann"), taken(100, "bea")] == [True, False, True]
    assert [taken(100, "a", "bc"), taken(100, "ab", "c")] == [True, True]


@pytest.mark.usefixtures("clock")
def test_what_is_refused_takes_nothing() -> None:
    draw(BUCKET, 90, "ann")
    assert [draw(BUCKET, 11, "ann").available for _ in range(50)] == [10] * 50
    assert taken(10, "ann")


def test_a_bucket_is_drained_of_fewer_points_than_are_asked_for(clock: SimpleNamespace) -> None:
    draw(BUCKET, 70, "ann")
    assert draw(BUCKET, 0, "ann") == Level(30, 0)
    assert draw(BUCKET, 50, "ann", drain=True) == Level(0, 5)
    assert draw(BUCKET, 0, "ann") == Level(0, 0)
    clock.now += 1
    assert draw(BUCKET, 10, "ann", drain=True) == Level(0, 0)


def test_more_than_it_holds_takes_a_full_bucket_and_is_not_waited_for_for_ever(
    clock: SimpleNamespace,
) -> None:
    assert draw(BUCKET, 10**30, "ann") == Level(0, 0)
    assert draw(BUCKET, 10**30, "ann") == Level(0, 10)
    clock.now += 10
    assert draw(BUCKET, 10**30, "ann") == Level(0, 0)


def test_a_bucket_that_is_made_smaller_is_waited_for_no_longer_than_it_takes_to_fill(
    clock: SimpleNamespace,
) -> None:
    draw(Bucket(1000, 10), 1000, "ann")
    assert draw(Bucket(50, 10), 50, "ann") == Level(0, 5)
    # A clock that was set back.
    clock.now -= 500
    assert draw(BUCKET, 100, "ann") == Level(0, 10)


def test_the_wait_that_is_told_is_right_whatever_was_spent(clock: SimpleNamespace) -> None:
    dice = random.Random(7)
    for number in range(500):
        size, rate = dice.randint(1, 10_000), dice.randint(1, 3_000)
        bucket, key = Bucket(size, rate), str(number)
        for _ in range(20):
            points = dice.randint(1, size)
            if wait := draw(bucket, points, key).wait:
                clock.now += max(wait - 0.01, 0)
                assert draw(bucket, points, key).wait > 0 or wait < 0.01
                clock.now += 0.011
                assert draw(bucket, points, key).wait == 0


def test_only_so_many_are_kept_and_those_longest_untouched_go(monkeypatch: Any) -> None:
    small = buckets.Local(most=3)
    monkeypatch.setattr(buckets, "_local", small)
    for key in ("a", "b", "c", "a", "d"):
        draw(BUCKET, 50, key)
    assert len(small) == 3
    assert not taken(1, "a")
    assert taken(100, "b")


def test_threads_take_no_more_than_there_is() -> None:
    slow = Bucket(500, 1)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: draw(slow, 1, "ann").wait == 0, range(2000)))
    assert 500 <= sum(found) <= 502


def test_nothing_that_is_kept_tells_whose_it_is(local: buckets.Local) -> None:
    draw(BUCKET, 1, "address", "192.0.2.77")
    assert len(local) == 1
    assert "192.0.2.77" not in repr(vars(local))


def test_without_an_answer_from_redis_a_process_counts_by_itself_and_asks_again_later(
    settings: Any, clock: SimpleNamespace, monkeypatch: Any
) -> None:
    settings.REDIS_URL = NOWHERE
    asked = []
    shared = buckets._shared(NOWHERE)
    script = shared._script
    monkeypatch.setattr(shared, "_script", lambda **given: (asked.append(1), script(**given))[1])
    assert draw(BUCKET, 60, "ann") == Level(40, 0)
    assert draw(BUCKET, 60, "ann") == Level(40, 2)
    assert len(asked) == 1
    clock.now += 3.5
    assert draw(BUCKET, 60, "ann") == Level(15, 0)
    assert draw(BUCKET, 10, "ann") == Level(5, 0)
    assert len(asked) == 2


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Metrics that were counted."""
    found: list[str] = []
    monkeypatch.setattr(buckets.metrics, "count", found.append)
    return found


class Switch:
    """A stand-in for the script in Redis: `is_there` says whether Redis answers."""

    def __init__(self, shared: buckets.Shared) -> None:
        self.is_there, self.asked = True, 0
        self.meanwhile: list[bool] = []
        self._shared = shared

    def __call__(self, **_: Any) -> tuple[int, int]:
        self.asked += 1
        # As another thread finds it, while this one waits for Redis.
        self.meanwhile.append(self._shared._is_to_be_asked())
        if not self.is_there:
            raise redis.ConnectionError
        return 1, 2_000_000


@pytest.fixture
def switch(settings: Any, clock: SimpleNamespace, monkeypatch: Any) -> Switch:
    settings.REDIS_URL = NOWHERE
    shared = buckets._shared(NOWHERE)
    found = Switch(shared)
    monkeypatch.setattr(shared, "_script", found)
    return found


def test_one_request_at_a_time_finds_out_whether_redis_is_back(
    switch: Switch, clock: SimpleNamespace, counted: list[str], caplog: Any
) -> None:
    def draws(count: int) -> list[float]:
        return [draw(BUCKET, 20, "ann").available for _ in range(count)]

    # Redis says that the bucket is full in two seconds.
    assert draws(2) == [80, 80]
    assert (switch.asked, switch.meanwhile, counted) == (2, [True, True], [])
    switch.is_there = False
    # The process's own bucket knows what Redis said.
    assert draws(3) == [60, 40, 20]
    assert (switch.asked, counted) == (3, ["cost.local"] * 3)
    assert [record.getMessage() for record in caplog.records] == [
        "Costs are counted in each process: ConnectionError"
    ]
    clock.now += 3
    assert draws(2) == [30, 10]
    assert (switch.asked, switch.meanwhile[-1]) == (4, False)
    clock.now += 2.75
    assert draws(1) == [17.5]
    assert (switch.asked, len(caplog.records)) == (4, 1)
    clock.now += 0.25
    switch.is_there = True
    assert draws(2) == [80, 80]
    assert (switch.asked, switch.meanwhile[-2:]) == (6, [False, True])
    assert len(counted) == 6
    assert [record.getMessage() for record in caplog.records[1:]] == [
        "Costs are counted in Redis again."
    ]


def test_an_unanswered_request_closes_idle_connections_and_is_sent_once(
    switch: Switch, monkeypatch: Any
) -> None:
    client = buckets._shared(NOWHERE)._redis
    closed: list[Any] = []
    monkeypatch.setattr(client.connection_pool, "disconnect", lambda **given: closed.append(given))
    draw(BUCKET, 1, "ann")
    assert closed == []
    switch.is_there = False
    draw(BUCKET, 1, "ann")
    assert closed == [{"inuse_connections": False}]
    kwargs = client.connection_pool.connection_kwargs
    assert kwargs["retry"].get_retries() == 0
    assert (kwargs["socket_timeout"], kwargs["socket_connect_timeout"]) == (0.1, 0.1)


def test_a_redis_that_hangs_is_waited_for_a_moment_and_once(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings.REDIS_URL = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        started = time.monotonic()
        levels = [draw(BUCKET, 10, "ann") for _ in range(50)]
        seconds = time.monotonic() - started
    assert [level.wait == 0 for level in levels] == [True] * 10 + [False] * 40
    # A tenth of a second for the first; the guard is for slow machines.
    assert 0.1 <= seconds < 1


redis_only = pytest.mark.skipif(not _REAL, reason="needs Redis")


@pytest.fixture
def shared(settings: Any) -> Redis:
    """Redis, with buckets that no other run has touched."""
    settings.REDIS_URL = _REAL
    redis = Redis.from_url(settings.REDIS_URL)
    for key in redis.scan_iter("shop:bucket:*"):
        redis.delete(key)
    return redis


@redis_only
def test_redis_keeps_buckets_for_as_long_as_they_are_not_full(shared: Redis) -> None:
    assert draw(BUCKET, 70, "ann").available == pytest.approx(30, abs=0.01)
    refused = draw(BUCKET, 50, "ann")
    assert refused.wait == pytest.approx(2, abs=0.1)
    assert refused.available == pytest.approx(30, abs=1)
    (key,) = shared.scan_iter("shop:bucket:*")
    assert b"ann" not in key
    assert 6500 <= shared.pttl(key) <= 7002


@redis_only
@pytest.mark.usefixtures("shared")
def test_in_redis_the_wait_that_is_told_is_right() -> None:
    quick = Bucket(1000, 1000)
    draw(quick, 1000, "ann")
    wait = draw(quick, 300, "ann").wait
    assert wait == pytest.approx(0.3, abs=0.02)
    time.sleep(wait - 0.05)
    assert draw(quick, 300, "ann").wait > 0
    time.sleep(0.06)
    assert draw(quick, 300, "ann").wait == 0


@redis_only
@pytest.mark.usefixtures("shared")
def test_processes_draw_from_one_bucket(monkeypatch: Any) -> None:
    slow = Bucket(500, 1)
    # A connection and a memory of their own: all that processes do not share.
    processes = [buckets.Shared(_REAL) for _ in range(4)]
    turns = itertools.cycle(processes)
    drawn = [next(turns).draw(slow, 7, "ann", drain=False) for _ in range(200)]
    assert [found for found in drawn if found is None] == []
    assert sum(found[0] for found in drawn if found) == 71


@redis_only
def test_more_than_it_holds_takes_a_full_bucket_in_redis_too(shared: Redis) -> None:
    assert draw(BUCKET, 10**30, "ann").wait == 0
    assert draw(BUCKET, 10**30, "ann").wait == pytest.approx(10, abs=0.1)
    (key,) = shared.scan_iter("shop:bucket:*")
    # As if the clock of Redis had been set back by an hour.
    shared.set(key, int(shared.get(key)) + 3_600_000_000)  # type: ignore[arg-type]
    assert draw(BUCKET, 100, "ann").wait == pytest.approx(10, abs=0.1)


@redis_only
@pytest.mark.usefixtures("shared")
def test_a_redis_that_goes_gives_nobody_a_full_bucket(settings: Any) -> None:
    draw(BUCKET, 90, "ann")
    settings.REDIS_URL = NOWHERE
    assert draw(BUCKET, 90, "ann").available == pytest.approx(10, abs=1)


@redis_only
def test_a_bucket_in_redis_is_drained_too(shared: Redis) -> None:
    slow = Bucket(100_000, 1)
    draw(slow, 70_000, "ann")
    assert draw(slow, 0, "ann").available == pytest.approx(30_000, abs=100)
    drained = draw(slow, 50_000, "ann", drain=True)
    assert (drained.available, drained.wait) == (0, 50_000)
    assert draw(slow, 0, "ann").available == pytest.approx(0, abs=100)
