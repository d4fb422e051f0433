"""The forms of an order: parcels, money that goes back, goods that come back."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from shop.actions import aftersales, inventory, payments
from shop.actions.aftersales import Wanted
from shop.models import (
    AuditEntry,
    DemoCharge,
    Fulfillment,
    Order,
    PaymentState,
    Refund,
    Return,
    Stock,
    User,
)
from tests.shop.admin.screens import change_url, messages_of, statements
from tests.shop.aftersales.conftest import Provider
from tests.shop.orders import lines_of, place, variant

pytestmark = pytest.mark.django_db
NAMES = ("parcel", "refund", "return")
PERMISSIONS = {"parcel": "change_order", "refund": "add_refund", "return": "add_return"}


@pytest.fixture
def order(people: Any) -> Order:
    """A paid order of two units at 10.00 and three at 2.50 dollars, with 5.00 for the shipping."""
    return place(people.shopper, {variant(1000): 2, variant(250): 3})


def url_of(order: Order, name: str) -> str:
    return reverse(f"admin:shop_order_{name}", args=[order.pk])


def filled_in(client: Client, order: Order, name: str, **given: Any) -> dict[str, Any]:
    """What a browser would send, with `given` filled in: units as `first` and `second`."""
    form = client.get(url_of(order, name)).context["form"]
    values = {bound.html_name: bound.value() for bound in form}
    places = dict(zip(("first", "second"), lines_of(order), strict=True))
    for field, value in given.items():
        word, _, line = field.rpartition("_")
        name_of = f"{word or 'quantity'}_{places[line].pk}" if line in places else field
        values[name_of] = value
    return {name: value for name, value in values.items() if value not in (None, False)}


def send(client: Client, order: Order, name: str, **given: Any) -> Any:
    return client.post(url_of(order, name), filled_in(client, order, name, **given), follow=True)


def errors_of(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    assert not messages_of(response)
    return {name: list(told) for name, told in response.context["form"].errors.items()}


def of_staff(*codenames: str) -> User:
    user = User.objects.create_user("packer@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def counted(order: Order) -> list[tuple[int, int, int, int]]:
    """Of each line: units that were shipped, taken out, came back, paid back."""
    return [
        (line.fulfilled, line.cancelled, line.returned, line.refunded) for line in lines_of(order)
    ]


def entries() -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.order_by("pk")
    return list(rows.values_list("action", "source", "outcome"))


# --- What they do ---------------------------------------------------------------------------------


def test_some_of_the_lines_are_shipped_as_a_parcel(
    owner: Client, people: Any, order: Order
) -> None:
    link = "https://post.example/1Z"
    tracking = {"carrier": " Post ", "tracking_number": "1Z", "tracking_url": link}
    done = send(owner, order, "parcel", first="1", second="0", **tracking)
    assert messages_of(done) == ["The parcel is shipped."]
    assert done.redirect_chain == [(change_url(order), 302)]
    assert counted(order) == [(1, 0, 0, 0), (0, 0, 0, 0)]
    parcel = order.fulfillments.get()
    assert (parcel.carrier, parcel.tracking_number, parcel.tracking_url) == ("Post", "1Z", link)
    event = order.events.get(kind="fulfilled")
    assert (event.actor, event.data["quantity"]) == (people.owner, 1)
    assert entries() == [("order.fulfil", "admin", "done")]
    # What is left is in the next form, ready to be shipped.
    assert messages_of(send(owner, order, "parcel")) == ["The parcel is shipped."]
    assert counted(order) == [(2, 0, 0, 0), (3, 0, 0, 0)]
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("completed", "full")


def test_units_and_the_shipping_go_back(owner: Client, people: Any, order: Order) -> None:
    done = send(owner, order, "refund", second="2", shipping="on", reason="Chipped")
    assert messages_of(done) == ["10.00 USD went back."]
    refund = Refund.objects.get()
    assert (refund.amount, refund.shipping, refund.reason) == (1000, 500, "Chipped")
    assert (refund.actor, counted(order)) == (people.owner, [(0, 0, 0, 0), (0, 0, 0, 2)])
    assert order.events.get(kind="refunded").text == "Chipped"
    assert entries() == [("order.refund", "admin", "done"), ("refund.create", "admin", "done")]


def test_an_amount_goes_back(owner: Client, order: Order) -> None:
    assert messages_of(send(owner, order, "refund", amount="7.5")) == ["7.50 USD went back."]
    assert (Refund.objects.get().amount, Refund.objects.get().lines.count()) == (750, 0)
    assert counted(order) == [(0, 0, 0, 0), (0, 0, 0, 0)]


def test_units_are_taken_out_before_they_ship(owner: Client, order: Order) -> None:
    send(owner, order, "refund", first="1", restock="on")
    assert counted(order) == [(0, 1, 0, 1), (0, 0, 0, 0)]
    first = lines_of(order)[0].variant
    assert list(Stock.objects.filter(variant=first).values_list("on_hand", "reserved")) == [
        (100, 1)
    ]
    form = owner.get(url_of(order, "parcel")).context["form"]
    assert [row[2] for row in form.table["rows"]] == [1, 3]
    assert inventory.discrepancies() == []


def test_units_for_which_nothing_was_paid_are_taken_out(owner: Client, people: Any) -> None:
    order = place(people.shopper, {variant(1000): 1, variant(1): 1}, discount=5001)
    done = send(owner, order, "refund", second="1", restock="on")
    told = ["The units are taken out of the order; nothing was paid for them."]
    assert (messages_of(done), counted(order)[1]) == (told, (0, 1, 0, 0))
    assert not Refund.objects.exists()


@pytest.mark.parametrize("by_lines", [True, False])
def test_what_is_not_shipped_of_an_order_whose_money_is_gone_is_taken_out(
    owner: Client, people: Any, order: Order, *, by_lines: bool
) -> None:
    first, second = lines_of(order)
    aftersales.fulfil(order, {first.pk: 2}, by=people.owner)
    parts = Wanted(lines={first.pk: 2, second.pk: 3}, shipping=True)
    aftersales.refund(order, parts if by_lines else Wanted(amount=3250), by=people.owner)
    assert url_of(order, "refund") in owner.get(change_url(order)).content.decode()
    told = "32.50 USD were paid, of which 0.00 USD can still go back. What is not shipped can be"
    assert told in owner.get(url_of(order, "refund")).content.decode()
    done = send(owner, order, "refund", second="3", restock="on")
    assert messages_of(done) == ["The units are taken out of the order; nothing was paid for them."]
    paid_back = (2, 3) if by_lines else (0, 0)
    assert counted(order) == [(2, 0, 0, paid_back[0]), (0, 3, 0, paid_back[1])]
    order.refresh_from_db()
    assert (order.status, Refund.objects.count()) == ("completed", 1)
    assert inventory.discrepancies() == []
    # There is nothing more to take out.
    assert url_of(order, "refund") not in owner.get(change_url(order)).content.decode()


def test_a_promise_that_was_given_up_leaves_units_to_be_taken_out(
    owner: Client, people: Any
) -> None:
    units = {variant(1000): 2, variant(250): 3}
    order = place(people.shopper, units, state=PaymentState.AUTHORIZED)
    assert url_of(order, "refund") not in owner.get(change_url(order)).content.decode()
    payments.void(order.payments.get(), by=people.owner)
    assert url_of(order, "refund") in owner.get(change_url(order)).content.decode()
    send(owner, order, "refund", first="1", restock="on")
    assert counted(order) == [(0, 1, 0, 0), (0, 0, 0, 0)]
    assert not Refund.objects.exists()


def test_each_line_that_comes_back_is_sold_again_or_not(
    owner: Client, people: Any, order: Order
) -> None:
    aftersales.fulfil(order, by=people.owner)
    given = {"first": "1", "second": "3", "restock_second": False, "reason": "Too small"}
    done = send(owner, order, "return", **given)
    assert messages_of(done) == ["The goods are back."]
    assert counted(order) == [(2, 0, 1, 0), (3, 0, 3, 0)]
    back = order.returns.get()
    assert back.reason == "Too small"
    lines = back.lines.order_by("line__position").values_list("quantity", "restocked")
    assert list(lines) == [(1, True), (3, False)]
    stock = [line.variant.stock.on_hand for line in lines_of(order)]
    assert stock == [99, 97]
    assert order.events.get(kind="returned").actor == people.owner
    assert entries()[-1] == ("order.return", "admin", "done")


@pytest.mark.parametrize(
    ("fails", "told", "state"),
    [
        ("refuses", "The provider does not pay 5.00 USD back. It does not count", "failed"),
        ("is_silent", "5.00 USD are on their way back; the provider has not", "pending"),
    ],
)
def test_what_becomes_of_the_money_is_told(
    fails: str, told: str, state: str, owner: Client, order: Order
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        getattr(Provider(patch), fails)()
        (message,) = messages_of(send(owner, order, "refund", shipping="on"))
    assert message.startswith(told)
    assert Refund.objects.get().state == state


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "field", "message"),
    [
        ("parcel", {"first": "3"}, "first", "Of Ladle No 1 there are 2 left."),
        ("parcel", {"second": "-1"}, "second", "A quantity is a whole number from 1 to 9999."),
        ("parcel", {"first": "10000"}, "first", "A quantity is a whole number from 1 to 9999."),
        ("parcel", {"first": "two"}, "first", "Enter a whole number."),
        ("parcel", {"first": "", "second": "0"}, None, "Name at least one line."),
        (
            "parcel",
            {"tracking_url": "javascript:alert(1)"},
            "tracking_url",
            "This is no http or https address.",
        ),
        ("parcel", {"carrier": "x" * 101}, "carrier", "This has at most 100 characters."),
        ("refund", {}, None, "Say what goes back: lines, the shipping or an amount."),
        ("refund", {"second": "4"}, "second", "Of Ladle No 2 there are 3 left."),
        (
            "refund",
            {"first": "1", "amount": "1"},
            "amount",
            "Either lines and shipping, or an amount.",
        ),
        ("refund", {"amount": "0"}, "amount", "An amount to pay back is above zero."),
        ("refund", {"amount": "a lot"}, "amount", "Enter an amount such as 12.50."),
        ("refund", {"amount": "99"}, "amount", "At most 32.50 USD can be paid back."),
        (
            "refund",
            {"amount": "1", "restock": "on"},
            "restock",
            "Only lines are put back into stock.",
        ),
        ("refund", {"amount": "1", "reason": "x" * 501}, "reason", "This has at most 500"),
        ("return", {"first": "1"}, "first", "Of Ladle No 1 there are 0 left."),
    ],
)
def test_what_an_action_refuses_is_shown_with_all_that_was_typed(
    name: str,
    given: dict[str, Any],
    field: str | None,
    message: str,
    owner: Client,
    order: Order,
    dump: Any,
) -> None:
    typed = {"carrier" if name == "parcel" else "reason": "Her son called"} | given
    data = filled_in(owner, order, name, **typed)
    if name == "return":
        # Nothing was shipped, so the form has no lines: they were there when it was opened.
        data[f"quantity_{lines_of(order)[0].pk}"] = "1"
    before = dump()
    response = owner.post(url_of(order, name), data)
    ((where, (told,)),) = errors_of(response).items()
    places = dict(zip(("first", "second"), lines_of(order), strict=True))
    assert where == (f"quantity_{places[field].pk}" if field in places else field or "__all__")
    assert told.startswith(message)
    assert dump() == before
    page = response.content.decode()
    assert told in page
    for text in typed.values():
        assert text == "on" or f'value="{text}"' in page or not text
    # The key has not been used, and stands for this form yet.
    assert f'value="{data["key"]}"' in page


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("parcel", {}, "Only confirmed orders that are paid, or whose payment is promised"),
        ("refund", {"amount": "1"}, "What waits for its payment has nothing to pay back."),
        ("return", {"quantity": "1"}, "Only what was shipped comes back."),
    ],
)
def test_what_an_order_does_not_allow_is_shown_above_the_form(
    name: str, given: dict[str, Any], message: str, owner: Client, people: Any, dump: Any
) -> None:
    order = place(people.shopper, state=PaymentState.CREATED)
    form = owner.get(url_of(order, name)).context["form"]
    (line,) = lines_of(order)
    data = {"key": form["key"].value(), f"quantity_{line.pk}": "1"}
    if name == "refund":
        data = {"key": form["key"].value(), **given}
    before = dump()
    response = owner.post(url_of(order, name), data)
    assert errors_of(response)["__all__"][0].startswith(message)
    assert response.content.decode().count(message) == 1
    assert dump() == before


def test_what_somebody_else_has_shipped_meanwhile_is_refused(
    owner: Client, people: Any, order: Order, dump: Any
) -> None:
    data = filled_in(owner, order, "parcel", tracking_number="1Z")
    _, second = lines_of(order)
    aftersales.fulfil(order, {second.pk: 3}, by=people.owner)
    before = dump()
    response = owner.post(url_of(order, "parcel"), data)
    assert errors_of(response) == {f"quantity_{second.pk}": ["Of Ladle No 2 there are 0 left."]}
    assert 'value="1Z"' in response.content.decode()
    assert dump() == before
    done = owner.post(url_of(order, "parcel"), data | {f"quantity_{second.pk}": ""}, follow=True)
    assert messages_of(done) == ["The parcel is shipped."]
    assert counted(order) == [(2, 0, 0, 0), (3, 0, 0, 0)]


# --- Twice ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("parcel", {"first": "1", "second": ""}),
        ("refund", {"first": "1"}),
        ("refund", {"amount": "1"}),
        ("return", {"first": "1"}),
    ],
)
def test_a_form_that_is_sent_twice_is_done_once(
    name: str, given: dict[str, Any], owner: Client, people: Any, order: Order, dump: Any
) -> None:
    aftersales.fulfil(order, {lines_of(order)[0].pk: 1}, by=people.owner)
    # Of what was shipped only one line can come back.
    form = owner.get(url_of(order, name)).context["form"]
    data = {"key": form["key"].value()}
    data |= {
        f"quantity_{lines_of(order)[0].pk}" if field == "first" else field: value
        for field, value in given.items()
        if value
    }
    first = owner.post(url_of(order, name), data, follow=True)
    before = dump()
    again = owner.post(url_of(order, name), data, follow=True)
    assert messages_of(again) == messages_of(first)
    assert messages_of(again)
    assert dump() == before
    made = (Fulfillment.objects.count(), Refund.objects.count(), Return.objects.count())
    assert made == {"parcel": (2, 0, 0), "refund": (1, 1, 0), "return": (1, 0, 1)}[name]


def test_a_form_that_was_sent_does_nothing_else_before_staff_have_seen_so(
    owner: Client, order: Order, dump: Any
) -> None:
    data = filled_in(owner, order, "refund", amount="1")
    owner.post(url_of(order, "refund"), data, follow=True)
    before = dump()
    response = owner.post(url_of(order, "refund"), data | {"amount": "2"})
    (told,) = errors_of(response)["__all__"]
    assert told.startswith("This form was sent before, with something else in it")
    assert dump() == before
    form = response.context["form"]
    assert (form["amount"].value(), form["key"].value() != data["key"]) == ("2", True)
    values = {bound.html_name: bound.value() for bound in form if bound.value()}
    done = owner.post(url_of(order, "refund"), values, follow=True)
    assert messages_of(done) == ["2.00 USD went back."]
    assert sum(DemoCharge.objects.get().refunds.values()) == 300


def test_a_form_without_its_key_does_nothing(owner: Client, order: Order, dump: Any) -> None:
    before = dump()
    response = owner.post(url_of(order, "refund"), {"amount": "1"})
    assert errors_of(response) == {"key": ["This field is required."]}
    assert "This field is required." in response.content.decode()
    assert dump() == before


# --- Who ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_form_takes_the_permission_of_its_mutation(
    name: str, client: Client, people: Any, order: Order
) -> None:
    aftersales.fulfil(order, {lines_of(order)[0].pk: 1}, by=people.owner)
    client.force_login(of_staff("view_order", PERMISSIONS[name]))
    page = client.get(change_url(order)).content.decode()
    assert [one for one in NAMES if f'"{url_of(order, one)}"' in page] == [name]
    (line, _) = lines_of(order)
    key = client.get(url_of(order, name)).context["form"]["key"].value()
    done = client.post(url_of(order, name), {"key": key, f"quantity_{line.pk}": "1"}, follow=True)
    assert len(messages_of(done)) == 1
    made = (Fulfillment.objects.count(), Refund.objects.count(), Return.objects.count())
    assert made == {"parcel": (2, 0, 0), "refund": (1, 1, 0), "return": (1, 0, 1)}[name]


@pytest.mark.parametrize("name", NAMES)
def test_who_lacks_a_permission_sees_and_does_nothing(
    name: str, client: Client, people: Any, order: Order, owner: Client, dump: Any
) -> None:
    aftersales.fulfil(order, {lines_of(order)[0].pk: 1}, by=people.owner)
    data = filled_in(owner, order, "refund", amount="1")
    others = [codename for one, codename in PERMISSIONS.items() if one != name]
    # Orders are shown to who may change them as well; whoever refunds or takes back need not.
    for codenames in (["view_order", *others], [PERMISSIONS[name]] if name != "parcel" else []):
        User.objects.filter(email="packer@example.org").delete()
        client.force_login(of_staff(*codenames))
        before = dump()
        assert client.get(url_of(order, name)).status_code == 403
        assert client.post(url_of(order, name), data).status_code == 403
        refused = [entry for entry in entries() if entry[2] == "refused"]
        assert refused == [(f"admin:shop_order_{name}", "admin", "refused")]
        AuditEntry.objects.filter(outcome="refused").delete()
        assert dump() == before
    for user in (people.shopper, None):
        client.logout()
        if user:
            client.force_login(user)
        before = dump()
        for response in (client.get(url_of(order, name)), client.post(url_of(order, name), data)):
            assert response.status_code == 302
            assert "/login/" in response["Location"]
        assert dump() == before


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (PaymentState.CREATED, []),
        (PaymentState.AUTHORIZED, ["parcel"]),
        (PaymentState.CAPTURED, ["parcel", "refund"]),
        (PaymentState.FAILED, []),
    ],
)
def test_forms_are_offered_where_they_do_something(
    state: PaymentState, shown: list[str], owner: Client, people: Any
) -> None:
    order = place(people.shopper, state=state)
    page = owner.get(change_url(order)).content.decode()
    assert [name for name in NAMES if f'"{url_of(order, name)}"' in page] == shown


def test_goods_come_back_once_something_was_shipped(
    owner: Client, people: Any, order: Order
) -> None:
    aftersales.fulfil(order, by=people.owner)
    page = owner.get(change_url(order)).content.decode()
    assert [name for name in NAMES if f'"{url_of(order, name)}"' in page] == ["refund", "return"]
    aftersales.return_(order, by=people.owner)
    assert f'"{url_of(order, "return")}"' not in owner.get(change_url(order)).content.decode()


def test_there_is_no_form_of_an_order_that_is_gone(owner: Client, order: Order) -> None:
    gone = Order(pk=987_654)
    for name in NAMES:
        assert owner.get(url_of(gone, name)).status_code == 404
        assert owner.post(url_of(gone, name), {"key": "x"}).status_code == 404


# --- What they show -------------------------------------------------------------------------------


def test_a_form_tells_what_is_left(owner: Client, people: Any, order: Order) -> None:
    first, second = lines_of(order)
    aftersales.fulfil(order, {first.pk: 2}, by=people.owner)
    aftersales.refund(order, Wanted(lines={second.pk: 1}, shipping=True), by=people.owner)
    shown = {name: owner.get(url_of(order, name)) for name in NAMES}
    left = {
        name: [
            (row[0], row[headers.index("Left")])
            for row, headers in ((row, table["headers"]) for row in table["rows"])
        ]
        for name, table in ((name, page.context["form"].table) for name, page in shown.items())
    }
    assert left == {
        "parcel": [("Ladle No 2", 2)],
        "refund": [("Ladle No 1", 2), ("Ladle No 2", 2)],
        "return": [("Ladle No 1", 2)],
    }
    assert "SPRINGFIELD, IL 62704" in shown["parcel"].content.decode()
    refund = shown["refund"].content.decode()
    assert "32.50 USD were paid, of which 25.00 USD can still go back." in refund
    assert "What is left of it: 0.00 USD." in refund


@pytest.mark.parametrize("name", NAMES)
def test_a_form_takes_constant_sql(name: str, owner: Client, people: Any) -> None:
    counts = []
    for lines in (2, 4):
        order = place(people.shopper, {variant(): 2 for _ in range(lines)})
        aftersales.fulfil(order, {line.pk: 1 for line in lines_of(order)}, by=people.owner)
        statements(owner, url_of(order, name))
        counts.append(len(statements(owner, url_of(order, name))))
    assert counts[0] == counts[1]
