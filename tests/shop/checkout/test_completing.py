"""From a cart to an order: what is written, what is charged, and what is left as it was."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import F
from django.utils import timezone

from shop.actions import aftersales, carts, checkout, inventory, orders, payments
from shop.actions.catalog import products, variants
from shop.errors import (
    Busy,
    CartClosed,
    IdempotencyConflict,
    InvalidVoucher,
    PaymentDeclined,
    PaymentNotOffered,
    Several,
    ShopError,
    TotalChanged,
)
from shop.models import (
    Cart,
    CartStatus,
    DemoCharge,
    IdempotencyKey,
    Order,
    OrderStatus,
    Payment,
    PaymentState,
    PaymentStatus,
    Redemption,
    Reservation,
    Stock,
    User,
    Voucher,
    VoucherKind,
)
from tests.shop.selling import ready, voucher

pytestmark = pytest.mark.django_db


def wish(cart: Cart, *, method: str = "", provider: str = "demo", **more: Any) -> checkout.Wish:
    given = {
        "cart": cart,
        "user": AnonymousUser(),
        "provider": provider,
        "method": method,
        "expected_total": carts.priced(Cart.objects.get(pk=cart.pk)).price.total,
        **more,
    }
    return checkout.Wish(**given)


def buy(cart: Cart, *, key: str | None = None, **more: Any) -> checkout.Completed:
    return checkout.complete(wish(cart, **more), key=key)


@pytest.fixture
def cart(selling: SimpleNamespace) -> Cart:
    """Two mugs at 1.00, one at 2.01; 5.00 shipping; 20 % tax on top: 10.81 dollars."""
    return ready(AnonymousUser(), (selling.variants[0], 2), (selling.variants[5], 1))[0]


def reserved() -> dict[str, int]:
    rows = Stock.objects.exclude(reserved=0).values_list("variant__sku", "reserved")
    return dict(rows)


def test_an_order_is_a_copy_of_the_cart_as_it_was(cart: Cart, selling: SimpleNamespace) -> None:
    done = buy(cart, note="Ring twice.")
    order = Order.objects.get()
    assert done.order == order
    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, PaymentStatus.PAID)
    assert (order.subtotal, order.discount, order.shipping, order.tax, order.total) == (
        401, 0, 500, 180, 1081,
    )  # fmt: skip
    assert (order.email, order.shipping_name, order.note) == (
        "ann@example.org", "Standard", "Ring twice.",
    )  # fmt: skip
    lines = order.lines.order_by("position").values_list(
        "sku", "name", "variant_name", "quantity", "unit_price", "subtotal", "tax", "total"
    )
    assert list(lines) == [
        ("MUG-1-S", "Mug 1", "S", 2, 100, 200, 40, 240),
        ("MUG-2-M", "Mug 2", "M", 1, 201, 201, 40, 241),
    ]
    assert orders.opened(order.number, done.token) == order
    assert orders.opened(order.number, "another") is None
    products.update(selling.products[0], name="Renamed")
    variants.reprice(selling.variants[0], price=999)
    order.refresh_from_db()
    assert (order.total, order.lines.first().name) == (1081, "Mug 1")


def test_stock_is_promised_and_not_taken_before_it_is_shipped(cart: Cart) -> None:
    buy(cart)
    assert reserved() == {"MUG-1-S": 2, "MUG-2-M": 1}
    assert {row.state for row in Reservation.objects.all()} == {"committed"}
    assert inventory.discrepancies() == []


def test_the_provider_is_asked_for_the_total_once(cart: Cart) -> None:
    done = buy(cart)
    charge = DemoCharge.objects.get()
    assert (charge.amount, charge.captured, charge.currency) == (1081, 1081, "USD")
    assert done.payment.state == PaymentState.CAPTURED
    events = list(done.order.events.order_by("pk").values_list("kind", flat=True))
    assert events[0] == "placed"
    assert set(events) == {"placed", "confirmed", "payment_captured"}


def test_numbers_count_nothing(cart: Cart, selling: SimpleNamespace) -> None:
    first = buy(cart).order.number
    second = buy(ready(AnonymousUser(), (selling.variants[0], 1))[0]).order.number
    assert first != second
    assert len(first) == len(second) == 11
    assert first[:4] != second[:4] or first[-4:] != second[-4:]


def test_an_ordered_cart_is_closed(cart: Cart) -> None:
    cart.refresh_from_db()
    expected, version = carts.priced(cart).price.total, cart.version
    buy(cart)
    cart.refresh_from_db()
    assert (cart.status, cart.version) == (CartStatus.ORDERED, version + 1)
    with pytest.raises(CartClosed):
        buy(cart, expected_total=expected)
    assert Order.objects.count() == 1


def test_a_cart_that_changed_after_it_was_priced_is_not_ordered(
    cart: Cart, dump: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where locks are ignored, another request may change it in between."""
    reserve = inventory.reserve

    def late(*arguments: Any, **options: Any) -> None:
        reserve(*arguments, **options)
        Cart.objects.filter(pk=cart.pk).update(version=F("version") + 1)

    asked, before = wish(cart), dump()
    monkeypatch.setattr(inventory, "reserve", late)
    with pytest.raises(CartClosed):
        checkout.complete(asked, key=None)
    assert dump() == before


