"""Orders in every state that they can be in."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shop.actions import inventory
from shop.gateways import Refused, Unavailable, gateway_of
from shop.models import Order, User
from tests.shop.aftersales.states import STATES
from tests.shop.orders import place, variant


@pytest.fixture(autouse=True)
def _books_of_stock_agree(db: None) -> Iterator[None]:
    """After every test: movements and reservations add up to what the stock says."""
    yield
    assert inventory.discrepancies() == []


@pytest.fixture
def order_that_is(staff: User) -> Callable[[str], Order]:
    """`order_that_is("completed")`: two units of 10.00 dollars and three of 2.50."""

    def make(state: str) -> Order:
        paid, bring = STATES[state]
        order = place(lines={variant(1000): 2, variant(250): 3}, state=paid)
        bring(order, staff)
        return Order.objects.get(pk=order.pk)

    return make


class Provider:
    """The demo provider, which can be made to fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def is_silent(self) -> None:
        self._raises(Unavailable)

    def refuses(self) -> None:
        self._raises(Refused)

    def answers(self) -> None:
        self._patch.undo()

    def _raises(self, error: type[Exception]) -> None:
        def fail(*_: Any, **__: Any) -> Any:
            raise error

        for name in ("refund", "void", "capture"):
            self._patch.setattr(gateway_of("demo"), name, fail)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with pytest.MonkeyPatch.context() as patch:
        yield Provider(patch)
