"""The forms that correct an order: addresses, units, parcels, and cancelling it as a whole."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from shop.actions import aftersales, inventory
from shop.actions.aftersales import Wanted
from shop.models import AuditEntry, Fulfillment, Order, OutboxEvent, PaymentState, Refund, User
from tests.shop.admin.screens import change_url, messages_of, statements
from tests.shop.admin.test_order_forms import (
    counted,
    entries,
    errors_of,
    filled_in,
    of_staff,
    send,
    url_of,
)
from tests.shop.orders import ADDRESS, lines_of, place, variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(people: Any) -> Order:
    """A paid order of two units at 10.00 and three at 2.50 dollars, with 5.00 for the shipping."""
    return place(people.shopper, {variant(1000): 2, variant(250): 3})


@pytest.fixture
def unpaid(people: Any) -> Order:
    """An order whose payment is only authorized."""
    units = {variant(1000): 2, variant(250): 3}
    return place(people.shopper, units, state=PaymentState.AUTHORIZED)


def parcel_url(parcel: Fulfillment, name: str) -> str:
    return reverse(f"admin:shop_fulfillment_{name}", args=[parcel.order_id, parcel.pk])


def typed_in(client: Client, url: str, **given: Any) -> dict[str, Any]:
    """Data that a browser sends for the form at `url`, hidden initial values included."""
    form = client.get(url).context["form"]
    values = {bound.html_name: bound.value() for bound in form}
    hidden = {
        bound.html_initial_name: bound.initial for bound in form if bound.field.show_hidden_initial
    }
    values = values | hidden | given
    return {name: value for name, value in values.items() if value not in (None, False)}


def post(client: Client, url: str, **given: Any) -> Any:
    return client.post(url, typed_in(client, url, **given), follow=True)


# --- Units ----------------------------------------------------------------------------------------


def test_units_are_removed_before_the_payment(owner: Client, people: Any, unpaid: Order) -> None:
    done = send(owner, unpaid, "remove", second="1", reason="Sold out", confirm="on")
    assert messages_of(done) == ["The units are removed. The order comes to 30.00 USD now."]
    assert [line.quantity for line in lines_of(unpaid)] == [2, 2]
    event = unpaid.events.get(kind="lines_cancelled")
    assert (event.actor, event.text) == (people.owner, "Sold out")
    assert entries() == [("order.lines_cancel", "admin", "done")]
    assert inventory.discrepancies() == []


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"first": "1"}, "confirm", "Nothing was done. Turn this on to confirm."),
        ({"first": "3", "confirm": "on"}, "first", "Of Ladle No 1 there are 2 left."),
        ({"confirm": "on"}, "__all__", "Name at least one line."),
        ({"first": "2", "second": "3", "confirm": "on"}, "__all__", "No unit would be left"),
    ],
)
def test_units_that_cannot_be_removed_are_refused(
    given: dict[str, Any], field: str, message: str, owner: Client, unpaid: Order, dump: Any
) -> None:
    before = dump()
    response = send(owner, unpaid, "remove", **given)
    first, _ = lines_of(unpaid)
    ((where, (told,)),) = errors_of(response).items()
    assert where == (f"quantity_{first.pk}" if field == "first" else field)
    assert told.startswith(message)
    assert told in response.content.decode()
    assert dump() == before


def test_units_of_a_paid_order_are_refunded_and_not_removed(
    owner: Client, order: Order, unpaid: Order
) -> None:
    assert url_of(unpaid, "remove") in owner.get(change_url(unpaid)).content.decode()
    assert url_of(order, "remove") not in owner.get(change_url(order)).content.decode()
    response = send(owner, order, "remove", first="1", confirm="on")
    assert errors_of(response)["__all__"][0].startswith("Only units of a confirmed order that is")


# --- Refunded units -------------------------------------------------------------------------------


def test_refunded_units_are_shipped_only_with_the_switch(
    owner: Client, people: Any, order: Order
) -> None:
    _, second = lines_of(order)
    aftersales.refund(order, Wanted(lines={second.pk: 2}), by=people.owner)
    table = owner.get(url_of(order, "parcel")).context["form"].table
    shown = [dict(zip(table["headers"], row, strict=True)) for row in table["rows"]]
    assert [(row["Left"], row["Refunded"]) for row in shown] == [(2, 0), (1, 2)]
    response = send(owner, order, "parcel", second="3")
    assert errors_of(response) == {f"quantity_{second.pk}": ["Of Ladle No 2 there are 1 left."]}
    assert counted(order)[1] == (0, 0, 0, 2)
    done = send(owner, order, "parcel", second="3", include_refunded="on")
    assert messages_of(done) == ["The parcel is shipped."]
    assert counted(order) == [(2, 0, 0, 0), (3, 0, 0, 2)]


def test_an_order_whose_money_is_gone_can_still_be_shipped(
    owner: Client, people: Any, order: Order
) -> None:
    aftersales.refund(order, Wanted(amount=order.total), by=people.owner)
    assert url_of(order, "parcel") in owner.get(change_url(order)).content.decode()
    response = send(owner, order, "parcel", first="2", second="3")
    assert errors_of(response)["__all__"][0].startswith("Only confirmed orders that are paid")
    done = send(owner, order, "parcel", first="2", second="3", include_refunded="on")
    assert messages_of(done) == ["The parcel is shipped."]
    assert url_of(order, "parcel") not in owner.get(change_url(order)).content.decode()


def test_the_switch_is_there_where_something_was_refunded(owner: Client, order: Order) -> None:
    assert "include_refunded" not in owner.get(url_of(order, "parcel")).context["form"].fields


# --- Cancelling -----------------------------------------------------------------------------------


def test_an_order_is_cancelled_once_and_only_with_confirmation(
    owner: Client, order: Order, dump: Any
) -> None:
    before = dump()
    response = send(owner, order, "cancel", reason="Sold out")
    told = ["Nothing was done. Turn this on to confirm."]
    assert errors_of(response) == {"confirm": told}
    assert 'value="Sold out"' in response.content.decode()
    assert dump() == before
    data = filled_in(owner, order, "cancel", reason="Sold out", confirm="on")
    done = owner.post(url_of(order, "cancel"), data, follow=True)
    assert messages_of(done) == ["The order is cancelled; what was paid goes back."]
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert order.events.get(kind="cancelled").text == "Sold out"
    assert [line.variant.stock.on_hand for line in lines_of(order)] == [100, 100]
    again = owner.post(url_of(order, "cancel"), data, follow=True)
    assert messages_of(again) == messages_of(done)
    assert Refund.objects.count() == 1
    refused = send(owner, order, "cancel", confirm="on")
    assert errors_of(refused)["__all__"][0].startswith("Only what has not ended")


def test_goods_that_are_lost_leave_the_stock(owner: Client, order: Order) -> None:
    send(owner, order, "cancel", restock=False, confirm="on")
    assert [line.variant.stock.on_hand for line in lines_of(order)] == [98, 97]


# --- Addresses ------------------------------------------------------------------------------------


def test_what_is_typed_in_is_changed_and_nothing_else(
    owner: Client, people: Any, order: Order
) -> None:
    url = url_of(order, "details")
    done = post(owner, url, shipping_line1=" 2 Main St ", shipping_region="illinois")
    assert messages_of(done) == ["The order is changed."]
    order.refresh_from_db()
    assert order.shipping_address == ADDRESS | {"line1": "2 Main St"}
    assert (order.billing_address, order.email) == (None, "ann@example.org")
    assert order.events.get(kind="address_updated").actor == people.owner
    assert entries() == [("order.update", "admin", "done")]
    assert messages_of(post(owner, url)) == ["Nothing was changed."]
    assert len(entries()) == 1


def test_the_email_address_is_changed(owner: Client, order: Order) -> None:
    version = order.token_version
    post(owner, url_of(order, "details"), email="new@example.org")
    order.refresh_from_db()
    assert (order.email, order.token_version) == ("new@example.org", version + 1)
    assert order.shipping_address == ADDRESS


def test_another_billing_address_comes_and_goes(owner: Client, order: Order) -> None:
    url = url_of(order, "details")
    parts = {f"billing_{name}": text for name, text in ADDRESS.items()}
    parts["billing_line1"] = "3 Main St"
    # While the switch is on, what is typed below it does not matter.
    assert messages_of(post(owner, url, **parts)) == ["Nothing was changed."]
    post(owner, url, **parts, is_same=False)
    order.refresh_from_db()
    assert order.billing_address == ADDRESS | {"line1": "3 Main St"}
    assert order.shipping_address == ADDRESS
    post(owner, url, is_same="on")
    order.refresh_from_db()
    assert order.billing_address is None


def test_what_is_wrong_with_addresses_stands_beside_each_field(
    owner: Client, order: Order, dump: Any
) -> None:
    before = dump()
    url = url_of(order, "details")
    wrong = {"email": "nobody", "shipping_postal_code": "1", "is_same": False}
    response = post(owner, url, **wrong, billing_country="US", billing_name="Ann")
    errors = errors_of(response)
    assert set(errors) == {
        "email",
        "shipping_postal_code",
        "billing_line1",
        "billing_city",
        "billing_region",
        "billing_postal_code",
    }
    page = response.content.decode()
    assert errors["email"][0] in page
    assert 'value="nobody"' in page
    assert dump() == before


def test_an_address_that_changes_the_total_is_refused(
    owner: Client, order: Order, dump: Any
) -> None:
    before = dump()
    there = {"city": "Toronto", "region": "ON", "postal_code": "M5H 1A1", "country": "CA"}
    there["phone"] = ""
    given = {f"shipping_{name}": text for name, text in there.items()}
    response = post(owner, url_of(order, "details"), **given)
    ((field, (told,)),) = errors_of(response).items()
    assert field == "shipping_country"
    assert told.startswith("Shipping or taxes differ at this address")
    assert dump() == before


def test_a_form_undoes_no_change_that_was_made_meanwhile(
    owner: Client, people: Any, order: Order
) -> None:
    url = url_of(order, "details")
    opened = typed_in(owner, url, shipping_line2="Flat 3")
    aftersales.update_order(order, by=people.owner, email="new@example.org")
    owner.post(url, opened)
    order.refresh_from_db()
    assert (order.email, order.token_version) == ("new@example.org", 1)
    assert order.shipping_address == ADDRESS | {"line2": "Flat 3"}


def test_a_shipped_order_keeps_its_addresses(
    owner: Client, people: Any, order: Order, dump: Any
) -> None:
    first, _ = lines_of(order)
    aftersales.fulfil(order, {first.pk: 1}, by=people.owner)
    before = dump()
    response = post(owner, url_of(order, "details"), shipping_line1="2 Main St")
    assert errors_of(response)["__all__"][0].startswith("Addresses change only before")
    assert dump() == before
    aftersales.fulfil(order, by=people.owner)
    assert url_of(order, "details") not in owner.get(change_url(order)).content.decode()


# --- Parcels --------------------------------------------------------------------------------------


@pytest.fixture
def parcel(order: Order, people: Any) -> Fulfillment:
    return aftersales.fulfil(order, carrier="Post", tracking_number="1Z", by=people.owner)


def test_the_tracking_of_a_parcel_is_corrected(
    owner: Client, people: Any, parcel: Fulfillment
) -> None:
    url = parcel_url(parcel, "tracking")
    page = owner.get(change_url(parcel.order)).content.decode()
    assert url in page
    done = post(owner, url, tracking_number="2Z", tracking_url="https://post.example/2Z")
    assert messages_of(done) == ["The tracking is changed."]
    assert done.redirect_chain == [(change_url(parcel.order), 302)]
    parcel.refresh_from_db()
    tracking = (parcel.carrier, parcel.tracking_number, parcel.tracking_url)
    assert tracking == ("Post", "2Z", "https://post.example/2Z")
    assert entries() == [("fulfillment.update", "admin", "done")]
    assert messages_of(post(owner, url)) == ["Nothing was changed."]
    response = post(owner, url, tracking_url="javascript:alert(1)")
    assert errors_of(response) == {"tracking_url": ["This is no http or https address."]}


def test_a_parcel_is_cancelled_only_with_confirmation(
    owner: Client, parcel: Fulfillment, dump: Any
) -> None:
    before = dump()
    url = parcel_url(parcel, "undo")
    response = post(owner, url, reason="Wrong order")
    assert errors_of(response) == {"confirm": ["Nothing was done. Turn this on to confirm."]}
    assert dump() == before
    done = post(owner, url, reason="Wrong order", confirm="on")
    assert messages_of(done) == [
        "The parcel is cancelled. Its units are on hand and to be shipped again."
    ]
    parcel.order.refresh_from_db()
    assert parcel.order.status == "confirmed"
    assert parcel.order.events.get(kind="unfulfilled").text == "Wrong order"
    assert inventory.discrepancies() == []
    page = owner.get(change_url(parcel.order)).content.decode()
    assert url not in page
    assert re.search(r"Cancelled \S*\d", page)
    response = post(owner, url, confirm="on")
    assert errors_of(response) == {"__all__": ["This parcel was cancelled before."]}


def test_a_parcel_belongs_to_its_order(owner: Client, parcel: Fulfillment, people: Any) -> None:
    other = place(people.shopper)
    for name in ("tracking", "undo"):
        url = reverse(f"admin:shop_fulfillment_{name}", args=[other.pk, parcel.pk])
        assert owner.get(url).status_code == 404
        assert owner.post(url, {"key": "x", "confirm": "on"}).status_code == 404
    parcel.refresh_from_db()
    assert parcel.cancelled_at is None


# --- Who ------------------------------------------------------------------------------------------

FORMS: dict[str, Callable[[Fulfillment], str]] = {
    "remove": lambda parcel: url_of(parcel.order, "remove"),
    "details": lambda parcel: url_of(parcel.order, "details"),
    "cancel": lambda parcel: url_of(parcel.order, "cancel"),
    "tracking": lambda parcel: parcel_url(parcel, "tracking"),
    "undo": lambda parcel: parcel_url(parcel, "undo"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_takes_the_permission_of_its_mutation(
    name: str, client: Client, people: Any, parcel: Fulfillment, dump: Any
) -> None:
    url = FORMS[name](parcel)
    data = {"key": "k", "confirm": "on", "carrier": "UPS", "email": "mine@example.org"}
    for codenames in (["view_order", "add_refund"], []):
        User.objects.filter(email="packer@example.org").delete()
        client.force_login(of_staff(*codenames))
        before = dump()
        assert client.get(url).status_code == 403
        assert client.post(url, data).status_code == 403
        kind = "fulfillment" if name in ("tracking", "undo") else "order"
        assert {entry[0] for entry in entries()} == {f"admin:shop_{kind}_{name}"}
        AuditEntry.objects.all().delete()
        assert dump() == before
    page = change_url(parcel.order)
    client.force_login(User.objects.get(email="owner@example.org"))
    shown = client.get(page).content.decode()
    assert parcel_url(parcel, "tracking") in shown
    User.objects.filter(email="packer@example.org").delete()
    client.force_login(of_staff("view_order"))
    shown = client.get(page).content.decode()
    assert all(make(parcel) not in shown for make in FORMS.values())
    User.objects.filter(email="packer@example.org").delete()
    client.force_login(of_staff("view_order", "change_order"))
    assert client.get(url).status_code == 200
    for user in (people.shopper, None):
        client.logout()
        if user:
            client.force_login(user)
        before = dump()
        for response in (client.get(url), client.post(url, data)):
            assert response.status_code == 302
            assert "/login/" in response["Location"]
        assert dump() == before


@pytest.mark.parametrize("name", FORMS)
def test_a_form_takes_constant_sql(name: str, owner: Client, people: Any) -> None:
    counts = []
    for lines in (2, 4):
        order = place(people.shopper, {variant(): 2 for _ in range(lines)})
        units = {line.pk: 1 for line in lines_of(order)}
        url = FORMS[name](aftersales.fulfil(order, units, by=people.owner))
        statements(owner, url)
        counts.append(len(statements(owner, url)))
    assert counts[0] == counts[1]


def test_the_page_of_an_order_takes_constant_sql_with_more_parcels(
    owner: Client, people: Any
) -> None:
    counts = []
    for parcels in (1, 4):
        order = place(people.shopper, {variant(): 9})
        (line,) = lines_of(order)
        for _ in range(parcels):
            aftersales.fulfil(order, {line.pk: 1}, by=people.owner)
        statements(owner, change_url(order))
        counts.append(len(statements(owner, change_url(order))))
    assert counts[0] == counts[1]


def test_a_change_in_the_admin_is_told_by_one_event(owner: Client, order: Order) -> None:
    before = OutboxEvent.objects.count()
    post(owner, url_of(order, "details"), shipping_line1="2 Main St")
    topics = OutboxEvent.objects.order_by("pk").values_list("topic", flat=True)
    assert list(topics)[before:] == ["order.updated"]