def test_an_account_begins_a_new_cart(selling: SimpleNamespace, customer: User) -> None:
    cart, _ = ready(customer, (selling.variants[0], 1))
    order = buy(cart, user=customer).order
    assert order.user == customer
    fresh, _ = carts.create(customer)
    assert fresh.pk != cart.pk


def test_an_order_that_staff_place_for_a_guest_belongs_to_no_account(
    cart: Cart, staff: User
) -> None:
    assert buy(cart, user=staff).order.user is None


def test_bank_transfer_is_a_promise(cart: Cart) -> None:
    done = buy(cart, provider="manual")
    assert (done.order.status, done.order.payment_status) == ("confirmed", "authorized")
    assert done.payment.captured == 0


def test_what_costs_nothing_needs_no_provider(selling: SimpleNamespace) -> None:
    voucher("ALLFREE", value=10_000)
    selling.standard.price = 0
    selling.standard.save()
    cart, _ = ready(AnonymousUser(), (selling.variants[0], 1))
    carts.apply_voucher(cart, "ALLFREE")
    done = buy(cart, provider="no such provider")
    assert done.payment is None
    assert (done.order.status, done.order.payment_status) == ("confirmed", "paid")
    assert not DemoCharge.objects.exists()


# --- What stands against it -----------------------------------------------------------------------


def refused(cart: Cart, dump: Any, **more: Any) -> list[tuple[str, tuple[str, ...]]]:
    """The codes and fields of a refusal that leaves everything as it was."""
    asked = wish(cart, **more)
    before = dump()
    with pytest.raises(ShopError) as caught:
        checkout.complete(asked, key="a key")
    assert dump() == before
    return [(error.code, error.field) for error in caught.value.each]


def test_a_changed_total_is_told_and_never_charged(
    cart: Cart, selling: SimpleNamespace, dump: Any
) -> None:
    seen = carts.priced(cart).price.total
    variants.reprice(selling.variants[0], price=90)
    assert refused(cart, dump, expected_total=seen) == [("TOTAL_CHANGED", ("expectedTotal",))]
    with pytest.raises(TotalChanged) as caught:
        buy(cart, expected_total=seen)
    assert caught.value.total == "10.57"
    assert not DemoCharge.objects.exists()


def test_an_empty_cart_without_anything_is_told_all_at_once(db: None, dump: Any) -> None:
    cart, _ = carts.create(AnonymousUser())
    assert refused(cart, dump) == [
        ("CART_EMPTY", ("cart",)),
        ("REQUIRED", ("cart",)),
        ("REQUIRED", ("cart",)),
    ]


