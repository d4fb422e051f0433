"""The model's checkout."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.shop.selling_machine.model import provider
from tests.shop.selling_machine.model.payments import PATIENCE, Payments
from tests.shop.selling_machine.model.prices import is_used_up
from tests.shop.selling_machine.model.rows import (
    AUTHORIZED,
    CANCELLED,
    CREATED,
    ENDED,
    OPEN,
    PENDING,
    Order,
    Payment,
    Refused,
)

# Minutes to pay; seconds after which a request that comes again pays; hours that a key is known.
MINUTES, TAKE_OVER, HOURS = 30, 25, 48
PROVIDERS = ("manual", "demo")
LOST_VOUCHERS = ("VOUCHER_EXPIRED", "VOUCHER_USED_UP", "VOUCHER_USED_BY_CUSTOMER")


@dataclass(frozen=True)
class Ask:
    """A request to check out."""

    cart: int
    user: int | None
    provider: str
    method: str
    expected: int
    key: str | None = None
    # Where the provider's answer is lost, if it is.
    line: str = ""

    @property
    def body(self) -> tuple[int, str, str, int]:
        return self.cart, self.provider, self.method, self.expected


@dataclass
class Known:
    """A key, what was asked for under it, and what came of it."""

    body: tuple[int, str, str, int]
    order: Order
    until: datetime


class Checkout(Payments):
    """Orders are made of carts.

    Attributes:
        keys: of requests, by who asked.
    """

    keys: dict[tuple[str, str], Known]

    def complete(self, ask: Ask) -> Order:
        owner = self.carts[ask.cart].owner
        actor = f"user:{owner}" if owner else f"cart:{ask.cart}"
        known = self.keys.get((actor, ask.key)) if ask.key else None
        if known is not None:
            return self._again(known, ask)
        if self.why_closed(ask.cart) == "PAYMENT_PENDING":
            self._replace(ask.cart, ask.provider)
        order = self._place(ask)
        if ask.key:
            until = self.now() + timedelta(hours=HOURS)
            self.keys[actor, ask.key] = Known(ask.body, order, until)
        self.pay(order, line=ask.line)
        return self._told(order)

    def purge_keys(self) -> None:
        for key in [key for key, known in self.keys.items() if known.until < self.now()]:
            del self.keys[key]

    def problems(self, cart: int) -> list[str]:
        """Why it cannot be ordered as it is, whatever the total."""
        row, price = self.carts[cart], self.price(cart)
        found = ["NOT_PURCHASABLE" for key in row.lines if not self.is_for_sale(key)]
        if not row.lines:
            found.append("CART_EMPTY")
        if not row.email:
            found.append("REQUIRED")
        if not row.country:
            found.append("REQUIRED")
        if {"SHIPPING_NOT_OFFERED", "SHIPPING_RATE_NOT_OFFERED"} & set(price.notices):
            found.append("SHIPPING_NOT_OFFERED")
        if set(LOST_VOUCHERS) & set(price.notices):
            found.append("INVALID_VOUCHER")
        return found

    def _again(self, known: Known, ask: Ask) -> Order:
        if known.body != ask.body:
            raise Refused("IDEMPOTENCY_CONFLICT")
        payment = known.order.payment
        if payment is not None and payment.state == CREATED:
            if self.now() < payment.created_at + timedelta(seconds=TAKE_OVER):
                raise Refused("BUSY")
            self.pay(known.order, line=ask.line)
        return self._told(known.order)

    def _replace(self, cart: int, provider_name: str) -> None:
        """The customer pays another way: the order that waits for them is cancelled."""
        order = self.pending_of(cart)
        assert order is not None
        payment = order.payment
        assert payment is not None
        if provider_name not in PROVIDERS:
            raise Refused("PAYMENT_NOT_OFFERED")
        if payment.state == CREATED:
            raise Refused("PAYMENT_PENDING")
        self.hear(order, provider.look_up(payment))
        if order.status != PENDING:
            return
        order.status = CANCELLED
        if payment.state in (*OPEN, AUTHORIZED):
            payment.due, payment.attempts = self.now(), 0
        self.free(order)
        self.reopen(order, merges=False)
        self.settle(only=order)

    def _place(self, ask: Ask) -> Order:
        cart = self.hold(ask.cart)
        price = self.price(ask.cart)
        units = {line.variant: line.quantity for line in price.lines}
        short = ["OUT_OF_STOCK" for key, number in units.items() if self.goods[key].lacks(number)]
        if problems := self.problems(ask.cart):
            raise Refused(*problems, *short)
        if price.total != ask.expected:
            raise Refused("TOTAL_CHANGED")
        if short:
            raise Refused(*short)
        voucher = self.vouchers[cart.voucher] if cart.voucher and price.voucher else None
        if voucher and is_used_up(voucher, self, cart.email, ask.user):
            raise Refused("INVALID_VOUCHER")
        if price.total and ask.provider not in PROVIDERS:
            raise Refused("PAYMENT_NOT_OFFERED")
        self.reserve(units)
        order = Order(
            cart=ask.cart,
            user=ask.user,
            email=cart.email,
            price=price,
            lines=price.lines,
            expires_at=self.now() + timedelta(minutes=MINUTES),
            voucher=cart.voucher if price.voucher else None,
            promised=dict(units),
        )
        if order.voucher is not None:
            self.vouchers[order.voucher].by.append(order.customer)
            order.redeemed = True
        cart.status, cart.active_of = "ordered", None
        cart.version += 1
        self.orders.append(order)
        if price.total:
            order.payment = Payment(
                provider=ask.provider,
                method=ask.method,
                amount=price.total,
                created_at=self.now(),
                due=self.now() + PATIENCE,
            )
        else:
            self.confirm(order, "paid")
        return order

    def _told(self, order: Order) -> Order:
        is_over = order.status == CANCELLED or (order.payment and order.payment.state in ENDED)
        if order.payment is not None and is_over and not order.confirmed:
            raise Refused("PAYMENT_DECLINED")
        return order
