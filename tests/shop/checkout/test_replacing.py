"""Orders that are cancelled before they are paid: their carts are open again, nothing is lost."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop.actions import aftersales, carts, checkout, inventory, payments
from shop.actions.catalog import variants
from shop.errors import (
    AmountTooSmall,
    CartChanged,
    CartClosed,
    NotFound,
    PaymentDeclined,
    PaymentNotOffered,
    PaymentPending,
    PaymentUnavailable,
)
from shop.gateways import Outcome, Result, Unavailable, demo, gateway_of
from shop.models import (
    Cart,
    CartStatus,
    DemoCharge,
    Order,
    OrderStatus,
    Payment,
    PaymentState,
    Redemption,
    Stock,
    User,
)
from shop.models.carts import StoredNotice, stored_notice
from tests.shop.checkout.test_completing import buy, reserved, wish
from tests.shop.selling import BERLIN, fill, ready, voucher

pytestmark = pytest.mark.django_db


@pytest.fixture
def cart(selling: SimpleNamespace) -> Cart:
    """The last two mugs, with a voucher that can be used once."""
    voucher("ONCE", usage_limit=1, customer_limit=1)
    inventory.adjust({selling.variants[0].pk: -8})
    found = ready(AnonymousUser(), (selling.variants[0], 2))[0]
    carts.apply_voucher(found, "ONCE")
    return found


@pytest.fixture
def waiting(cart: Cart) -> Order:
    """Its order, whose customer is on the bank's page."""
    return buy(cart, method="requires_action", key="first").order


def is_as_it_was(cart: Cart) -> bool:
    cart.refresh_from_db()
    found = carts.priced(cart)
    return (cart.status, cart.voucher.code, found.notices, reserved()) == (
        CartStatus.ACTIVE,
        "ONCE",
        [],
        {},
    )


def captured() -> int:
    """Captured and not refunded money at the provider."""
    return sum(
        charge.captured - sum(charge.refunds.values()) for charge in DemoCharge.objects.all()
    )


def settle() -> None:
    for _ in range(3):
        payments.settle(timezone.now() + timedelta(hours=2))


# --- Cancelled by the customer --------------------------------------------------------------------


@pytest.mark.parametrize("method", ["requires_action", "never"])
def test_an_order_cancelled_before_it_is_paid_reopens_its_cart(method: str, cart: Cart) -> None:
    order = buy(cart, method=method).order
    aftersales.cancel(order, by=None)
    assert (order.status, order.cart) == (OrderStatus.CANCELLED, None)
    assert is_as_it_was(cart)
    assert Redemption.objects.count() == 0
    again = buy(cart).order
    assert (again.status, again.total) == (OrderStatus.CONFIRMED, order.total)
    settle()
    assert captured() == again.total
    assert inventory.discrepancies() == []


def test_the_cart_of_an_account_is_its_own_again(selling: SimpleNamespace, customer: User) -> None:
    cart, _ = ready(customer, (selling.variants[0], 1))
    order = buy(cart, user=customer, method="requires_action").order
    aftersales.cancel(order, by=customer)
    assert carts.find(customer, None) == cart


def test_money_that_comes_after_the_cancellation_goes_back_once(waiting: Order, cart: Cart) -> None:
    payment = waiting.payments.get()
    aftersales.cancel(waiting, by=None)
    DemoCharge.objects.update(state="captured", captured=waiting.total)
    for _ in range(3):
        payments.ask(payment.pk)
        settle()
    assert list(DemoCharge.objects.get().refunds.values()) == [waiting.total]
    assert is_as_it_was(cart)


def test_an_order_that_was_paid_keeps_its_cart(cart: Cart) -> None:
    order = buy(cart).order
    aftersales.cancel(order, by=None)
    cart.refresh_from_db()
    assert (order.status, cart.status) == (OrderStatus.CANCELLED, CartStatus.ORDERED)
    with pytest.raises(CartClosed):
        carts.set_email(cart, "x@example.org")


def test_the_cancelled_checkout_is_declined_when_it_comes_again(cart: Cart) -> None:
    asked = wish(cart, method="requires_action")
    order = checkout.complete(asked, key="k").order
    with mock.patch.object(gateway_of("demo"), "look_up", side_effect=Unavailable):
        aftersales.cancel(order, by=None)
        with pytest.raises(PaymentDeclined, match="was cancelled"):
            checkout.complete(asked, key="k")
    settle()
    with pytest.raises(PaymentDeclined, match="was cancelled"):
        checkout.complete(asked, key="k")
    assert Order.objects.count() == 1