def test_what_was_unpublished_meanwhile_stops_it(
    cart: Cart, selling: SimpleNamespace, dump: Any
) -> None:
    products.update(selling.products[0], status="draft")
    assert refused(cart, dump) == [("NOT_PURCHASABLE", ("cart",))]


def test_what_was_sold_meanwhile_stops_it(cart: Cart, selling: SimpleNamespace, dump: Any) -> None:
    Stock.objects.filter(variant=selling.variants[0]).update(on_hand=1)
    Stock.objects.filter(variant=selling.variants[5]).update(on_hand=0)
    asked = wish(cart)
    before = dump()
    with pytest.raises(Several) as caught:
        checkout.complete(asked, key=None)
    assert dump() == before
    assert [(error.code, error.message) for error in caught.value.each] == [
        ("OUT_OF_STOCK", "Only 1 left of Mug 1 (S)."),
        ("OUT_OF_STOCK", "Mug 2 (M) is sold out."),
    ]


def test_a_country_that_is_not_shipped_to_any_more_stops_it(
    cart: Cart, selling: SimpleNamespace, dump: Any
) -> None:
    selling.zone.delete()
    assert refused(cart, dump) == [("SHIPPING_NOT_OFFERED", ("cart",))]


def test_a_rate_that_is_not_offered_any_more_stops_it(
    cart: Cart, selling: SimpleNamespace, dump: Any
) -> None:
    carts.set_shipping(cart, selling.express.pk)
    type(selling.express).objects.filter(pk=selling.express.pk).update(is_active=False)
    assert refused(cart, dump) == [("SHIPPING_NOT_OFFERED", ("cart",))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"starts_at": timezone.now() + timedelta(days=1)}, "The voucher does not hold yet."),
        ({"ends_at": timezone.now() - timedelta(days=1)}, "The voucher has expired."),
        ({"is_active": False}, "The voucher has expired."),
        ({"usage_limit": 3, "used": 3}, "The voucher is used up."),
        ({"customer_limit": 0}, "You have used this voucher already."),
        (
            {"kind": VoucherKind.FIXED, "value": 1, "currency": "EUR"},
            "The voucher is in another currency.",
        ),
    ],
    ids=["not started", "expired", "switched off", "used up", "used by customer", "currency"],
)
def test_a_voucher_that_is_lost_meanwhile_stops_it(
    change: dict[str, Any], message: str, cart: Cart, dump: Any
) -> None:
    voucher("TENOFF")
    carts.apply_voucher(cart, "TENOFF")
    Voucher.objects.update(**change)
    assert refused(cart, dump) == [("INVALID_VOUCHER", ("cart",))]
    with pytest.raises(Several) as caught:
        buy(cart)
    assert [error.message for error in caught.value.each] == [message]


def test_providers_that_are_not_offered(cart: Cart, dump: Any, settings: Any) -> None:
    settings.DEMO_PAYMENTS = False
    settings.MANUAL_PAYMENTS = False
    for provider in ("demo", "manual", "stripe", "paypal", ""):
        asked = wish(cart, provider=provider)
        before = dump()
        with pytest.raises(PaymentNotOffered):
            checkout.complete(asked, key=None)
        assert dump() == before


# --- Vouchers -------------------------------------------------------------------------------------


def test_a_voucher_is_used_by_the_order_and_given_back_when_it_fails(cart: Cart) -> None:
    row = voucher("TENOFF", usage_limit=1)
    carts.apply_voucher(cart, "TENOFF")
    with pytest.raises(PaymentDeclined):
        buy(cart, method="declined")
    row.refresh_from_db()
    assert (row.used, Redemption.objects.count()) == (0, 0)
    done = buy(cart)
    row.refresh_from_db()
    assert (row.used, Redemption.objects.count()) == (1, 1)
    assert done.order.discount == 40
    assert done.order.discounts == [{"code": "TENOFF", "name": "Voucher", "amount": 40}]


