"""What becomes of carts."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from shop.actions import carts, checkout
from tests.shop.selling_machine.model import rows
from tests.shop.selling_machine.model.checkout import Ask
from tests.shop.selling_machine.rules.both import (
    ANY,
    LINES,
    VARIANTS,
    WHICH,
    cart_row,
    cut,
    has_carts,
    order_row,
    pick,
    there_is,
)
from tests.shop.selling_machine.rules.carts import CODES, CartRules

METHODS = st.sampled_from(
    [
        "", "ok", "authorize", "requires_action", "requires_action", "timeout", "never",
        "declined", "insufficient_funds",
    ]
)  # fmt: skip
PROVIDERS = st.sampled_from(["demo", "demo", "demo", "demo", "manual", "stripe"])
LINES_OF_ORDER = st.lists(
    st.tuples(WHICH, st.sampled_from([1, 1, 2, None])), min_size=1, max_size=3
)
# Mostly the total that the shopper saw.
MORE = st.sampled_from([0, 0, 0, 1])


def is_pending(order: rows.Order) -> bool:
    return order.status == rows.PENDING


class CheckoutRules(CartRules):
    """Orders, with each way to pay."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Ask] = []

    @initialize(
        units=st.lists(st.integers(2, 12), min_size=VARIANTS, max_size=VARIANTS),
        tax_included=st.booleans(),
        first=st.lists(
            st.tuples(LINES_OF_ORDER, METHODS, PROVIDERS, st.integers(0, 2)), min_size=2, max_size=4
        ),
    )
    def begin(self, units: list[int], tax_included: bool, first: list[Any]) -> None:
        """With some orders, so that all rules have something to do from the first step on."""
        self.open(units, tax_included=tax_included)
        for lines, method, provider, who in first:
            self.order_at_once(who, lines, None, method, provider, "")

    @has_carts
    @rule(which=WHICH, method=METHODS, provider=PROVIDERS, more=MORE, line=LINES)
    def check_out(self, which: int, method: str, provider: str, more: int, line: str) -> None:
        self.buy(self.cart(which, filled=True), method, provider, more=more, line=line)

    @rule(
        who=st.integers(0, 2),
        lines=LINES_OF_ORDER,
        code=st.none() | CODES,
        method=METHODS,
        provider=PROVIDERS,
        line=LINES,
    )
    def order_at_once(
        self,
        who: int,
        lines: list[tuple[int, int | None]],
        code: str | None,
        method: str,
        provider: str,
        line: str,
    ) -> None:
        """From nothing to an order, as far as it goes."""
        key = self.create(who)
        self.put(key, lines, sold=True)
        self.send_to(key, "DE")
        if not self.shop.carts[key].email:
            self.name(key, f"guest{len(self.shop.carts) % 2}@example.org")
        if code is not None:
            self.use(key, code)
        self.buy(key, method, provider, line=line)

    # Once more, so that it comes up as often as all that leads to it.
    @rule(lines=LINES_OF_ORDER, method=METHODS, who=st.integers(0, 2))
    def order_simply(self, lines: list[tuple[int, int | None]], method: str, who: int) -> None:
        self.order_at_once(who, lines, None, method, "demo", "")

    @there_is(is_pending)
    @rule(which=WHICH, method=METHODS, provider=PROVIDERS, more=MORE, line=LINES)
    def pay_another_way(self, which: int, method: str, provider: str, more: int, line: str) -> None:
        """Under another key, while the first order waits for its payment."""
        order = self.order(which, is_pending, is_pending)
        total = order.price.total + more
        self.buy(order.cart, method, provider, total=total, line=line, name="pay another way")

    @there_is(bool)
    @rule(which=WHICH, where=st.integers(0, 12), own=st.booleans())
    def order_again(self, which: int, where: int, own: bool) -> None:
        """Into any cart, a new one of a guest, or the one of the account."""
        order = self.order(which, bool)
        user = next((one for one in self.people if one.pk == order.user), None)
        if own and user is not None:
            key, cart = self.create(1 + self.people.index(user)), None
        else:
            key = self.create(0) if where > ANY else self.cart(where)
            cart = cart_row(key)
        asker: Any = user or AnonymousUser()
        self.same(
            "order again",
            lambda: self.shop.reorder(key, order.lines),
            lambda: carts.reorder(asker, order_row(order), cart) and None,
        )

    def buy(
        self,
        key: int,
        method: str,
        provider: str,
        *,
        more: int = 0,
        total: int | None = None,
        line: str = "",
        name: str = "check out",
    ) -> None:
        ask = Ask(
            cart=key,
            user=self.shop.carts[key].owner,
            provider=provider,
            method=method,
            expected=self.shop.price(key).total + more if total is None else total,
            key=f"key {len(self.asked)}",
            line=line,
        )
        self.asked.append(ask)
        self.ask(name, ask)

    @precondition(lambda self: self.asked)
    @rule(which=WHICH, more=MORE)
    def ask_again(self, which: int, more: int) -> None:
        """The same request once more, or another one under its key."""
        old = pick(self.asked, which)
        again = Ask(old.cart, old.user, old.provider, old.method, old.expected + more, old.key)
        self.ask("check out again", again)

    def ask(self, name: str, ask: Ask) -> None:
        user: Any = next((one for one in self.people if one.pk == ask.user), AnonymousUser())
        wish = checkout.Wish(
            cart=cart_row(ask.cart),
            user=user,
            provider=ask.provider,
            method=ask.method,
            expected_total=ask.expected,
        )
        told: list[rows.Order] = []
        with cut(ask.line, "pay"):
            done = self.same(
                name,
                lambda: told.append(self.shop.complete(ask)),
                lambda: checkout.complete(wish, key=ask.key),
            )
        self.bind()
        if done is not None:
            assert done.order.pk == told[0].pk