# --- The account has begun another cart -----------------------------------------------------------


@pytest.fixture
def left(selling: SimpleNamespace, customer: User) -> SimpleNamespace:
    """A customer on the bank's page, with a voucher in the order, and another cart begun since."""
    voucher("ONCE", usage_limit=1, customer_limit=1)
    small, large = selling.variants[0], selling.variants[1]
    cart, _ = ready(customer, (small, 2), (large, 1))
    carts.apply_voucher(cart, "ONCE")
    order = buy(cart, user=customer, method="requires_action", key="first").order
    own, _ = carts.create(customer)
    fill(own, (small, 3))
    return SimpleNamespace(
        cart=cart, order=order, own=own, small=small, large=large, customer=customer
    )


def decline(order: Order) -> None:
    demo.confirm(order.payments.get().key, accept=False)
    payments.ask(order.payments.get().pk)


def cancel(order: Order) -> None:
    aftersales.cancel(order, by=order.user)


ENDS: dict[str, Callable[[Order], None]] = {"cancelled": cancel, "declined": decline}
ends = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)


def contents(cart: Cart) -> dict[int, int]:
    return dict(cart.lines.order_by("pk").values_list("variant_id", "quantity"))


@ends
def test_a_reopened_cart_goes_into_the_one_that_the_account_has_begun_since(
    end: Callable[[Order], None], left: SimpleNamespace
) -> None:
    end(left.order)
    own = carts.find(left.customer, None)
    assert own == left.own
    assert contents(own) == {left.small.pk: 5, left.large.pk: 1}
    assert (own.voucher.code, own.shipping_address["city"]) == ("ONCE", "Berlin")
    assert own.version == left.own.version + 1
    assert carts.priced(own).notices == []
    left.cart.refresh_from_db()
    assert (left.cart.status, left.cart.active_key) == (CartStatus.MERGED, None)
    order = Order.objects.get()
    assert (order.status, order.cart) == (OrderStatus.CANCELLED, None)
    assert (reserved(), Redemption.objects.count()) == ({}, 0)
    with pytest.raises(CartClosed):
        carts.set_email(left.cart, "x@example.org")
    # The merged lines can be ordered.
    again = buy(own, user=left.customer).order
    assert (again.status, again.discount > 0) == (OrderStatus.CONFIRMED, True)
    assert inventory.discrepancies() == []


@ends
def test_the_current_carts_own_voucher_and_address_stay(
    end: Callable[[Order], None], left: SimpleNamespace
) -> None:
    voucher("OTHER")
    carts.apply_voucher(left.own, "OTHER")
    carts.set_addresses(left.own, shipping={**BERLIN, "city": "Bonn"})
    end(left.order)
    own = carts.find(left.customer, None)
    assert (own.voucher.code, own.shipping_address["city"]) == ("OTHER", "Bonn")


@ends
def test_units_that_cannot_be_merged_are_told(
    end: Callable[[Order], None], left: SimpleNamespace, settings: Any
) -> None:
    """The stock has the units that the order returns, and the cart is full."""
    settings.CART_MAX_LINES = 1
    free = Stock.objects.get(variant=left.small)
    inventory.adjust({left.small.pk: 4 - free.on_hand})
    end(left.order)
    own = carts.find(left.customer, None)
    assert contents(own) == {left.small.pk: 4}
    assert [(one["code"], one["quantity"]) for one in own.stored_notices] == [
        ("MERGE_REDUCED", 1),
        ("MERGE_DROPPED", 1),
    ]


@ends
def test_notices_and_changed_prices_of_a_reopened_cart_are_told_in_the_other_one(
    end: Callable[[Order], None], left: SimpleNamespace
) -> None:
    told = stored_notice(StoredNotice.LINE_REMOVED, "Jug", 2)
    Cart.objects.filter(pk=left.cart.pk).update(stored_notices=[told])
    before = left.large.price
    variants.reprice(left.large, price=before + 10)
    end(left.order)
    found = carts.priced(carts.find(left.customer, None)).notices
    assert [(one.code, one.old_price, one.new_price) for one in found] == [
        ("LINE_REMOVED", None, None),
        ("PRICE_CHANGED", before, before + 10),
    ]


def test_an_order_that_expires_merges_no_cart(left: SimpleNamespace) -> None:
    Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    settle()
    payments.expire_orders()
    assert Order.objects.get().status == OrderStatus.EXPIRED
    assert contents(carts.find(left.customer, None)) == {left.small.pk: 3}
    left.cart.refresh_from_db()
    assert left.cart.status == CartStatus.ORDERED