def test_a_customer_uses_a_voucher_only_as_often_as_they_may(
    cart: Cart, selling: SimpleNamespace
) -> None:
    voucher("ONCE", customer_limit=1)
    carts.apply_voucher(cart, "ONCE")
    again, _ = ready(AnonymousUser(), (selling.variants[0], 1))
    carts.apply_voucher(again, "ONCE")
    carts.set_email(again, "ANN@example.org")
    seen = carts.priced(again).price.total
    buy(cart)
    with pytest.raises(ShopError) as caught:
        buy(again, expected_total=seen)
    assert [error.code for error in caught.value.each] == ["INVALID_VOUCHER"]
    assert Voucher.objects.get().used == 1


def test_the_limit_of_a_customer_counts_all_addresses_of_an_account(
    selling: SimpleNamespace, customer: User
) -> None:
    voucher("ONCE", customer_limit=1)
    first, _ = ready(customer, (selling.variants[0], 1))
    carts.set_email(first, "other@example.org")
    carts.apply_voucher(first, "ONCE")
    buy(first, user=customer)
    # The account with its own address, the account with a third one, and the same two as a guest.
    for user, email, is_refused in (
        (customer, "ann@example.org", True),
        (customer, "third@example.org", True),
        (AnonymousUser(), "ANN@example.org", True),
        (AnonymousUser(), "other@example.org", True),
        (AnonymousUser(), "third@example.org", False),
    ):
        cart, _ = ready(user, (selling.variants[0], 1))
        carts.set_email(cart, email)
        if is_refused:
            with pytest.raises(InvalidVoucher, match="You have used this voucher already"):
                carts.apply_voucher(cart, "ONCE")
        else:
            carts.apply_voucher(cart, "ONCE")
            buy(cart, user=user)
    assert Voucher.objects.get().used == 2


def test_a_guest_order_with_the_address_of_an_account_counts_for_the_account(
    cart: Cart, selling: SimpleNamespace, customer: User
) -> None:
    voucher("ONCE", customer_limit=1)
    carts.apply_voucher(cart, "ONCE")
    buy(cart)
    own, _ = ready(customer, (selling.variants[0], 1))
    carts.set_email(own, "other@example.org")
    with pytest.raises(InvalidVoucher):
        carts.apply_voucher(own, "ONCE")


def test_an_unconfirmed_account_takes_no_use_from_the_owner_of_the_address(
    selling: SimpleNamespace, customer: User
) -> None:
    voucher("ONCE", customer_limit=1)
    first, _ = ready(customer, (selling.variants[0], 1))
    carts.set_email(first, "other@example.org")
    carts.apply_voucher(first, "ONCE")
    buy(first, user=customer)
    User.objects.filter(pk=customer.pk).update(confirmed_at=None)
    guest, _ = ready(AnonymousUser(), (selling.variants[0], 1))
    carts.apply_voucher(guest, "ONCE")
    assert buy(guest).order.discount > 0


def test_a_voucher_that_takes_off_nothing_is_not_used(cart: Cart) -> None:
    row = voucher("BIG", minimum_subtotal=100_000)
    carts.apply_voucher(cart, "BIG")
    buy(cart)
    row.refresh_from_db()
    assert (row.used, Redemption.objects.count()) == (0, 0)


def test_the_last_use_is_not_given_twice(cart: Cart, selling: SimpleNamespace) -> None:
    row = voucher("LAST", usage_limit=1)
    other, _ = ready(AnonymousUser(), (selling.variants[1], 1))
    for one in (cart, other):
        carts.apply_voucher(one, "LAST")
    asked = wish(other)
    buy(cart)
    with pytest.raises(ShopError) as caught:
        checkout.complete(asked, key=None)
    assert [type(error) for error in caught.value.each] == [InvalidVoucher]
    row.refresh_from_db()
    assert row.used == 1
    assert reserved() == {"MUG-1-S": 2, "MUG-2-M": 1}


# --- Payments -------------------------------------------------------------------------------------


