"""Units are removed from an unpaid order while it is captured, shipped, cancelled and reduced."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connections
from stripe import HTTPClient

from shop.actions import aftersales, audit, inventory, payments
from shop.errors import ExceedsOrder, IllegalMove, LastUnit
from shop.models import (
    AuditEntry,
    AuditSource,
    DemoCharge,
    Fulfillment,
    Order,
    OrderEvent,
    OutboxEvent,
    PaymentState,
    Stock,
    User,
    Variant,
)
from tests.shop.orders import lines_of, place, variant
from tests.shop.payments.stripe_fake import KEY, SECRET, Fake, serve

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shared_database")]
attempts = pytest.mark.parametrize("attempt", range(5))


@pytest.fixture
def mug(shared_database: None) -> Variant:
    return variant(1000, on_hand=10)


@pytest.fixture
def order(mug: Variant) -> Order:
    """Three mugs, tax on top, whose payment is authorized."""
    return place(lines={mug: 3}, state=PaymentState.AUTHORIZED, tax=1000, discount=333)


@pytest.fixture(autouse=True)
def _books_agree(shared_database: None) -> Iterator[None]:
    yield
    check_books()


def check_books() -> None:
    """Stock, sums of every order, money at the provider, and one trace of each removal."""
    assert inventory.discrepancies() == []
    for order in Order.objects.all():
        lines = lines_of(order)
        assert sum(line.subtotal for line in lines) == order.subtotal
        assert order.total == order.subtotal - order.discount + order.shipping + order.tax
        assert sum(one["amount"] for one in order.discounts) == order.discount
        (payment,) = order.payments.all()
        assert payment.captured in (0, order.total)
        charge = DemoCharge.objects.filter(key=payment.key).first()
        if charge is not None:
            there = charge.captured - sum(charge.refunds.values())
            assert there == payment.captured - payment.refunded
        removed = OrderEvent.objects.filter(order=order, kind="lines_cancelled").count()
        events = OutboxEvent.objects.filter(topic="order.lines_cancelled")
        assert events.filter(aggregate=f"order:{order.pk}").count() == removed
        entries = AuditEntry.objects.filter(action="order.lines_cancel", object_id=order.pk)
        assert entries.count() == removed


def fresh(order: Order) -> Order:
    """Returns the row as another request reads it."""
    return Order.objects.get(pk=order.pk)


def remove(order: Order, units: int, staff: User, key: str | None = None) -> Any:
    """A request of staff that removes units of the first line."""
    line, found = lines_of(order)[0].pk, fresh(order)

    def work() -> Order:
        with audit.acting(staff, AuditSource.API, None):
            return aftersales.cancel_lines(found, {line: units}, by=staff, key=key)

    return work


def stock_of(row: Variant) -> tuple[int, int]:
    stock = Stock.objects.get(variant=row)
    return stock.on_hand, stock.reserved


@attempts
def test_units_are_removed_before_the_capture_or_not_at_all(
    attempt: int, at_once: Any, order: Order, mug: Variant, staff: User
) -> None:
    before = order.total
    removed, captured = at_once(
        remove(order, 1, staff), partial(aftersales.capture, fresh(order), by=staff)
    )
    assert isinstance(captured, Order)
    order.refresh_from_db()
    payment = order.payments.get()
    assert (payment.state, payment.captured) == ("captured", order.total)
    assert order.payment_status == "paid"
    if isinstance(removed, Order):
        assert order.total < before
        assert stock_of(mug) == (10, 2)
    else:
        assert type(removed) is IllegalMove
        assert order.total == before
        assert stock_of(mug) == (10, 3)


@attempts
def test_a_unit_is_removed_or_shipped_and_never_both(
    attempt: int, at_once: Any, order: Order, mug: Variant, staff: User
) -> None:
    removed, shipped = at_once(
        remove(order, 1, staff), partial(aftersales.fulfil, fresh(order), by=staff)
    )
    assert isinstance(shipped, Fulfillment)
    (line,) = lines_of(order)
    order.refresh_from_db()
    assert (line.fulfilled, order.fulfillment_status) == (line.quantity, "full")
    assert stock_of(mug) == (10 - line.quantity, 0)
    if isinstance(removed, Order):
        assert line.quantity == 2
    else:
        assert (type(removed), line.quantity) == (ExceedsOrder, 3)


@attempts
def test_the_last_unit_stays_whoever_removes_units_at_once(
    attempt: int, at_once: Any, order: Order, mug: Variant, staff: User
) -> None:
    before = order.total
    ends = at_once(*[remove(order, 1, staff) for _ in range(6)])
    assert Counter(type(end) for end in ends) == {Order: 2, LastUnit: 4}
    (line,) = lines_of(order)
    order.refresh_from_db()
    assert (line.quantity, stock_of(mug)) == (1, (10, 1))
    told = OrderEvent.objects.filter(kind="lines_cancelled")
    off = [data["amount"] for data in told.values_list("data", flat=True)]
    assert (len(off), before - sum(off)) == (2, order.total)


@attempts
def test_one_key_removes_units_once(
    attempt: int, at_once: Any, order: Order, mug: Variant, staff: User
) -> None:
    ends = at_once(*[remove(order, 1, staff, key="one") for _ in range(6)])
    assert Counter(type(end) for end in ends) == {Order: 6}
    assert (lines_of(order)[0].quantity, stock_of(mug)) == (2, (10, 2))


@attempts
def test_units_are_removed_from_an_order_that_is_cancelled_at_once(
    attempt: int, at_once: Any, order: Order, mug: Variant, staff: User
) -> None:
    removed, cancelled = at_once(
        remove(order, 1, staff), partial(aftersales.cancel, fresh(order), by=staff)
    )
    assert isinstance(cancelled, Order)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "voided")
    assert type(removed) in (Order, IllegalMove)
    assert stock_of(mug) == (10, 0)


# --- Stripe ---------------------------------------------------------------------------------------


@pytest.fixture
def stripe(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    fake = Fake()
    server = serve(fake)
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
    settings.STRIPE_API_BASE = f"http://127.0.0.1:{server.server_port}"
    settings.STRIPE_CAPTURE_LATER = True
    monkeypatch.setattr(HTTPClient, "_sleep_time_seconds", lambda *_: 0)
    yield fake
    fake.goes_on.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def with_stripe(stripe: Fake, mug: Variant) -> Order:
    """The same, authorized by Stripe, which captures later."""
    found = place(
        lines={mug: 3},
        state=PaymentState.REQUIRES_ACTION,
        tax=1000,
        discount=333,
        provider="stripe",
    )
    payment = found.payments.get()
    stripe.customer_confirms(payment.reference)
    assert payments.ask(payment.pk).state == PaymentState.AUTHORIZED
    found.refresh_from_db()
    return found


def test_stripe_captures_the_reduced_total(
    stripe: Fake, with_stripe: Order, mug: Variant, staff: User
) -> None:
    before = with_stripe.total
    reduced = remove(with_stripe, 2, staff)()
    assert reduced.total < before
    aftersales.capture(reduced, by=staff)
    payment = with_stripe.payments.get()
    intent = stripe.intents[payment.reference]
    assert (intent["amount"], intent["amount_received"]) == (before, reduced.total)
    assert (intent["status"], intent["amount_capturable"]) == ("succeeded", 0)
    assert (payment.captured, payment.authorized) == (reduced.total, reduced.total)
    reduced.refresh_from_db()
    assert (reduced.payment_status, stock_of(mug)) == ("paid", (10, 1))


@attempts
def test_stripe_captures_what_the_order_costs_whoever_was_first(
    attempt: int, at_once: Any, stripe: Fake, with_stripe: Order, mug: Variant, staff: User
) -> None:
    removed, captured = at_once(
        remove(with_stripe, 1, staff), partial(aftersales.capture, fresh(with_stripe), by=staff)
    )
    assert isinstance(captured, Order)
    assert type(removed) in (Order, IllegalMove)
    with_stripe.refresh_from_db()
    payment = with_stripe.payments.get()
    received = stripe.intents[payment.reference]["amount_received"]
    assert received == payment.captured == with_stripe.total
    assert with_stripe.payment_status == "paid"
    assert stock_of(mug) == (10, 2 if isinstance(removed, Order) else 3)


def test_no_unit_is_removed_while_stripe_captures(
    stripe: Fake, with_stripe: Order, staff: User
) -> None:
    """Stripe has heard of the capture and does not answer; then it does."""
    stripe.goes_on.clear()
    with ThreadPoolExecutor(1) as pool:
        captured = pool.submit(call, partial(aftersales.capture, fresh(with_stripe), by=staff))
        payment = with_stripe.payments.get()
        path = f"/v1/payment_intents/{payment.reference}/capture"
        wait_until(lambda: stripe.heard("POST", path) == 1)
        with pytest.raises(IllegalMove, match="has not answered"):
            remove(with_stripe, 1, staff)()
        stripe.goes_on.set()
        assert isinstance(captured.result(), Order)
    with_stripe.refresh_from_db()
    assert stripe.intents[payment.reference]["amount_received"] == with_stripe.total
    with pytest.raises(IllegalMove, match="not paid yet"):
        remove(with_stripe, 1, staff)()


def call(function: Callable[[], Any]) -> Any:
    try:
        return function()
    finally:
        connections.close_all()


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(3000):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError("It never came about.")