def test_a_cart_that_is_paid_another_way_is_ordered_and_not_merged(left: SimpleNamespace) -> None:
    left.cart.refresh_from_db()
    total = left.order.total
    order = buy(left.cart, user=left.customer, key="second", expected_total=total).order
    assert (order.status, order.cart) == (OrderStatus.CONFIRMED, left.cart)
    assert contents(carts.find(left.customer, None)) == {left.small.pk: 3}


def test_the_other_cart_that_was_ordered_meanwhile_takes_over_nothing(
    left: SimpleNamespace,
) -> None:
    carts.set_addresses(left.own, shipping=BERLIN)
    buy(left.own, user=left.customer)
    cancel(left.order)
    own = carts.find(left.customer, None)
    assert (own, contents(own)) == (left.cart, {left.small.pk: 2, left.large.pk: 1})


def test_merging_a_reopened_cart_takes_the_same_statements_for_any_number_of_lines(
    selling: SimpleNamespace,
) -> None:
    def statements(count: int) -> int:
        user = User.objects.create_user(f"{count}@example.org")
        rows = selling.variants[:count]
        cart, _ = ready(user, *((row, 1) for row in rows))
        order = buy(cart, user=user, method="requires_action").order
        fill(carts.create(user)[0], *((row, 1) for row in selling.variants[:2]))
        with CaptureQueriesContext(connection) as captured:
            cancel(order)
        assert contents(carts.find(user, None)) == {
            row.pk: 1 + (number < 2) for number, row in enumerate(rows)
        }
        return len(captured)

    statements(4)
    assert statements(5) == statements(10)


# --- Changes of a cart that waits -----------------------------------------------------------------