def test_a_declined_payment_leaves_the_cart_as_it_was(
    selling: SimpleNamespace, customer: User
) -> None:
    cart, _ = ready(customer, (selling.variants[0], 2))
    with pytest.raises(PaymentDeclined):
        buy(cart, user=customer, method="declined")
    order = Order.objects.get()
    assert (order.status, order.payment_status) == ("cancelled", "failed")
    assert reserved() == {}
    cart.refresh_from_db()
    assert (cart.status, cart.active_key) == (CartStatus.ACTIVE, customer.pk)
    assert carts.find(customer, None) == cart
    done = buy(cart, user=customer)
    assert done.order.pk != order.pk
    assert done.order.status == OrderStatus.CONFIRMED
    assert Payment.objects.filter(state=PaymentState.FAILED).count() == 1


def test_declined_after_the_order_expired_the_cart_is_open_all_the_same(
    selling: SimpleNamespace, customer: User
) -> None:
    cart, _ = ready(customer, (selling.variants[0], 2))
    asked = wish(cart, user=customer, method="declined")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payments, "pay", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            checkout.complete(asked, key="k")
    Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(PaymentDeclined, match="Try another way to pay"):
        checkout.complete(asked, key="k")
    order = Order.objects.get()
    assert (order.status, order.payment_status) == (OrderStatus.CANCELLED, PaymentStatus.FAILED)
    assert reserved() == {}
    assert carts.find(customer, None) == cart
    assert buy(cart, user=customer).order.status == OrderStatus.CONFIRMED


def test_a_payment_that_waits_for_the_customer_is_no_error(cart: Cart) -> None:
    done = buy(cart, method="requires_action")
    assert (done.order.status, done.order.payment_status) == ("pending", "pending")
    assert done.payment.state == PaymentState.REQUIRES_ACTION
    assert done.payment.client_data
    assert reserved() == {"MUG-1-S": 2, "MUG-2-M": 1}


@pytest.mark.parametrize(("method", "becomes"), [("timeout", "confirmed"), ("never", "cancelled")])
def test_a_provider_that_does_not_answer_leaves_it_pending_until_it_is_asked_again(
    method: str, becomes: str, cart: Cart
) -> None:
    done = buy(cart, method=method)
    assert (done.order.status, done.payment.state) == ("pending", PaymentState.CREATED)
    payments.settle(timezone.now() + timedelta(minutes=2))
    done.order.refresh_from_db()
    assert done.order.status == becomes
    assert DemoCharge.objects.filter(state="captured").count() == (becomes == "confirmed")


def test_what_nobody_paid_expires_and_frees_its_stock(cart: Cart) -> None:
    row = voucher("TENOFF", usage_limit=1)
    carts.apply_voucher(cart, "TENOFF")
    done = buy(cart, method="never")
    later = timezone.now() + timedelta(hours=1)
    Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    payments.settle(later)
    payments.expire_orders(later)
    done.order.refresh_from_db()
    assert done.order.status == OrderStatus.EXPIRED
    assert reserved() == {}
    row.refresh_from_db()
    assert row.used == 0


# --- Twice ----------------------------------------------------------------------------------------


def test_the_same_key_gets_the_same_order(cart: Cart) -> None:
    asked = wish(cart)
    first = checkout.complete(asked, key="k")
    second = checkout.complete(asked, key="k")
    assert first.order == second.order
    assert (first.token, first.payment) == (second.token, second.payment)
    assert (Order.objects.count(), DemoCharge.objects.count()) == (1, 1)


def test_the_same_key_for_something_else_is_a_conflict(cart: Cart) -> None:
    asked = wish(cart)
    checkout.complete(asked, key="k")
    for change in ({"expected_total": 1}, {"method": "x"}, {"note": "y"}, {"provider": "manual"}):
        with pytest.raises(IdempotencyConflict):
            buy(cart, key="k", **change)
    assert Order.objects.count() == 1


