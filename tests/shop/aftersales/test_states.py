"""Every state, and everything that can be tried in it."""

from collections.abc import Callable
from typing import Any

import pytest

from shop.actions import aftersales
from shop.actions.aftersales import Wanted
from shop.errors import ExceedsOrder, ExceedsPayment, IllegalMove, ShopError
from shop.models import Order, User
from tests.shop.aftersales.states import STATES

MOVES: dict[str, Callable[[Order, User], Any]] = {
    "fulfil": lambda order, by: aftersales.fulfil(order, by=by),
    "cancel": lambda order, by: aftersales.cancel(order, by=by),
    "refund": lambda order, by: aftersales.refund(order, Wanted(amount=100), by=by),
    "return": lambda order, by: aftersales.return_(order, by=by),
    "capture": lambda order, by: aftersales.capture(order, by=by),
    "note": lambda order, by: aftersales.note(order, "Called her.", by=by),
}
ILLEGAL, MORE, UNPAID = IllegalMove, ExceedsOrder, ExceedsPayment
# What comes of a move; True stands for that it is made.
TABLE = {
    #                  fulfil   cancel   refund   return   capture  note
    "pending":        (ILLEGAL, True,    ILLEGAL, ILLEGAL, ILLEGAL, True),
    "waiting":        (ILLEGAL, True,    ILLEGAL, ILLEGAL, ILLEGAL, True),
    "expired":        (ILLEGAL, ILLEGAL, UNPAID,  ILLEGAL, ILLEGAL, True),
    "promised":       (True,    True,    UNPAID,  MORE,    True,    True),
    "paid":           (True,    True,    True,    MORE,    ILLEGAL, True),
    "partially paid": (True,    True,    True,    MORE,    ILLEGAL, True),
    "partly shipped": (True,    ILLEGAL, True,    True,    ILLEGAL, True),
    "shipped unpaid": (MORE,    ILLEGAL, UNPAID,  True,    True,    True),
    "completed":      (ILLEGAL, ILLEGAL, True,    True,    ILLEGAL, True),
    "returned":       (ILLEGAL, ILLEGAL, True,    MORE,    ILLEGAL, True),
    "refunded":       (ILLEGAL, True,    UNPAID,  MORE,    ILLEGAL, True),
    "cancelled":      (ILLEGAL, ILLEGAL, UNPAID,  ILLEGAL, ILLEGAL, True),
}  # fmt: skip
SEEN = {
    "pending": ("pending", "none", "pending"),
    "waiting": ("pending", "none", "pending"),
    "expired": ("expired", "none", "voided"),
    "promised": ("confirmed", "none", "authorized"),
    "paid": ("confirmed", "none", "paid"),
    "partially paid": ("confirmed", "none", "partially_paid"),
    "partly shipped": ("confirmed", "partial", "paid"),
    "shipped unpaid": ("confirmed", "full", "authorized"),
    "completed": ("completed", "full", "paid"),
    "returned": ("completed", "returned", "paid"),
    "refunded": ("confirmed", "cancelled", "refunded"),
    "cancelled": ("cancelled", "none", "refunded"),
}


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_what_it_is_called(state: str, order_that_is: Any) -> None:
    order = order_that_is(state)
    assert (order.status, order.fulfillment_status, order.payment_status) == SEEN[state]


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", STATES)
def test_a_move_is_made_or_refused_and_then_nothing_has_changed(
    state: str, move: str, order_that_is: Any, staff: User, dump: Any
) -> None:
    order = order_that_is(state)
    expected = dict(zip(MOVES, TABLE[state], strict=True))[move]
    before = dump()
    if expected is True:
        MOVES[move](order, staff)
        assert dump() != before
        return
    with pytest.raises(ShopError) as caught:
        MOVES[move](order, staff)
    assert type(caught.value) is expected
    assert caught.value.message.endswith(".")
    assert dump() == before
