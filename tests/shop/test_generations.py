"""Generations end with commits, whatever becomes of Redis."""

import multiprocessing
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis import Redis as Client

from shop import generations
from shop.actions.catalog import products, taxonomy
from shop.generations import link as links
from shop.generations import raising, tables
from shop.generations.link import Away
from shop.generations.local import LocalStore
from shop.generations.readings import Budget, Reading
from shop.generations.shared import SharedStore
from shop.models import DeferredTask, OutboxEvent, Product
from shop.outbox import dispatching, running
from tests.caching import local_store, shared_store
from tests.redis_server import Redis, needs_redis

EMPTY = Reading(None, {})


@pytest.fixture
def store(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedStore]:
    # No pause, so that no test has to wait for its end.
    monkeypatch.setattr(links, "PAUSE", 0.0)
    with shared_store(monkeypatch, redis.url) as shared:
        yield shared


def fill(store: Any, key: str = "key", entry: bytes = b"entry", seconds: float = 60) -> Reading:
    """Keeps an entry, and tells what was read before."""
    reading = store.claim(key, EMPTY)
    assert reading is not None
    assert reading.claim
    assert store.keep(key, reading.claim, entry, seconds)
    return reading


# --- Which tables ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ('INSERT INTO "shop_brand" ("name") VALUES (%s)', {"brand"}),
        ("INSERT IGNORE INTO `shop_brand` (`name`) VALUES (%s)", {"brand"}),
        ("INSERT OR IGNORE INTO shop_brand (name) VALUES (?)", {"brand"}),
        ("  update shop_stock set on_hand = 1", {"stock"}),
        (
            'DELETE FROM "shop_media" WHERE "shop_media"."product_id" IN '
            '(SELECT U0."id" FROM "shop_product" U0)',
            {"media"},
        ),
        ('UPDATE "shop_user" SET "name" = %s', set()),
        ('SELECT "shop_brand"."id" FROM "shop_brand" FOR UPDATE', set()),
        ("SAVEPOINT shop_brand", set()),
        (
            'WITH gone AS (DELETE FROM "shop_brand" RETURNING id) INSERT INTO "shop_product" '
            "SELECT id FROM gone",
            {"brand", "product"},
        ),
        ('ALTER TABLE "shop_variant" ADD COLUMN x int', {"variant"}),
    ],
)
def test_table_that_a_statement_writes_to(sql: str, names: set[str]) -> None:
    assert tables.written(sql) == names


def test_tables_that_a_statement_reads() -> None:
    joined = 'SELECT * FROM "shop_variant" INNER JOIN "shop_product" ON (1=1)'
    assert tables.read(joined) == tables.Tables(frozenset({"product", "variant"}), others=False)
    private = 'SELECT * FROM "shop_variant", "shop_order"'
    assert tables.read(private) == tables.Tables(frozenset({"variant"}), others=True)


def test_every_watched_table_is_there_and_every_event_of_the_catalog_is_about_some() -> None:
    assert set(generations.WATCHED) <= set(tables._models().values())
    assert {name for names in tables.BY_TOPIC.values() for name in names} <= set(tables.WATCHED)


@pytest.mark.django_db
def test_what_is_read_is_recorded_and_nothing_of_what_is_not() -> None:
    Product.objects.exists()
    with generations.recording() as reads:
        list(Product.objects.filter(brand__name="x").values_list("variants__sku"))
    OutboxEvent.objects.exists()
    assert reads.names == {"brand", "product", "variant"}
    assert not reads.others


# --- Redis ----------------------------------------------------------------------------------------


@needs_redis
def test_one_claims_and_others_see_what_is_kept(store: SharedStore) -> None:
    first = store.claim("key", EMPTY)
    assert first is not None
    assert set(first.generations) == set(tables.WATCHED)
    second = store.claim("key", first)
    assert (second.claim, second.entry) == ("", None)
    assert store.keep("key", first.claim, b"entry", 60)
    third = store.claim("key", first)
    assert (bool(third.claim), third.entry) == (True, b"entry")
    assert third.generations == first.generations


@needs_redis
def test_generations_that_end_are_never_seen_again(store: SharedStore) -> None:
    before = fill(store)
    assert store.drop(["stock", "brand"])
    found = store.read("key")
    assert found.generations.keys() == set(tables.WATCHED) - {"stock", "brand"}
    after = store.claim("key", found)
    assert after.generations["stock"] != before.generations["stock"]
    assert after.generations["media"] == before.generations["media"]


@needs_redis
def test_nothing_is_known_of_the_run_before(store: SharedStore, redis: Redis) -> None:
    fill(store)
    assert store.read("key").entry == b"entry"
    redis.save()
    redis.kill()
    assert store.read("key") is None
    redis.start()
    # It is there still; but who knows what was written meanwhile.
    assert len(list(Client.from_url(redis.url).scan_iter("shop:answers:*:key"))) == 1
    assert store.read("key") == Reading(None, {})