CHANGES: dict[str, Callable[[Cart], Any]] = {
    "add": lambda cart: carts.add(cart, [(cart.lines.get().variant_id, 1)]),
    "update": lambda cart: carts.update(cart, {cart.lines.get().pk: 1}),
    "remove": lambda cart: carts.remove(cart, [cart.lines.get().pk]),
    "dismiss": carts.dismiss_notices,
    "email": lambda cart: carts.set_email(cart, "x@example.org"),
    "addresses": lambda cart: carts.set_addresses(cart, shipping=BERLIN),
    "shipping": lambda cart: carts.set_shipping(cart, None),
    "voucher": lambda cart: carts.apply_voucher(cart, "ONCE"),
    "no voucher": carts.remove_voucher,
    "reminder": lambda cart: carts.set_reminder(cart, True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_says_that_the_payment_is_pending_and_later_that_the_cart_is_closed(
    change: str, waiting: Order, cart: Cart, dump: Any
) -> None:
    before = dump()
    with pytest.raises(PaymentPending) as caught:
        CHANGES[change](cart)
    assert (caught.value.code, caught.value.field) == ("PAYMENT_PENDING", ("cart",))
    assert dump() == before
    assert demo.confirm(waiting.payments.get().key)
    settle()
    with pytest.raises(CartClosed) as caught:
        CHANGES[change](cart)
    assert caught.value.code == "CART_CLOSED"


def test_a_guests_cart_that_waits_is_not_merged(
    waiting: Order, selling: SimpleNamespace, customer: User
) -> None:
    cart, token = ready(AnonymousUser(), (selling.variants[1], 1))
    buy(cart, method="requires_action")
    with pytest.raises(PaymentPending):
        carts.merge(customer, token)


def test_an_account_is_told_that_its_cart_waits(
    selling: SimpleNamespace, customer: User, staff: User
) -> None:
    cart, _ = ready(customer, (selling.variants[0], 1))
    order = buy(cart, user=customer, method="requires_action").order
    with pytest.raises(PaymentPending):
        carts.find_to_change(customer, None)
    for other in (AnonymousUser(), staff):
        with pytest.raises(NotFound):
            carts.find_to_change(other, None)
    for key in (None, "new"):
        assert checkout.find(customer, None, key=key) == cart
    assert demo.confirm(order.payments.get().key)
    settle()
    with pytest.raises(NotFound):
        carts.find_to_change(customer, None)


# --- Another way to pay ---------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["second", None])
def test_another_way_to_pay_cancels_the_order_that_waits(
    key: str | None, waiting: Order, cart: Cart
) -> None:
    done = buy(cart, key=key, expected_total=waiting.total)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.payment_status, waiting.cart) == ("cancelled", "voided", None)
    assert (done.order.status, done.order.cart, done.order.total) == (
        "confirmed",
        cart,
        waiting.total,
    )
    states = Payment.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [PaymentState.VOIDED, PaymentState.CAPTURED]
    assert demo.confirm(waiting.payments.get().key) is False
    settle()
    assert captured() == done.order.total
    assert (reserved(), Redemption.objects.count()) == ({"MUG-1-S": 2}, 1)
    told = list(waiting.events.order_by("pk").values_list("kind", "text"))
    assert told[1] == ("cancelled", "The customer pays another way.")


def test_the_first_request_that_comes_again_pays_nothing(waiting: Order, cart: Cart) -> None:
    asked = wish(cart, method="requires_action", expected_total=waiting.total)
    order = buy(cart, key="second", expected_total=waiting.total).order
    with pytest.raises(PaymentDeclined, match="was cancelled"):
        checkout.complete(asked, key="first")
    order.refresh_from_db()
    assert (order.status, Order.objects.count()) == (OrderStatus.CONFIRMED, 2)


def test_a_payment_whose_answer_is_missing_is_waited_for(cart: Cart, dump: Any) -> None:
    buy(cart, method="never")
    asked, before = wish(cart), dump()
    with pytest.raises(PaymentPending):
        checkout.complete(asked, key="second")
    assert dump() == before


def test_a_payment_that_is_processed_is_waited_for(waiting: Order, cart: Cart, dump: Any) -> None:
    asked, before = wish(cart), dump()
    under_way = mock.Mock(return_value=Outcome(result=Result.PROCESSING))
    with (
        mock.patch.object(gateway_of("demo"), "look_up", under_way),
        pytest.raises(PaymentPending),
    ):
        checkout.complete(asked, key="second")
    assert dump() == before


def test_what_was_paid_meanwhile_is_not_ordered_again(waiting: Order, cart: Cart) -> None:
    assert demo.confirm(waiting.payments.get().key)
    with pytest.raises(CartClosed) as caught:
        buy(cart, key="second")
    assert caught.value.code == "CART_CLOSED"
    waiting.refresh_from_db()
    assert (waiting.status, waiting.payment_status) == ("confirmed", "paid")
    assert (Order.objects.count(), captured()) == (1, waiting.total)


def test_the_first_payment_may_be_at_a_provider_that_is_away(waiting: Order, cart: Cart) -> None:
    gateway = gateway_of("demo")
    with (
        mock.patch.object(gateway, "look_up", side_effect=Unavailable),
        mock.patch.object(gateway, "void", side_effect=Unavailable),
    ):
        done = buy(cart, key="second", provider="manual", expected_total=waiting.total)
    assert (done.order.status, done.order.payment_status) == ("confirmed", "authorized")
    # The customer pays the first one all the same.
    assert demo.confirm(waiting.payments.get().key)
    settle()
    waiting.refresh_from_db()
    assert (waiting.status, waiting.payment_status) == ("cancelled", "refunded")
    assert list(DemoCharge.objects.get().refunds.values()) == [waiting.total]


def test_another_version_leaves_the_order_that_waits(waiting: Order, cart: Cart, dump: Any) -> None:
    cart.refresh_from_db()
    asked, before = wish(cart, version=cart.version - 1), dump()
    with pytest.raises(CartChanged):
        checkout.complete(asked, key="second")
    assert dump() == before
    done = buy(cart, version=cart.version, expected_total=waiting.total)
    assert done.order.status == OrderStatus.CONFIRMED


def test_a_way_to_pay_that_is_not_offered_leaves_the_order_that_waits(
    waiting: Order, cart: Cart, dump: Any
) -> None:
    asked, before = wish(cart, provider="stripe"), dump()
    with pytest.raises(PaymentNotOffered):
        checkout.complete(asked, key="second")
    assert dump() == before


def test_a_total_below_the_minimum_leaves_the_order_that_waits(
    waiting: Order, cart: Cart, dump: Any
) -> None:
    asked, before = wish(cart), dump()
    minimum = mock.Mock(return_value=waiting.total + 1)
    with (
        mock.patch.object(gateway_of("demo"), "minimum", minimum),
        pytest.raises(AmountTooSmall),
    ):
        checkout.complete(asked, key="second")
    assert dump() == before


def test_a_provider_that_hangs_leaves_the_order_that_waits(
    waiting: Order, cart: Cart, dump: Any
) -> None:
    asked, before = wish(cart), dump()
    with (
        mock.patch.object(gateway_of("demo"), "hangs", return_value=True),
        pytest.raises(PaymentUnavailable),
    ):
        checkout.complete(asked, key="second")
    assert dump() == before
