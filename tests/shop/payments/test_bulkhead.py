"""Of a provider that hangs, some calls wait; the others are told so at once."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from shop.actions import carts, checkout
from shop.errors import PaymentUnavailable
from shop.gateways import Unavailable
from shop.gateways.bulkhead import Bulkhead
from shop.gateways.stripe.calling import bulkhead as stripes
from shop.models import OrderStatus
from tests.shop.payments.stripe_fake import Fake
from tests.shop.selling import ready

# Far longer than the tests take.
LONG = 30.0


class Calls:
    """Calls that last until they are let go.

    Attributes:
        entered: is released once for each call that has a place.
    """

    def __init__(self, bulkhead: Bulkhead, pool: ThreadPoolExecutor) -> None:
        self._bulkhead, self._pool = bulkhead, pool
        self.entered = threading.Semaphore(0)
        self._doors: list[threading.Event] = []

    def start(self) -> Future[None]:
        door = threading.Event()
        self._doors.append(door)
        return self._pool.submit(self._wait, door)

    def let_go(self, number: int) -> None:
        self._doors[number].set()

    def let_all_go(self) -> None:
        for door in self._doors:
            door.set()

    def _wait(self, door: threading.Event) -> None:
        with self._bulkhead.place():
            self.entered.release()
            door.wait(LONG)


@pytest.fixture
def calls() -> Iterator[Callable[[Bulkhead], Calls]]:
    """`calls(bulkhead)`: calls in threads of their own."""
    made: list[Calls] = []
    with ThreadPoolExecutor(8) as pool:

        def make(bulkhead: Bulkhead) -> Calls:
            made.append(Calls(bulkhead, pool))
            return made[-1]

        yield make
        for one in made:
            one.let_all_go()


def test_who_finds_no_place_waits_for_one(calls: Callable[[Bulkhead], Calls]) -> None:
    bulkhead = Bulkhead(lambda: 2, patience=LONG)
    some = calls(bulkhead)
    first, second = some.start(), some.start()
    for _ in range(2):
        assert some.entered.acquire(timeout=LONG)
    third = some.start()
    assert not some.entered.acquire(timeout=0.1)
    assert not bulkhead.hangs()
    some.let_go(0)
    assert some.entered.acquire(timeout=LONG)
    some.let_all_go()
    for one in (first, second, third):
        one.result(LONG)
    assert not bulkhead.hangs()


def test_when_all_hang_nobody_waits(calls: Callable[[Bulkhead], Calls]) -> None:
    bulkhead = Bulkhead(lambda: 2, patience=0.05)
    some = calls(bulkhead)
    first = some.start()
    some.start()
    for _ in range(2):
        assert some.entered.acquire(timeout=LONG)
    # A third may hope, but not for ever.
    with pytest.raises(Unavailable), bulkhead.place():
        pass
    assert bulkhead.hangs()
    began = time.monotonic()
    for _ in range(1000):
        with pytest.raises(Unavailable), bulkhead.place():
            pass
    # Waiting would have taken fifty seconds.
    assert time.monotonic() - began < 25
    some.let_go(0)
    first.result(LONG)
    assert not bulkhead.hangs()
    with bulkhead.place():
        pass


def test_a_call_that_fails_leaves_its_place() -> None:
    bulkhead = Bulkhead(lambda: 1, patience=LONG)
    for _ in range(3):
        with pytest.raises(KeyError), bulkhead.place():
            raise KeyError
    with bulkhead.place():
        pass


def test_a_checkout_is_refused_before_anything_is_written(
    selling: SimpleNamespace, stripe: Fake, dump: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cart, _ = ready(AnonymousUser(), (selling.variants[0], 2))
    wish = checkout.Wish(
        cart=cart,
        user=AnonymousUser(),
        provider="stripe",
        method="pm_card_visa",
        expected_total=carts.priced(cart).price.total,
    )
    before = dump()
    with monkeypatch.context() as patched:
        patched.setattr(stripes, "hangs", lambda: True)
        with pytest.raises(PaymentUnavailable) as caught:
            checkout.complete(wish, key="one key")
    assert list(caught.value.field) == ["payment"]
    assert dump() == before
    assert stripe.calls == []
    # What was refused was not done: the same request goes through once the provider is back.
    done = checkout.complete(wish, key="one key")
    assert done.order.status == OrderStatus.CONFIRMED
    assert len(stripe.calls) == 1
