"""The screens of orders and carts: to look at, with buttons that go through the actions."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop.actions import aftersales
from shop.actions.aftersales import Wanted
from shop.models import (
    AuditEntry,
    Cart,
    Dispute,
    DisputeState,
    Order,
    PaymentState,
    User,
)
from tests.shop import sold
from tests.shop.admin.screens import change_url, list_url, messages_of, statements
from tests.shop.orders import lines_of, place, variant

pytestmark = pytest.mark.django_db


def move(client: Client, order: Order, name: str, text: str = "") -> Any:
    url = reverse(f"admin:shop_order_{name}", args=[order.pk])
    return client.post(url, {"text": text}, follow=True)


def full(people: Any) -> Order:
    """An order with something of everything."""
    order = place(people.shopper, {variant(1000): 2, variant(250): 3}, discount=1000)
    first, second = lines_of(order)
    tracking = {"carrier": "Post", "tracking_number": "1Z", "tracking_url": "https://post.example/"}
    aftersales.fulfil(order, {first.pk: 1, second.pk: 2}, by=people.owner, **tracking)
    aftersales.return_(order, reason="Chipped", by=people.owner)
    aftersales.refund(order, Wanted(lines={first.pk: 1}), reason="Sorry", by=people.owner)
    aftersales.note(order, "Be kind to her.", by=people.owner)
    return order


def test_an_order_shows_all_that_belongs_to_it(owner: Client, people: Any) -> None:
    order = full(people)
    page = owner.get(change_url(order)).content.decode()
    for text in (
        order.number,
        "ann@example.org",
        "SPRINGFIELD, IL 62704",
        "Spring: 2.75 USD",
        "29.75 USD",
        "Ladle No 1",
        "https://post.example/",
        "Chipped",
        "9.00 USD: Sorry<div>1 × Ladle No 1</div>",
        "Be kind to her.",
        "partly shipped",
        "partly refunded",
    ):
        assert text in page, text
    assert "(&#x27;" not in page


def test_an_order_shows_what_is_disputed(owner: Client, people: Any) -> None:
    order = place(people.shopper)
    due = timezone.now().replace(year=2031, month=5, day=17)
    sold.dispute(order.payments.get(), reason="not_received", reference="du_12", due_at=due)
    page = owner.get(change_url(order)).content.decode()
    for text in ("15.00 USD: to be answered, not received", "evidence until", "2031", "(du_12)"):
        assert text in page, text
    now = timezone.now()
    Dispute.objects.update(state=DisputeState.LOST, closed_at=now)
    page = owner.get(change_url(order)).content.decode()
    assert "15.00 USD: lost, not received (du_12)" in page


def test_orders_are_found_by_their_open_disputes(owner: Client, people: Any) -> None:
    disputed, other = place(people.shopper), place()
    sold.dispute(disputed.payments.get())
    for value, shown, hidden in (("yes", disputed, other), ("no", other, disputed)):
        page = owner.get(list_url("order"), {"disputed": value}).content.decode()
        assert shown.number in page
        assert hidden.number not in page
    page = owner.get(list_url("order"), {"disputed": "x"}).content.decode()
    assert disputed.number in page
    assert other.number in page


def test_an_order_takes_constant_sql(owner: Client, people: Any) -> None:
    order = full(people)
    statements(owner, change_url(order))
    few = statements(owner, change_url(order))
    for _ in range(2):
        aftersales.note(order, "Called.", by=people.owner)
        aftersales.refund(order, Wanted(amount=1), by=people.owner)
        sold.dispute(order.payments.get(), amount=1, is_withdrawn=False)
    aftersales.refund(order, Wanted(lines={lines_of(order)[1].pk: 1}), by=people.owner)
    aftersales.fulfil(order, by=people.owner)
    aftersales.return_(order, by=people.owner)
    assert len(statements(owner, change_url(order))) <= len(few)


@pytest.mark.parametrize("name", ["order", "cart"])
def test_lists_take_constant_sql(name: str, owner: Client, people: Any) -> None:
    place(people.shopper)
    statements(owner, list_url(name))
    few = statements(owner, list_url(name))
    for _ in range(3):
        place(people.shopper)
    assert len(statements(owner, list_url(name))) == len(few)


def test_orders_are_found_by_how_number_and_address_begin(owner: Client, people: Any) -> None:
    mine, guests = place(people.shopper), place()
    place(people.shopper, state=PaymentState.AUTHORIZED)

    def found(**filters: Any) -> set[str]:
        shown = owner.get(list_url("order", **filters)).context["cl"].result_list
        return {order.number for order in shown}

    assert found(q=mine.number.lower()) == {mine.number}
    assert found(q="GUEST@") == {guests.number}
    assert found(q="@example.org") == set()
    assert len(found(q=" ")) == 3
    assert len(found(payment_status__exact="paid")) == 2
    assert found(created_at_from="2000-01-01", created_at_to="2000-01-02") == set()


def test_a_cart_shows_its_lines(owner: Client, people: Any) -> None:
    place(people.shopper, {variant(): 4})
    page = owner.get(change_url(Cart.objects.get())).content.decode()
    assert "Ladle No 1" in page
    assert "ann@example.org" in page


# --- Buttons --------------------------------------------------------------------------------------


def test_buttons_move_an_order_and_leave_entries(owner: Client, people: Any) -> None:
    order = place(people.shopper, state=PaymentState.AUTHORIZED, provider="manual")
    for name, text, message in (
        ("note", "Called her.", "The note is in the timeline."),
        ("fulfil", "1Z", "Everything that was left is shipped."),
        ("capture", "", "The payment is asked for."),
    ):
        assert messages_of(move(owner, order, name, text)) == [message]
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("completed", "paid")
    assert order.fulfillments.get().tracking_number == "1Z"
    assert order.events.get(kind="note").actor == people.owner
    entries = AuditEntry.objects.order_by("pk")
    assert {entry.source for entry in entries} == {"admin"}
    assert [entry.action for entry in entries] == [
        "orderevent.create",
        "order.fulfil",
        "payment.capture",
    ]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (PaymentState.CREATED, {"note"}),
        (PaymentState.AUTHORIZED, {"fulfil", "capture", "note"}),
        (PaymentState.CAPTURED, {"fulfil", "note"}),
        (PaymentState.FAILED, {"note"}),
    ],
)
def test_buttons_are_there_where_they_do_something(
    state: PaymentState, shown: set[str], owner: Client, people: Any
) -> None:
    order = place(people.shopper, state=state)
    page = owner.get(change_url(order)).content.decode()
    names = ("fulfil", "capture", "note")
    assert {name for name in names if f"/{order.pk}/{name}/" in page} == shown


def test_who_may_only_look_moves_nothing(client: Client, people: Any, dump: Any) -> None:
    order = place(people.shopper)
    client.force_login(people.clerk)
    page = client.get(change_url(order)).content.decode()
    before = dump()
    for name in ("fulfil", "capture", "note"):
        assert f"/{name}/" not in page
        assert move(client, order, name).status_code == 403
    refused = AuditEntry.objects.filter(outcome="refused").order_by("pk")
    assert [entry.action for entry in refused] == [
        f"admin:shop_order_{name}" for name in ("fulfil", "capture", "note")
    ]
    assert dump() | {"shop.AuditEntry": []} == before


def test_buttons_are_pressed_and_not_visited(owner: Client, people: Any) -> None:
    order = place(people.shopper)
    assert owner.get(reverse("admin:shop_order_fulfil", args=[order.pk])).status_code == 405
    assert owner.post(reverse("admin:shop_order_fulfil", args=[987_654])).status_code == 404
    order.refresh_from_db()
    assert order.status == "confirmed"


def test_shoppers_see_no_screen(client: Client, people: Any) -> None:
    order = place(people.shopper)
    client.force_login(people.shopper)
    for url in (list_url("order"), change_url(order), list_url("cart")):
        assert client.get(url).status_code == 302
    user = User.objects.create_user("other@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_product"))
    client.force_login(user)
    assert client.get(list_url("order")).status_code == 403