@needs_redis
def test_who_could_not_tell_reads_nothing_until_it_has(
    store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)

    def fail(make: Any) -> None:
        raise Away

    with monkeypatch.context() as patch:
        # Others reach Redis, and so do our readers.
        patch.setattr(type(links.link), "tell", lambda self, make: fail(make))
        assert not store.drop(["brand"])
        assert store.owes
        assert store.read("key") is None
        assert store.claim("key", EMPTY) is None
    found = store.read("key")
    assert found is not None
    assert "brand" not in found.generations
    assert not store.owes


@needs_redis
@pytest.mark.django_db(transaction=True)
def test_what_is_owed_is_paid_by_a_task_of_the_database(
    store: SharedStore, redis: Redis, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.BACKGROUND = "threads"
    monkeypatch.setattr(raising, "store", lambda: store)
    redis.kill()
    for name in ("One", "Two"):
        taxonomy.create_brand(name=name)
    (task, *more) = DeferredTask.objects.filter(name=generations.TASK)
    assert len(more) <= 1
    assert task.next_at > timezone.now()
    running.at_once(task.name, task.args, task.key, task.queue)
    assert DeferredTask.objects.get(key=task.key).attempts == 1
    redis.start()
    other = SharedStore(1)
    reading = other.claim("key", EMPTY)
    running.at_once(task.name, task.args, task.key, task.queue)
    assert not DeferredTask.objects.filter(key=task.key).exists()
    assert other.read("key").generations == {}
    assert reading.generations.keys() == set(tables.WATCHED)


@needs_redis
def test_redis_without_memory_keeps_nothing_and_is_still_told(
    store: SharedStore, redis: Redis
) -> None:
    before = fill(store)
    Client.from_url(redis.url).config_set("maxmemory", "1")
    assert store.drop(["brand"])
    found = store.read("key")
    assert (found.entry, "brand" in found.generations) == (b"entry", False)
    claimed = store.claim("other", found)
    assert claimed.claim == ""
    assert not store.keep("other", before.claim, b"entry", 60)


@needs_redis
def test_redis_that_is_gone_is_left_alone_for_a_while(
    store: SharedStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "PAUSE", 60.0)
    monkeypatch.setattr(links, "pause", links._Pause())
    redis.kill()
    tries = []
    send = links.Link._send
    monkeypatch.setattr(links.Link, "_send", lambda self, make: tries.append(1) or send(self, make))
    assert [store.read("key") for _ in range(5)] == [None] * 5
    assert len(tries) == 1


def _child(store: SharedStore, pipe: Any) -> None:
    pipe.send(store.read("key").entry)


@needs_redis
def test_a_fork_speaks_on_a_connection_of_its_own(store: SharedStore) -> None:
    fill(store)
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_child, args=[store, theirs])
    child.start()
    assert ours.recv() == b"entry"
    child.join()
    assert store.read("key").entry == b"entry"


# --- Without Redis --------------------------------------------------------------------------------


def test_processes_of_a_machine_end_generations_in_one_file(tmp_path: Path) -> None:
    one, two = local_store(tmp_path), local_store(tmp_path)
    before = fill(one)
    two.drop(["brand"])
    now = one.read("key").generations
    assert {name for name in now if now[name] != before.generations[name]} == {"brand"}
    assert two.read("key").entry is None


def test_memory_is_bounded(tmp_path: Path) -> None:
    store = LocalStore(1000, tmp_path / "generations")
    for key in "abc":
        fill(store, key, b"x" * 400)
    assert [store.read(key).entry is None for key in "abc"] == [True, False, False]
    fill(store, "c", b"x" * 100)
    fill(store, "d", b"x" * 400)
    assert [store.read(key).entry is None for key in "bcd"] == [False, False, False]
    claimed = store.claim("e", EMPTY)
    assert not store.keep("e", claimed.claim, b"x" * 1001, 60)


def test_budget_counts_what_a_process_has_kept() -> None:
    budget = Budget(1000)
    assert budget.allows("a", 600, 60)
    assert not budget.allows("b", 600, 60)
    # In place of what it had.
    assert budget.allows("a", 1000, 0.0)
    # By now that is over.
    assert budget.allows("b", 1000, 60)
    assert not budget.allows("c", 1, 60)


# --- Events ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_events_that_wait_are_looked_after_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.BACKGROUND = "threads"
    store = local_store(tmp_path)
    product = products.create(name="Mug")
    monkeypatch.setattr(raising, "store", lambda: store)
    OutboxEvent.objects.update(created_at=timezone.now() - timedelta(seconds=2))
    before = store.read("").generations
    dispatching.look_after()
    after = store.read("").generations
    assert {name for name in after if after[name] != before[name]} == set(
        tables.BY_TOPIC["product"]
    )
    dispatching.look_after()
    assert store.read("").generations == after
    assert product.pk


@pytest.mark.django_db
def test_looking_after_takes_one_statement() -> None:
    with CaptureQueriesContext(connection) as captured:
        dispatching.look_after()
    assert len(captured) == 1
