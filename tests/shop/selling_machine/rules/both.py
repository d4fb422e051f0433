"""What all rules share: the shop, its model, and doing the same to both."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, NoReturn, TypeVar
from unittest import mock

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition

from shop import gateways
from shop.errors import Busy, ShopError
from shop.gateways import Unavailable
from shop.models import Cart, Order, Payment, User, Variant
from tests.shop.selling import BERLIN
from tests.shop.selling_machine import agreement
from tests.shop.selling_machine.figures import figures
from tests.shop.selling_machine.model import rows
from tests.shop.selling_machine.model.rows import Refused, RefusedAmong
from tests.shop.selling_machine.model.shop import Shop
from tests.shop.selling_machine.world import Clock, opened

T = TypeVar("T")
# Nothing is shipped to Austria.
ADDRESSES = {"DE": BERLIN, "AT": {**BERLIN, "city": "Wien", "postal_code": "1010", "country": "AT"}}
VARIANTS = 4
# Which of several: taken modulo how many there are, so that it always names one.
WHICH = st.integers(0, 11)
# From here on it is any of them, else one of those that something can be done to.
ANY = 9
# Where an answer of the provider is lost: nowhere, on the way there, or on the way back.
LINES = st.sampled_from(["", "", "", "before", "after"])
has_carts = precondition(lambda self: self.shop.carts)
Wanted = Callable[[rows.Order], Any]


def there_is(wanted: Wanted) -> Callable[[Any], Any]:
    """The rule is for when there is such an order."""
    return precondition(lambda self: any(wanted(order) for order in self.shop.orders))


class Both(RuleBasedStateMachine):
    """One run: a new shop, and steps that are made in it and in the model of it.

    Attributes:
        shop: the model.
        people: two customers with accounts.
    """

    shop: Shop
    clock: Clock
    people: list[User]
    staff: User

    def __init__(self) -> None:
        super().__init__()
        self._until_teardown = ExitStack()
        self._keys = 0

    def open(self, units: list[int], *, tax_included: bool) -> None:
        found = self._until_teardown.enter_context(opened(units, tax_included=tax_included))
        self.shop, self.clock, (*self.people, self.staff) = found

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "shop"):
            agreement.check(self.shop)
            figures.steps += 1

    def teardown(self) -> None:
        with self._until_teardown:
            # Not after a failure, which would be told in place of it.
            if hasattr(self, "shop") and sys.exc_info()[0] is None:
                self.come_to_rest()
                agreement.check(self.shop)
                figures.count_run(order.status for order in self.shop.orders)

    def come_to_rest(self) -> None:
        """Everything under way comes to its end."""

    def same(
        self, name: str, model: Callable[[], Any], shop: Callable[[], T], *, twice: bool = False
    ) -> T | None:
        """Does it to both: the same result, or refused with the same codes. None when refused.

        Args:
            twice: the shop is asked a second time, which must answer the same and do no more.
        """
        expected: list[str] = []
        known, may_have_more = None, False
        try:
            known = model()
        except Refused as refused:
            expected, may_have_more = refused.codes, isinstance(refused, RefusedAmong)
        found, result = _told(shop)
        agrees = {*expected} <= {*found} if may_have_more else found == expected
        assert agrees, f"{name}: {found}, and not {expected}"
        if type(known) in (int, dict):
            assert result == known, f"{name}: {result}, and not {known}"
        if twice:
            assert _told(shop) == (found, result)
        figures.ends[name, expected[0] if expected else "done"] += 1
        return result

    # --- Which ----------------------------------------------------------------------------------

    def variant(self, which: int) -> int:
        return pick(list(self.shop.goods), which)

    def cart(self, which: int, *, filled: bool = False) -> int:
        """Usually one that is still open, and has something in it if it is to be `filled`."""
        carts = self.shop.carts
        found = [
            key
            for key, cart in carts.items()
            if cart.status == "active" and (cart.lines or not filled)
        ]
        return pick(found if found and which < ANY else list(carts), which)

    def order(self, which: int, wanted: Wanted, among: Wanted = bool) -> rows.Order:
        """Usually one that is wanted, and always one of `among`."""
        orders = [order for order in self.shop.orders if among(order)]
        found = [order for order in orders if wanted(order)]
        return pick(found if found and which < ANY else orders, which)

    def key(self) -> str:
        """An idempotency key that was not used yet."""
        self._keys += 1
        return f"request {self._keys}"

    def move_on(self, seconds: int) -> None:
        self.clock.time += timedelta(seconds=seconds)

    def bind(self) -> None:
        """Gives the orders of the model the keys that they have in the shop."""
        known = [order.pk for order in self.shop.orders if order.pk]
        found = Order.objects.exclude(pk__in=known).order_by("pk").values_list("pk", flat=True)
        unknown = [order for order in self.shop.orders if not order.pk]
        for order, pk in zip(unknown, found, strict=True):
            order.pk = pk


def pick(of: Sequence[T], which: int) -> T:
    return of[which % len(of)]


def cart_row(pk: int) -> Cart:
    return Cart.objects.get(pk=pk)


def variant_row(pk: int) -> Variant:
    return Variant.objects.select_related("product").get(pk=pk)


def has_payment(order: rows.Order) -> bool:
    return order.payment is not None


def order_row(order: rows.Order) -> Order:
    return Order.objects.get(pk=order.pk)


def payment_row(order: rows.Order) -> Payment:
    return Payment.objects.select_related("order").get(order=order.pk)


@contextmanager
def cut(line: str, *names: str) -> Iterator[None]:
    """While it lasts, the providers' answers to these requests are lost; `line` says where."""
    with ExitStack() as stack:
        for provider in ("demo", "manual") if line else ():
            gateway = gateways.gateway_of(provider)
            for name in names:
                stack.enter_context(mock.patch.object(gateway, name, _lost(gateway, name, line)))
        yield


def _lost(gateway: gateways.Gateway, name: str, line: str) -> Callable[..., NoReturn]:
    real = getattr(gateway, name)

    def call(*args: Any, **named: Any) -> NoReturn:
        if line == "after":
            real(*args, **named)
        raise Unavailable

    return call


def _told(shop: Callable[[], T]) -> tuple[list[str], T | None]:
    """Codes when it refuses, and the result when it does not."""
    try:
        return [], shop()
    except Busy:
        return ["BUSY"], None
    except ShopError as error:
        return [one.code.value for one in error.each], None