def test_a_declined_payment_stays_declined_under_its_key(cart: Cart) -> None:
    asked = wish(cart, method="declined")
    for _ in range(2):
        with pytest.raises(PaymentDeclined):
            checkout.complete(asked, key="k")
    assert (Order.objects.count(), DemoCharge.objects.count()) == (1, 1)
    assert checkout.complete(wish(cart), key="another").order.status == OrderStatus.CONFIRMED


def test_a_payment_that_was_given_up_is_declined_when_it_is_asked_for_again(cart: Cart) -> None:
    asked = wish(cart, method="requires_action")
    order = checkout.complete(asked, key="k").order
    Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    payments.settle(timezone.now() + timedelta(hours=1))
    order.refresh_from_db()
    assert order.status == OrderStatus.EXPIRED
    with pytest.raises(PaymentDeclined, match="Begin another cart"):
        checkout.complete(asked, key="k")
    cart.refresh_from_db()
    # Money that comes late revives the order, and the same is not in an open cart then.
    assert (cart.status, order.cart) == (CartStatus.ORDERED, cart)
    assert not DemoCharge.objects.filter(state="captured").exists()


def test_what_was_promised_once_is_told_again_after_staff_gave_it_up(
    cart: Cart, staff: User
) -> None:
    asked = wish(cart, method="authorize")
    done = checkout.complete(asked, key="k")
    assert done.payment
    payments.void(done.payment, by=staff)
    again = checkout.complete(asked, key="k")
    assert again.order == done.order
    assert (again.order.status, again.order.payment_status) == ("confirmed", "voided")
    aftersales.cancel(done.order, by=staff)
    assert checkout.complete(asked, key="k").order.status == "cancelled"


def test_a_key_that_two_customers_use_answers_each_with_their_own_order(
    cart: Cart, selling: SimpleNamespace, customer: User
) -> None:
    other, _ = ready(customer, (selling.variants[1], 1))
    requests = [wish(cart), wish(other, user=customer)]
    first = [checkout.complete(request, key="k") for request in requests]
    again = [checkout.complete(request, key="k") for request in requests]
    assert first[0].order != first[1].order
    assert [(done.order, done.payment, done.token) for done in again] == [
        (done.order, done.payment, done.token) for done in first
    ]
    assert checkout.find(customer, None, key="k") == other


def test_a_refusal_keeps_no_key(cart: Cart) -> None:
    with pytest.raises(TotalChanged):
        buy(cart, key="k", expected_total=1)
    assert not IdempotencyKey.objects.exists()
    assert buy(cart, key="k").order.status == OrderStatus.CONFIRMED


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb"])
def test_keys_that_cannot_be(key: str, cart: Cart, dump: Any) -> None:
    asked = wish(cart)
    before = dump()
    with pytest.raises(ShopError) as caught:
        checkout.complete(asked, key=key)
    assert (caught.value.code, caught.value.field) == ("INVALID", ("idempotencyKey",))
    assert dump() == before


def test_who_comes_again_while_it_is_being_paid_waits_and_a_dead_one_is_taken_over(
    cart: Cart, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    asked = wish(cart)
    settings.PAYMENT_TIMEOUT = 20
    # The process dies before it has asked the provider.
    with monkeypatch.context() as patch:
        patch.setattr("shop.actions.checkout.completing.payments.pay", lambda pk: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            checkout.complete(asked, key="k")
    # The provider's 20 seconds, and 5 more.
    takeover = Payment.objects.get().created_at + timedelta(seconds=25)
    clock = SimpleNamespace(now=lambda: takeover - timedelta(microseconds=1))
    monkeypatch.setattr("shop.actions.checkout.completing.timezone", clock)
    with pytest.raises(Busy):
        checkout.complete(asked, key="k")
    assert not DemoCharge.objects.exists()
    clock.now = lambda: takeover
    done = checkout.complete(asked, key="k")
    assert done.order.status == OrderStatus.CONFIRMED
    assert (Order.objects.count(), DemoCharge.objects.count()) == (1, 1)
