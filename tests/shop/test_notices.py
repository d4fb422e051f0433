"""Customers hear of their orders and carts, staff of what runs out: once, and nobody else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from shop import events
from shop.actions import accounts, carts, notices, orders
from shop.models import (
    Cart,
    CartStatus,
    Fulfillment,
    FulfillmentLine,
    FulfillmentStatus,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    OutboxEvent,
    PaymentState,
    SentMail,
    Stock,
    User,
)
from shop.tasks import mail_order, remind_carts
from tests.shop import sold

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def addresses(settings: Any) -> None:
    settings.STOREFRONT_URL = "https://shop.example.org"
    settings.SITE_URL = "https://api.example.org"


@pytest.fixture
def variant(world: Any) -> Any:
    return world.products[0].variants.first()


def sent() -> Any:
    """The one mail that went out."""
    (one,) = mail.outbox
    return one


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


# --- Orders --------------------------------------------------------------------------------------


def test_a_confirmation_tells_what_was_bought_and_what_it_comes_to(customer: User) -> None:
    order = sold.make_order("Ann.Baker@example.org", customer)
    notices.tell_of_confirmation(order.pk, 7)
    assert sent().to == ["Ann.Baker@example.org"]
    assert sent().subject == f"Your order {order.number}"
    told = lines_of(sent().body)
    assert told[0] == "Hello Ann Baker,"
    start = told.index("2 × Mug, M: 25.00 USD")
    assert told[start : start + 7] == [
        "2 × Mug, M: 25.00 USD",
        "1 × Plate: 10.00 USD",
        "Goods: 35.00 USD",
        "Voucher TEA5: -5.00 USD",
        "Shipping: 4.90 USD",
        "Tax: 3.50 USD",
        "Total: 38.40 USD",
    ]
    assert "It goes to (Parcel):" in told
    assert {"Allee 1", "10115 BERLIN", "GERMANY"} <= set(told)
    # A phone number is for the parcel service.
    assert sold.HOME["phone"] not in sent().body
    html = sent().alternatives[0].content
    for text in ("2 × Mug, M", "25.00 USD", "-5.00 USD", "38.40 USD", "10115 BERLIN"):
        assert text in html
    row = SentMail.objects.get()
    assert (row.key, row.user, row.template) == ("order-confirmed-7", customer, "order_confirmed")


def test_the_link_opens_the_order_without_an_account() -> None:
    number = "4K7M9-QX2PD"
    digest = orders.digest_of(orders.token_of(Order(number=number)))
    order = sold.make_order(number=number, digest=digest)
    notices.tell_of_confirmation(order.pk, 7)
    start = f"https://shop.example.org/orders/{number}?token="
    (link,) = (word for word in sent().body.split() if word.startswith(start))
    token = link.removeprefix(start)
    assert orders.opened(number, token) == order
    assert start + token in sent().alternatives[0].content
    # Nothing that is stored opens it.
    assert token not in str(list(SentMail.objects.values()))
    assert token not in str(list(OutboxEvent.objects.values()))


@pytest.mark.parametrize(
    ("currency", "total"), [("JPY", "3840 JPY"), ("USD", "38.40 USD"), ("KWD", "3.840 KWD")]
)
def test_amounts_have_the_places_of_their_currency(currency: str, total: str) -> None:
    notices.tell_of_confirmation(sold.make_order(currency=currency).pk, 7)
    assert f"Total: {total}" in sent().body


def test_a_tax_within_the_prices_is_not_added_to_them() -> None:
    fields = {"tax_included": True, "subtotal": 3500, "discount": 0, "discounts": []}
    fields |= {"shipping": 0, "shipping_name": "", "tax": 559, "total": 3500}
    notices.tell_of_confirmation(sold.make_order(**fields).pk, 7)
    assert "Tax (included): 5.59 USD" in sent().body
    assert "Total: 35.00 USD" in sent().body
    assert "Shipping" not in sent().body
    assert "It goes to:" in sent().body


@pytest.mark.parametrize(
    ("provider", "state", "told"),
    [
        ("manual", PaymentState.AUTHORIZED, True),
        ("manual", PaymentState.CAPTURED, False),
        ("stripe", PaymentState.AUTHORIZED, False),
    ],
)
def test_who_pays_by_hand_is_told_what_to_pay(provider: str, state: str, told: bool) -> None:
    order = sold.make_order()
    captured = order.total if state == PaymentState.CAPTURED else 0
    sold.pay(order, provider=provider, state=state, captured=captured)
    notices.tell_of_confirmation(order.pk, 7)
    wanted = f"To be paid: 38.40 USD. Please name {order.number} with your payment."
    assert (wanted in sent().body) is told
    assert ("To be paid" in sent().alternatives[0].content) is told


def test_names_are_no_markup() -> None:
    order = sold.make_order(shipping_address={**sold.HOME, "name": "<b>Ann</b>"})
    order.lines.update(name="<script>alert(1)</script>")
    notices.tell_of_confirmation(order.pk, 7)
    html = sent().alternatives[0].content
    assert "<script" not in html
    assert "&lt;b&gt;Ann&lt;/b&gt;" in html
    assert "<b>Ann</b>" in sent().body


def parcel_of(order: Order, **fields: Any) -> Fulfillment:
    parcel = Fulfillment.objects.create(order=order, **fields)
    FulfillmentLine.objects.create(fulfillment=parcel, line=order.lines.first(), quantity=2)
    return parcel


@pytest.mark.parametrize("is_part", [True, False])
def test_a_parcel_is_told_with_what_is_in_it_and_how_to_follow_it(is_part: bool) -> None:
    status = FulfillmentStatus.PARTIAL if is_part else FulfillmentStatus.FULL
    order = sold.make_order(fulfillment_status=status)
    url = "https://parcels.example.net/1Z999"
    parcel = parcel_of(order, carrier="UPS", tracking_number="1Z999", tracking_url=url)
    notices.tell_of_parcel(order.pk, 8, parcel.pk)
    assert sent().subject == f"On its way: your order {order.number}"
    told = lines_of(sent().body)
    assert "2 × Mug, M" in told
    assert "UPS: 1Z999" in told
    assert f"Follow it: {url}" in told
    assert ("The rest of your order follows." in told) is is_part
    assert "Plate" not in sent().body
    assert f'href="{url}"' in sent().alternatives[0].content
    assert SentMail.objects.get().key == "order-shipped-8"


def test_a_parcel_that_cannot_be_followed_is_told_all_the_same() -> None:
    order = sold.make_order()
    notices.tell_of_parcel(order.pk, 8, parcel_of(order).pk)
    assert "2 × Mug, M" in sent().body
    assert "Follow" not in sent().body + sent().alternatives[0].content


def test_a_refund_is_told_with_its_amount_and_reason() -> None:
    order = sold.make_order()
    payment = sold.pay(order, refunded=2250)
    refunds = [sold.refund(payment, 1250, reason="A crack. Sorry!"), sold.refund(payment, 1000)]
    for number, refund in enumerate(refunds):
        notices.tell_of_refund(order.pk, number, refund.pk)
    first, second = mail.outbox
    assert first.subject == f"12.50 USD paid back: your order {order.number}"
    assert "A crack. Sorry!" in first.body
    assert second.subject.startswith("10.00 USD paid back")


@pytest.mark.parametrize("paid", [True, False])
def test_a_cancelled_order_is_told(paid: bool) -> None:
    order = sold.make_order()
    if paid:
        sold.pay(order)
        orders.record(order, OrderEventKind.CANCELLED, text="The plates broke.")
    notices.tell_of_cancellation(order.pk, 9)
    assert sent().subject == f"Cancelled: your order {order.number}"
    assert ("What you paid for it goes back to you." in sent().body) is paid
    assert ("The plates broke." in sent().body) is paid


def test_an_order_whose_payment_was_declined_is_no_news() -> None:
    order = sold.make_order(confirmed_at=None)
    notices.tell_of_cancellation(order.pk, 9)
    assert mail.outbox == []


def test_what_is_of_another_order_is_not_told() -> None:
    mine, other = sold.make_order(), sold.make_order("bob@example.org")
    refund = sold.refund(sold.pay(other, refunded=100), 100)
    notices.tell_of_refund(mine.pk, 1, refund.pk)
    notices.tell_of_parcel(mine.pk, 2, parcel_of(other).pk)
    assert mail.outbox == []


def test_who_was_erased_or_never_was_is_told_of_nothing(customer: User) -> None:
    done = {"status": OrderStatus.COMPLETED, "fulfillment_status": FulfillmentStatus.FULL}
    order = sold.make_order(user=customer, **done)
    refund, parcel = sold.refund(sold.pay(order, refunded=100), 100), parcel_of(order)
    accounts.erase(customer)
    for key in (order.pk, 987_654):
        notices.tell_of_confirmation(key, 1)
        notices.tell_of_parcel(key, 2, parcel.pk)
        notices.tell_of_refund(key, 3, refund.pk)
        notices.tell_of_cancellation(key, 4)
    assert mail.outbox == []


def test_who_was_erased_is_told_of_what_is_still_to_come(customer: User) -> None:
    order = sold.make_order(user=customer)
    accounts.erase(customer)
    notices.tell_of_parcel(order.pk, 1, parcel_of(order).pk)
    (sent,) = mail.outbox
    assert sent.to == [order.email]


@pytest.mark.django_db(transaction=True)
def test_each_event_of_an_order_has_its_mail() -> None:
    order = sold.make_order()
    refund, parcel = sold.refund(sold.pay(order, refunded=100), 100), parcel_of(order)
    with transaction.atomic():
        events.emit("order.confirmed", order)
        events.emit("order.fulfilled", order, fulfillment=parcel.pk)
        events.emit("order.fulfillment_updated", order, fulfillment=parcel.pk)
        events.emit("order.returned", order, **{"return": 1})
        events.emit("order.completed", order)
        events.emit("order.refunded", order, refund=refund.pk)
        events.emit("order.cancelled", order)
        events.emit("order.expired", order)
    subjects = [one.subject.split(":")[0] for one in mail.outbox]
    assert subjects == [
        f"Your order {order.number}",
        "On its way",
        "Changed",
        "1.00 USD paid back",
        "Cancelled",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_mail_goes_out_once_however_often_its_task_runs() -> None:
    with transaction.atomic():
        events.emit("order.confirmed", sold.make_order())
    event = OutboxEvent.objects.get()
    for _ in range(2):
        mail_order.apply(args=[event.pk], task_id="key")
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_without_a_mail_server_nothing_is_asked_for(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    with transaction.atomic():
        events.emit("order.confirmed", sold.make_order())
    assert not SentMail.objects.exists()


# --- Stock ---------------------------------------------------------------------------------------


def test_staff_are_told_of_what_runs_low(variant: Any, settings: Any) -> None:
    settings.STAFF_EMAIL = "stock@example.org"
    stock = Stock.objects.create(variant=variant, on_hand=4)
    notices.tell_of_low_stock(variant.pk, 3, 5)
    assert sent().to == ["stock@example.org"]
    assert sent().subject.startswith("5 left: Mug 1")
    assert variant.sku in sent().body
    assert "Available now: 4" in sent().body
    page = reverse("admin:shop_stock_change", args=[stock.pk])
    assert f"https://api.example.org{page}" in sent().body
    assert SentMail.objects.get().key == "stock-low-3"


def test_what_is_gone_is_called_sold_out(variant: Any, settings: Any) -> None:
    settings.STAFF_EMAIL = "stock@example.org"
    Stock.objects.create(variant=variant)
    notices.tell_of_low_stock(variant.pk, 3, 0)
    assert sent().subject.startswith("Sold out: Mug 1")


def test_without_an_address_of_staff_or_a_stock_nobody_is_told(variant: Any, settings: Any) -> None:
    settings.STAFF_EMAIL = "stock@example.org"
    notices.tell_of_low_stock(variant.pk, 3, 5)
    Stock.objects.create(variant=variant)
    settings.STAFF_EMAIL = ""
    notices.tell_of_low_stock(variant.pk, 4, 5)
    assert mail.outbox == []


# --- Carts ---------------------------------------------------------------------------------------


def leave(variant: Any, *, hours: float = 25, **fields: Any) -> Cart:
    """A cart that was left so many hours ago, by somebody who wants to be reminded."""
    cart = sold.make_cart(variant, **{"email": "ann@example.org", "reminder": True, **fields})
    Cart.objects.filter(pk=cart.pk).update(updated_at=timezone.now() - timedelta(hours=hours))
    cart.refresh_from_db()
    return cart


@pytest.mark.django_db(transaction=True)
def test_who_asked_for_it_is_reminded_of_their_cart_once(variant: Any, settings: Any) -> None:
    settings.CART_REMINDER_HOURS = 24
    cart = leave(variant)
    before = cart.updated_at
    for _ in range(2):
        remind_carts.run()
    assert sent().to == ["ann@example.org"]
    assert "2 × Mug 1" in sent().body
    assert "https://shop.example.org/cart" in sent().body
    cart.refresh_from_db()
    assert cart.reminded_at is not None
    # To be reminded is not to have touched it.
    assert cart.updated_at == before


@pytest.mark.parametrize(
    "fields",
    [
        {"reminder": False},
        {"email": ""},
        {"status": CartStatus.ORDERED},
        {"status": CartStatus.MERGED},
        {"hours": 23.9},
        {"reminded_at": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
    ids=str,
)
def test_nobody_else_is_reminded(fields: dict[str, Any], variant: Any, settings: Any) -> None:
    settings.CART_REMINDER_HOURS = 24
    leave(variant, **fields)
    assert carts.remind(timezone.now()) == 0
    assert not OutboxEvent.objects.filter(topic="cart.abandoned").exists()


def test_an_empty_cart_is_not_worth_a_mail(db: None) -> None:
    leave(None)
    assert carts.remind(timezone.now()) == 0


def test_who_comes_back_may_be_reminded_again(variant: Any) -> None:
    cart = leave(variant)
    assert carts.remind(timezone.now()) == 1
    carts.set_reminder(cart, True)
    later = timezone.now() + timedelta(days=2)
    assert carts.remind(later) == 1
    assert carts.remind(later) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"status": CartStatus.ORDERED},
        {"reminder": False},
        # Touched again.
        {"reminded_at": None},
    ],
    ids=str,
)
def test_a_reminder_that_is_overtaken_is_not_sent(change: dict[str, Any], variant: Any) -> None:
    cart = leave(variant)
    carts.remind(timezone.now())
    Cart.objects.filter(pk=cart.pk).update(**change)
    notices.tell_of_cart(cart.pk, 1)
    assert mail.outbox == []


def test_a_cart_that_was_emptied_or_removed_is_not_told(variant: Any) -> None:
    cart = leave(variant)
    carts.remind(timezone.now())
    cart.lines.all().delete()
    notices.tell_of_cart(cart.pk, 1)
    Cart.objects.all().delete()
    notices.tell_of_cart(cart.pk, 1)
    assert mail.outbox == []


def test_a_stranger_cannot_fill_a_mailbox_with_reminders(variant: Any) -> None:
    left = [leave(variant, email=email) for email in ("ann@example.org", "ANN@example.org")]
    other = leave(variant, email="bob@example.org")
    carts.remind(timezone.now())
    for number, cart in enumerate((*left, other)):
        notices.tell_of_cart(cart.pk, number)
    assert [one.to for one in mail.outbox] == [["ann@example.org"], ["bob@example.org"]]


def test_a_reminder_that_failed_is_tried_again(
    variant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise ConnectionRefusedError("no server")

    cart = leave(variant)
    carts.remind(timezone.now())
    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
        with pytest.raises(ConnectionRefusedError):
            notices.tell_of_cart(cart.pk, 1)
    notices.tell_of_cart(cart.pk, 1)
    assert len(mail.outbox) == 1


def test_many_carts_are_gone_through_in_batches(
    variant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.actions.carts.leaving._BATCH", 2)
    left = [leave(variant).pk for _ in range(5)]
    assert carts.remind(timezone.now()) == 5
    told = OutboxEvent.objects.filter(topic="cart.abandoned")
    assert sorted(event.payload["id"] for event in told) == left


def test_while_no_mails_are_sent_nobody_counts_as_reminded(variant: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    cart = leave(variant)
    remind_carts.run()
    cart.refresh_from_db()
    assert cart.reminded_at is None


@pytest.mark.django_db(transaction=True)
def test_a_parcel_that_was_recorded_by_mistake_has_a_mail() -> None:
    order = sold.make_order()
    parcel = parcel_of(order)
    Fulfillment.objects.update(cancelled_at=timezone.now())
    data = {"fulfillment": parcel.pk}
    OrderEvent.objects.create(
        order=order, kind=OrderEventKind.UNFULFILLED, text="Wrong order.", data=data
    )
    with transaction.atomic():
        # The parcel was undone before its mail went out: no mail says that it is on its way.
        events.emit("order.fulfilled", order, fulfillment=parcel.pk)
        events.emit("order.fulfillment_cancelled", order, fulfillment=parcel.pk)
    (sent,) = mail.outbox
    assert sent.subject == f"Changed: your order {order.number}"
    assert "This has not been shipped:" in sent.body
    assert "Wrong order." in sent.body
