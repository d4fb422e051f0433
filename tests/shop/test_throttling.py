"""How often something may be tried, in the database and, where there is one, in Redis."""

from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings as configured

from shop import throttling
from shop.errors import Busy, Throttled
from shop.models import ThrottleEntry
from shop.throttling import Limit, Policy, policies, windows
from shop.throttling.names import digest

pytestmark = pytest.mark.django_db

STORES = ["database", "redis"] if configured.REDIS_URL else ["database"]
TIGHT = Policy("test", Limit(3, 60), Limit(8, 60), Limit(5, 600), Limit(1, 60))


# Tries and seconds: for an account from one address, for an address, for an account from
# everywhere, and for an account from one address after that.
POLICIES = {
    "sign-in": ((10, 60), (100, 60), (50, 600), (1, 60)),
    "password": ((10, 60), (100, 60), (50, 600), (1, 60)),
    "refresh": ((30, 60), (600, 60), (100, 600), (5, 60)),
    "register": ((5, 600), (30, 600), (10, 3600), (1, 600)),
    "reset": ((5, 600), (30, 600), (10, 3600), (1, 600)),
    "token": ((10, 60), (60, 60), (50, 600), (1, 60)),
    "review": ((20, 600), (60, 600), (60, 3600), (1, 600)),
}


def test_each_kind_of_try_has_its_limits() -> None:
    found = [value for value in vars(policies).values() if isinstance(value, Policy)]
    assert {policy.name: astuple(policy)[1:] for policy in found} == POLICIES
    assert len(found) == len(POLICIES)


@pytest.fixture(params=STORES)
def _store(request: Any, settings: Any) -> None:
    if request.param == "database":
        settings.REDIS_URL = ""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """`clock[0]`: seconds since 1970; both stores ask for it."""
    now = [1_800_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def tries(policy: Policy, account: str, address: str, count: int) -> list[int]:
    """What `count` tries come to: 0 for one that is let through, else the seconds to wait."""
    found = []
    for _ in range(count):
        try:
            throttling.check(policy, account, address)
            found.append(0)
        except Throttled as error:
            found.append(error.seconds)
    return found


@pytest.mark.usefixtures("_store")
def test_a_window_moves(clock: list[float]) -> None:
    limit = Limit(2, 60)
    windows.hit(limit, "a")
    clock[0] += 20
    windows.hit(limit, "a")
    with pytest.raises(Throttled) as refused:
        windows.hit(limit, "a")
    assert refused.value.seconds == 40
    windows.hit(limit, "b")
    # A refused try does not count.
    clock[0] += 40.5
    windows.hit(limit, "a")
    with pytest.raises(Throttled) as refused:
        windows.hit(limit, "a")
    assert refused.value.seconds == 20


@pytest.mark.usefixtures("_store", "clock")
def test_a_try_that_is_given_back_does_not_count() -> None:
    limit = Limit(2, 60)
    windows.give_back(limit, "a")
    windows.hit(limit, "a")
    for _ in range(5):
        windows.hit(limit, "a")
        windows.give_back(limit, "a")
    windows.hit(limit, "a")
    with pytest.raises(Throttled):
        windows.hit(limit, "a")


@pytest.mark.usefixtures("_store", "clock")
def test_wrong_voucher_codes_at_once_are_no_way_around_the_limit(settings: Any) -> None:
    settings.VOUCHER_WRONG_CODES_PER_MINUTE = 2
    attempts = [throttling.voucher_attempt("192.0.2.1") for _ in range(3)]
    attempts[0].__enter__()
    attempts[1].__enter__()
    # Neither is known to be wrong yet.
    with pytest.raises(Throttled):
        attempts[2].__enter__()
    attempts[0].__exit__(None, None, None)
    with throttling.voucher_attempt("192.0.2.1"):
        pass


@pytest.mark.usefixtures("_store", "clock")
def test_an_account_from_one_address_is_limited_tightly_and_free_elsewhere() -> None:
    assert tries(TIGHT, "ann", "192.0.2.1", 5) == [0, 0, 0, 60, 60]
    assert tries(TIGHT, "ann", "192.0.2.2", 1) == [0]
    assert tries(TIGHT, "bea", "192.0.2.1", 1) == [0]


@pytest.mark.usefixtures("_store", "clock")
def test_an_address_is_limited_whatever_the_accounts() -> None:
    found = [tries(TIGHT, f"account {number}", "192.0.2.1", 1) for number in range(10)]
    assert found == [[0]] * 8 + [[60]] * 2


@pytest.mark.usefixtures("_store")
def test_an_account_under_attack_slows_down_and_never_shuts_its_owner_out(
    clock: list[float],
) -> None:
    for number in range(5):
        tries(TIGHT, "ann", f"192.0.2.{number}", 1)
    # From now on every address has one try a minute, the owner's also, which is enough for them.
    for number in range(100, 120):
        assert tries(TIGHT, "ann", f"192.0.2.{number}", 2) == [0, 60]
    assert tries(TIGHT, "ann", "198.51.100.7", 1) == [0]
    clock[0] += 61
    assert tries(TIGHT, "ann", "198.51.100.7", 1) == [0]
    clock[0] += 600
    assert tries(TIGHT, "ann", "198.51.100.7", 3) == [0, 0, 0]


@pytest.mark.usefixtures("_store", "clock")
def test_addresses_of_one_household_count_as_one() -> None:
    assert tries(TIGHT, "ann", "2001:db8::1", 2) == [0, 0]
    assert tries(TIGHT, "ann", "2001:db8::ffff:2", 2) == [0, 60]
    assert tries(TIGHT, "ann", "2001:db8:0:1::1", 1) == [0]
    assert tries(TIGHT, "bea", "192.0.2.9", 2) == [0, 0]
    assert tries(TIGHT, "bea", "::ffff:192.0.2.9", 2) == [0, 60]


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::8000:0:0:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("nonsense", "unknown"),
    ],
)
def test_a_client_is_known_by_its_address_or_its_network(address: str, place: str) -> None:
    assert throttling.network(address) == place


