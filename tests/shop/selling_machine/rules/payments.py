"""What becomes of payments: customers, providers, staff and the clock."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from shop.actions import aftersales, idempotency, payments
from shop.gateways import demo
from shop.models import DemoCharge
from tests.shop.selling_machine.figures import figures
from tests.shop.selling_machine.model import provider, rows
from tests.shop.selling_machine.rules.both import (
    LINES,
    WHICH,
    Both,
    cut,
    has_payment,
    order_row,
    payment_row,
    there_is,
)


def is_pending(order: rows.Order) -> bool:
    return order.status == rows.PENDING


def waits_for_customer(order: rows.Order) -> bool:
    charge = order.payment.charge if order.payment else None
    return charge is not None and charge.state == rows.REQUIRES_ACTION


def is_held(order: rows.Order) -> bool:
    """Whether the provider holds money that can be captured there."""
    payment = order.payment
    charge = payment.charge if payment else None
    return charge is not None and charge.state == rows.AUTHORIZED


def is_captured_unheard(order: rows.Order) -> bool:
    """Whether money that is promised here was captured at the provider."""
    charge = order.payment.charge if order.payment else None
    return is_promised(order) and charge is not None and charge.state == rows.CAPTURED


def is_promised(order: rows.Order) -> bool:
    return order.payment is not None and order.payment.state == rows.AUTHORIZED


def can_be_voided(order: rows.Order) -> bool:
    return is_promised(order) or (order.payment is not None and order.payment.state in rows.OPEN)


def is_dead(order: rows.Order) -> bool:
    """Whether its payment has ended in the shop, while the provider has it in its books."""
    payment = order.payment
    return payment is not None and payment.charge is not None and payment.state in rows.ENDED


def paid(order: rows.Order) -> rows.Payment:
    """The payment of an order that has one."""
    assert order.payment is not None
    return order.payment


class PaymentRules(Both):
    """Answers come late, twice, or not at all."""

    @there_is(waits_for_customer)
    @rule(which=WHICH, accept=st.booleans())
    def customer_decides(self, which: int, accept: bool) -> None:
        """A customer confirms what waits for them, or refuses; the shop is not told yet."""
        order = self.order(which, waits_for_customer, has_payment)
        decided = provider.confirm(paid(order), accept)
        assert demo.confirm(payment_row(order).key, accept=accept) == decided
        figures.ends["customer decides", "done" if decided else "nothing to decide"] += 1

    @there_is(has_payment)
    @rule(which=WHICH)
    def provider_tells(self, which: int) -> None:
        """The shop learns what the provider knows of a payment, whether or not it is news."""
        order = self.order(which, lambda one: one.payment and one.payment.due, has_payment)
        self.hear_of(order)

    @there_is(is_dead)
    @rule(which=WHICH)
    def money_comes_late(self, which: int) -> None:
        """The provider takes money all the same, of a payment that has ended in the shop."""
        order = self.order(which, lambda one: is_dead(one) and one.status == rows.EXPIRED, is_dead)
        payment = paid(order)
        payment.charge = rows.Charge(rows.CAPTURED, payment.amount)
        charges = DemoCharge.objects.filter(key=payment_row(order).key)
        assert charges.update(state=rows.CAPTURED, captured=payment.amount) == 1
        self.same(
            "money comes late",
            lambda: self.shop.hear(order, rows.CAPTURED),
            lambda: payments.ask(payment_row(order).pk),
        )

    @there_is(is_held)
    @rule(which=WHICH, part=st.sampled_from([1, 30, 50, 99]), tells=st.booleans())
    def staff_capture_part_at_the_provider(self, which: int, part: int, tells: bool) -> None:
        """So many percent, past the shop, which may hear of it later only."""
        order = self.order(which, is_held, is_held)
        payment = paid(order)
        amount = max(payment.amount * part // 100, 1)
        provider.capture_part(payment, amount)
        charges = DemoCharge.objects.filter(key=payment_row(order).key)
        assert charges.update(state=rows.CAPTURED, captured=amount) == 1
        figures.ends["capture a part at the provider", "done"] += 1
        if tells:
            self.hear_of(order)

    def hear_of(self, order: rows.Order) -> None:
        self.same(
            "provider tells",
            lambda: self.shop.hear(order, provider.look_up(paid(order))),
            lambda: payments.ask(payment_row(order).pk),
        )

    @there_is(is_promised)
    @rule(which=WHICH, line=LINES, twice=st.booleans())
    def capture(self, which: int, line: str, twice: bool) -> None:
        order, key = self.order(which, is_promised, has_payment), self.key()
        with cut(line, "capture"):
            self.same(
                "capture",
                lambda: self.shop.capture(order, line=line),
                lambda: aftersales.capture(order_row(order), by=self.staff, key=key),
                twice=twice and not line,
            )

    @there_is(can_be_voided)
    @rule(which=WHICH, line=LINES)
    def void(self, which: int, line: str) -> None:
        order = self.order(which, can_be_voided, has_payment)
        with cut(line, "void"):
            self.same(
                "void a payment",
                lambda: self.shop.void(order, line=line),
                lambda: payments.void(payment_row(order), by=self.staff),
            )

    @rule(
        seconds=st.sampled_from([1, 24, 31, 61, 301, 1801, 4 * 3600, 49 * 3600]),
        looks=st.booleans(),
    )
    def time_passes(self, seconds: int, looks: bool) -> None:
        """And what runs by the clock runs, or is late."""
        self.move_on(seconds)
        if looks:
            self.run_by_the_clock()

    @there_is(is_pending)
    @rule()
    def nobody_pays(self) -> None:
        """Until time is over for every order that waits."""
        self.time_passes(1801, looks=True)

    def run_by_the_clock(self) -> None:
        self.same("settle", self.shop.settle, payments.settle)
        self.same("expire orders", self.shop.expire, payments.expire_orders)
        now = self.clock.now()
        self.same("forget keys", self.shop.purge_keys, lambda: idempotency.purge(now))

    def come_to_rest(self) -> None:
        """In the end nothing is under way, and only living orders have money and stock."""
        for order in filter(is_captured_unheard, self.shop.orders):
            self.hear_of(order)
        for _ in range(8):
            self.move_on(3601)
            self.run_by_the_clock()
        for order in self.shop.orders:
            assert order.status != rows.PENDING
            assert order.payment_status != "pending"
            if order.status in rows.GIVEN_UP:
                assert not order.promised
                assert not order.redeemed
            if order.payment is not None:
                _check_rest(order, order.payment)


def _check_rest(order: rows.Order, payment: rows.Payment) -> None:
    assert payment.due is None
    assert payment.state not in rows.OPEN
    assert all(refund.state == "succeeded" for refund in payment.refunds)
    assert sum(refund.amount for refund in payment.refunds) == payment.refunded
    if order.status in rows.GIVEN_UP:
        assert payment.captured == payment.refunded
        assert payment.state != rows.AUTHORIZED
    if payment.charge is not None:
        kept = payment.charge.captured - sum(payment.charge.refunds)
        assert kept == payment.captured - payment.refunded