def test_stored_names_are_keyed_with_the_secret_key(settings: Any) -> None:
    settings.SECRET_KEY = "key"
    # printf 'ann\00060' | openssl dgst -sha256 -hmac key
    expected = "af205c48e3e157cad5b7f06c9885b923"
    expected += "21e7f677c79df77a83e1b94eba006540"
    assert digest("ann", "60") == expected
    # JSON can carry half of a surrogate pair.
    assert digest("\ud800") != digest("\udbff")


@pytest.mark.usefixtures("_store", "clock")
def test_kinds_of_tries_are_counted_apart() -> None:
    other = Policy("other", TIGHT.pair, TIGHT.address, TIGHT.account, TIGHT.slow)
    assert tries(TIGHT, "ann", "192.0.2.1", 4) == [0, 0, 0, 60]
    assert tries(other, "ann", "192.0.2.1", 1) == [0]


def test_nothing_that_is_stored_tells_who_tried(settings: Any) -> None:
    settings.REDIS_URL = ""
    throttling.check(TIGHT, "ann@example.org", "192.0.2.77")
    rows = repr(list(ThrottleEntry.objects.values()))
    assert "ann" not in rows
    assert "192.0.2.77" not in rows


def test_a_redis_that_is_gone_lets_nobody_through(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(Busy):
        throttling.check(TIGHT, "ann", "192.0.2.1")


def test_a_try_leaves_its_window_when_it_is_as_old_as_that(
    settings: Any, clock: list[float]
) -> None:
    settings.REDIS_URL = ""
    limit = Limit(1, 60)
    windows.hit(limit, "a")
    clock[0] += 59.5
    with pytest.raises(Throttled):
        windows.hit(limit, "a")
    clock[0] += 0.5
    windows.hit(limit, "a")


def test_redis_has_a_second_to_connect_and_to_answer() -> None:
    storage = windows._redis("redis://127.0.0.1:6379/0")
    found = storage.storage.connection_pool.connection_kwargs
    assert (found["socket_timeout"], found["socket_connect_timeout"]) == (1, 1)
    assert storage.prefixed_key("a") == "shop:throttle:a"


def test_what_has_left_its_window_is_removed(settings: Any, clock: list[float]) -> None:
    settings.REDIS_URL = ""
    windows.hit(Limit(3, 60), "a")
    assert throttling.purge(datetime.fromtimestamp(clock[0] + 59, UTC)) == 0
    assert throttling.purge(datetime.fromtimestamp(clock[0] + 61, UTC)) == 1
