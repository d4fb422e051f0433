"""Who reads which orders, and what they hold."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction

from schema.engine import execution
from shop.actions import orders
from shop.models import (
    Fulfillment,
    FulfillmentLine,
    Order,
    OrderEventKind,
    PaymentState,
    Return,
    ReturnLine,
    User,
)
from shop.throttling import TOKEN
from tests.shop.orders import ADDRESS, place, variant

ORDER = "query($id: ID!) { order(id: $id) { number } }"
BY_TOKEN = """query($number: String!, $token: String!) {
  orderByToken(number: $number, token: $token) { number } }"""
LIST = """query($filter: OrderFilter, $order: OrderOrder) {
  orders(filter: $filter, orderBy: $order) { totalCount edges { node { number } } } }"""


def numbers(answer: dict[str, Any]) -> list[str]:
    return [edge["node"]["number"] for edge in answer["data"]["orders"]["edges"]]


def clerk(*codenames: str) -> User:
    user = User.objects.create_user("clerk@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


@pytest.fixture
def shipped(customer: User) -> SimpleNamespace:
    """An order with a row of everything that can belong to one."""
    order = place(customer, {variant(1000): 2, variant(250): 3}, discount=1000, tax=2000)
    first, second = order.lines.order_by("position")
    parcel = Fulfillment.objects.create(order=order, carrier="Post", tracking_number="1Z")
    back = Return.objects.create(order=order, reason="Too small")
    with transaction.atomic():
        note = orders.record(order, OrderEventKind.NOTE, text="Be kind to her.")
    return SimpleNamespace(
        order=order,
        first=first,
        second=second,
        parcel=parcel,
        packed=FulfillmentLine.objects.create(fulfillment=parcel, line=first, quantity=2),
        back=back,
        unpacked=ReturnLine.objects.create(parcel=back, line=first, quantity=1, restocked=False),
        note=note,
    )


def test_an_order_tells_its_figures(shipped: SimpleNamespace, customer: User, api: Any) -> None:
    document = """{ viewer { orders { totalCount edges { node {
      number status fulfillmentStatus paymentStatus canCancel email customer { email } taxIncluded
      subtotal { amount currency } discount { amount } shipping { amount } tax { amount }
      total { amount } discounts { name code amount { amount currency } }
      shippingAddress { city country phone formatted } billingAddress { city }
      shippingName note confirmedAt endedAt paymentDueAt
      lines { edges { node { sku name variantName quantity unitPrice { amount } total { amount }
        discount { amount } tax { amount } taxRate fulfilled cancelled returned refunded
        variant { sku } } } }
    } } } } }"""
    answer = api(document, customer)
    found = answer["data"]["viewer"]["orders"]
    assert found["totalCount"] == 1
    (node,) = (edge["node"] for edge in found["edges"])
    assert node["confirmedAt"] is not None
    lines = [edge["node"] for edge in node.pop("lines")["edges"]]
    assert {name: node[name] for name in node if name != "confirmedAt"} == {
        "number": shipped.order.number,
        "status": "CONFIRMED",
        "fulfillmentStatus": "UNFULFILLED",
        "paymentStatus": "PAID",
        "canCancel": True,
        "email": "ann@example.org",
        "customer": {"email": "ann@example.org"},
        "taxIncluded": False,
        "subtotal": {"amount": "27.50", "currency": "USD"},
        "discount": {"amount": "2.75"},
        "shipping": {"amount": "5.00"},
        "tax": {"amount": "5.95"},
        "total": {"amount": "35.70"},
        "discounts": [
            {"name": "Spring", "code": "", "amount": {"amount": "2.75", "currency": "USD"}}
        ],
        "shippingAddress": {
            "city": "Springfield",
            "country": "US",
            "phone": "+12175550100",
            "formatted": [
                "Ann Baker", "1 Main St", "SPRINGFIELD, IL 62704", "UNITED STATES"
            ],
        },
        "billingAddress": {"city": "Springfield"},
        "shippingName": "Standard",
        "note": "",
        "endedAt": None,
        "paymentDueAt": None,
    }  # fmt: skip
    assert [(line["sku"], line["quantity"], line["total"]["amount"]) for line in lines] == [
        (shipped.first.sku, 2, "21.60"),
        (shipped.second.sku, 3, "8.10"),
    ]
    assert lines[0]["variant"] == {"sku": shipped.first.sku}
    assert lines[0]["unitPrice"] == {"amount": "10.00"}
    assert (lines[0]["taxRate"], lines[0]["tax"]) == (2000, {"amount": "3.60"})


def test_an_order_is_found_by_its_number_by_who_may_see_it(customer: User, api: Any) -> None:
    order = place(customer)
    other = User.objects.create_user("ben@example.org")
    document = "query($number: String) { order(number: $number) { number } }"
    pasted = f"\ufeff{order.number}\u200b\u202c".replace("-", "\u2011")
    for typed in (order.number, f" {order.number.lower()} ", pasted):
        answer = api(document, customer, number=typed)
        assert answer == {"data": {"order": {"number": order.number}}}
    assert api(document, clerk("view_order"), number=order.number)["data"]["order"] is not None
    for nobody in (other, None):
        assert api(document, nobody, number=order.number) == {"data": {"order": None}}
    for unknown in ("00000-00000", "\x00", "é", ""):
        assert api(document, customer, number=unknown) == {"data": {"order": None}}


@pytest.mark.parametrize("given", ["", "(id: null)", '(id: "T3JkZXI6MQ==", number: "4K7M9-QX2PD")'])
def test_an_order_is_asked_for_by_one_of_id_and_number(
    given: str, customer: User, api: Any
) -> None:
    (error,) = api(f"{{ order{given} {{ number }} }}", customer)["errors"]
    assert error["message"] == "Give either `id` or `number`."
    assert error["extensions"]["code"] == "BAD_REQUEST"


def test_the_bill_goes_to_another_address_where_one_was_given(customer: User, api: Any) -> None:
    order = place(customer, billing_address={**ADDRESS, "city": "Peoria"})
    document = "query($n: OrderFilter) { viewer { orders(filter: $n) { edges { node { "
    document += "shippingAddress { city } billingAddress { city } } } } } }"
    answer = api(document, customer, n={"search": f"\u202a{order.number}\u202c"})
    (edge,) = answer["data"]["viewer"]["orders"]["edges"]
    assert edge["node"] == {
        "shippingAddress": {"city": "Springfield"},
        "billingAddress": {"city": "Peoria"},
    }


@pytest.mark.parametrize("stored", [{}, {"country": "", "name": "", "city": ""}])
def test_an_order_without_a_stored_address_has_none(
    stored: dict[str, str], customer: User, api: Any, gid: Any
) -> None:
    order = place(customer)
    Order.objects.filter(pk=order.pk).update(shipping_address=stored)
    document = """query($id: ID!) { order(id: $id) {
      shippingAddress { name line1 formatted } billingAddress { city country } } }"""
    assert api(document, customer, id=gid(order))["data"]["order"] == {
        "shippingAddress": None,
        "billingAddress": None,
    }


def test_a_line_outlives_what_it_sold(customer: User, api: Any, gid: Any) -> None:
    order = place(customer)
    row = order.lines.get().variant
    type(row).objects.filter(pk=row.pk).update(sku="OTHER", price=1)
    document = """query($id: ID!) { order(id: $id) { lines { edges { node {
      sku unitPrice { amount } variant { sku } } } } } }"""
    line = order.lines.get()
    row.product.status = "draft"
    row.product.save()
    answer = api(document, customer, id=gid(order))
    assert answer["data"]["order"]["lines"]["edges"] == [
        {"node": {"sku": line.sku, "unitPrice": {"amount": "10.00"}, "variant": None}}
    ]


@pytest.mark.parametrize("who", ["owner", "other", "anonymous", "clerk", "staff"])
def test_an_order_is_seen_by_its_owner_and_by_staff_who_may(
    who: str, customer: User, staff: User, api: Any, gid: Any
) -> None:
    order = place(customer)
    people = {
        "owner": customer,
        "other": User.objects.create_user("zoe@example.org"),
        "anonymous": None,
        "clerk": clerk(),
        "staff": staff,
    }
    found = api(ORDER, people[who], id=gid(order))["data"]["order"]
    assert found == ({"number": order.number} if who in ("owner", "staff") else None)


def test_the_list_of_all_orders_is_for_staff_who_may(customer: User, staff: User, api: Any) -> None:
    order = place(customer)
    for user, code in ((None, "UNAUTHENTICATED"), (customer, "FORBIDDEN"), (clerk(), "FORBIDDEN")):
        answer = api("{ orders { totalCount } }", user)
        assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert numbers(api(LIST, staff)) == [order.number]


def test_staff_who_may_not_see_orders_find_none_with_a_customer(
    customer: User, api: Any, gid: Any
) -> None:
    place(customer)
    document = "query($id: ID!) { user(id: $id) { email orders { totalCount } } }"
    answer = api(document, clerk("view_user"), id=gid(customer))
    assert answer["data"]["user"] == {"email": "ann@example.org", "orders": {"totalCount": 0}}


# --- The timeline -------------------------------------------------------------------------------

EVENTS = """query($id: ID!) { order(id: $id) { events { totalCount edges { node {
  id kind text money { amount currency } actor { email } } } } } }"""


def test_notes_of_staff_are_for_staff(
    shipped: SimpleNamespace, customer: User, staff: User, api: Any, gid: Any
) -> None:
    told = api(EVENTS, staff, id=gid(shipped.order))["data"]["order"]["events"]
    kinds = [edge["node"]["kind"] for edge in told["edges"]]
    assert kinds == ["PLACED", "PAYMENT_CAPTURED", "CONFIRMED", "NOTE"]
    assert told["edges"][3]["node"]["text"] == "Be kind to her."
    told = api(EVENTS, customer, id=gid(shipped.order))["data"]["order"]["events"]
    assert told["totalCount"] == 3
    placed = told["edges"][0]["node"]
    assert placed["money"] == {"amount": "35.70", "currency": "USD"}
    assert placed["actor"] == {"email": "ann@example.org"}
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert api(node, customer, id=gid(shipped.note))["data"]["node"] is None
    assert api(node, staff, id=gid(shipped.note))["data"]["node"] == {"id": gid(shipped.note)}


def test_customers_do_not_learn_who_of_the_staff_it_was(
    customer: User, staff: User, api: Any, gid: Any
) -> None:
    order = place(customer)
    with transaction.atomic():
        orders.record(order, OrderEventKind.FULFILLED, actor=staff, quantity=1)
    document = """query($id: ID!) { order(id: $id) { events(last: 1) { edges { node {
      kind units actor { email } } } } } }"""
    for user, actor in ((customer, None), (staff, {"email": "staff@example.org"})):
        (edge,) = api(document, user, id=gid(order))["data"]["order"]["events"]["edges"]
        assert edge["node"] == {"kind": "FULFILLED", "units": 1, "actor": actor}


# --- Guests -------------------------------------------------------------------------------------


@pytest.fixture
def guest(db: None) -> SimpleNamespace:
    order = place()
    return SimpleNamespace(order=order, number=order.number, token=orders.token_of(order))


@pytest.mark.parametrize("written", [str.upper, str.lower, " {} ".format])
def test_number_and_secret_open_an_order(written: Any, guest: SimpleNamespace, api: Any) -> None:
    answer = api(BY_TOKEN, number=written(guest.number), token=guest.token)
    assert answer == {"data": {"orderByToken": {"number": guest.number}}}


def test_a_wrong_secret_is_answered_as_a_missing_order(guest: SimpleNamespace, api: Any) -> None:
    other = place()
    for number, token in (
        (guest.number, "0" * 64),
        (guest.number, ""),
        (guest.number, orders.token_of(other)),
        (other.number, guest.token),
        ("NOPE", guest.token),
        ("", ""),
        (guest.number, guest.token + "\x00"),
        (guest.number + "\x00", guest.token),
        ("é" * 5000, guest.token),
    ):
        assert api(BY_TOKEN, number=number, token=token) == {"data": {"orderByToken": None}}


def test_all_that_belongs_to_an_opened_order_is_open_and_nothing_else(
    shipped: SimpleNamespace, guest: SimpleNamespace, api: Any, gid: Any
) -> None:
    """Also by the ids of other things, and only within the request that showed the secret."""
    everything = [
        getattr(shipped, name)
        for name in ("order", "first", "second", "parcel", "packed", "back", "unpacked")
    ]
    ids = [gid(row) for row in everything]
    hidden = [gid(shipped.note), gid(guest.order), gid(guest.order.lines.get())]
    number = shipped.order.number
    document = """query($number: String!, $token: String!, $ids: [ID!]!) {
      orderByToken(number: $number, token: $token) { number
        lines { totalCount } fulfillments { edges { node { lines { edges { node {
          quantity line { name } } } } } } } returns { totalCount } events { totalCount } }
      nodes(ids: $ids) { id } }"""
    token = orders.token_of(shipped.order)
    answer = api(document, number=number, token=token, ids=ids + hidden)
    assert "errors" not in answer
    order = answer["data"]["orderByToken"]
    assert (order["number"], order["lines"], order["returns"], order["events"]) == (
        number,
        {"totalCount": 2},
        {"totalCount": 1},
        {"totalCount": 3},
    )
    (parcel,) = order["fulfillments"]["edges"]
    (packed,) = parcel["node"]["lines"]["edges"]
    assert packed["node"] == {"quantity": 2, "line": {"name": shipped.first.name}}
    assert answer["data"]["nodes"] == [{"id": one} for one in ids] + [None] * 3
    for token in ("wrong", ""):
        answer = api(document, number=number, token=token, ids=ids)
        assert answer["data"] == {"orderByToken": None, "nodes": [None] * 7}


def test_a_secret_opens_for_one_request_whoever_used_the_plan_before(
    guest: SimpleNamespace, staff: User, customer: User, api: Any, gid: Any
) -> None:
    document = """query($number: String!, $token: String!, $id: ID!) {
      orderByToken(number: $number, token: $token) { lines { totalCount } }
      node(id: $id) { ... on Order { number lines { totalCount } } } }"""
    seen = {"number": guest.number, "lines": {"totalCount": 1}}
    for user, token, found in (
        (None, guest.token, seen),
        (None, "no", None),
        (staff, "no", seen),
        (customer, "no", None),
        (customer, guest.token, seen),
        (None, "no", None),
    ):
        answer = api(document, user, number=guest.number, token=token, id=gid(guest.order))
        assert answer["data"]["node"] == found


def test_what_a_signed_in_customer_opens_comes_beside_their_own(
    guest: SimpleNamespace, customer: User, api: Any
) -> None:
    own = place(customer)
    document = """query($number: String!, $token: String!) {
      orderByToken(number: $number, token: $token) { number }
      viewer { orders { edges { node { number lines { totalCount } } } } } }"""
    answer = api(document, customer, number=guest.number, token=guest.token)
    assert answer["data"]["orderByToken"] == {"number": guest.number}
    assert answer["data"]["viewer"]["orders"]["edges"] == [
        {"node": {"number": own.number, "lines": {"totalCount": 1}}}
    ]


def test_secrets_are_not_guessed_without_end(guest: SimpleNamespace, api: Any) -> None:
    for number in range(TOKEN.address.tries):
        assert api(BY_TOKEN, number=guest.number, token=str(number))["data"]["orderByToken"] is None
    answer = api(BY_TOKEN, number=guest.number, token=guest.token)
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 0 < error["extensions"]["retryAfter"] <= TOKEN.address.seconds
    assert answer["data"] == {"orderByToken": None}


def test_each_guess_counts_once_also_within_one_document(guest: SimpleNamespace, api: Any) -> None:
    guesses = " ".join(
        f'g{number}: orderByToken(number: "{guest.number}", token: "{number}") {{ number }}'
        for number in range(TOKEN.address.tries // 2)
    )
    for _ in range(2):
        assert set(api(f"{{ {guesses} }}")["data"].values()) == {None}
    answer = api(BY_TOKEN, number=guest.number, token=guest.token)
    assert answer["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


# --- Lists --------------------------------------------------------------------------------------


@pytest.fixture
def several(customer: User) -> SimpleNamespace:
    """Four orders, from the cheapest to the dearest, the last one not paid yet."""
    units = variant(1000)
    rows = [
        place(customer, {units: 1}),
        place(None, {units: 2}, email="Guest+1@example.org"),
        place(None, {units: 3}, state=PaymentState.AUTHORIZED, provider="manual"),
        place(customer, {units: 4}, state=PaymentState.CREATED),
    ]
    Order.objects.filter(pk=rows[1].pk).update(fulfillment_status="full", status="completed")
    return SimpleNamespace(rows=rows, numbers=[row.number for row in rows])


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ({}, [3, 2, 1, 0]),
        ({"status": {"in": ["CONFIRMED"]}}, [2, 0]),
        ({"status": {"in": ["CONFIRMED", "PENDING"]}}, [3, 2, 0]),
        ({"status": {"in": []}}, []),
        ({"paymentStatus": {"in": ["AUTHORIZED"]}}, [2]),
        ({"paymentStatus": {"in": ["PAID", "PENDING"]}}, [3, 1, 0]),
        ({"fulfillmentStatus": {"in": ["FULL"]}}, [1]),
        ({"fulfillmentStatus": {"in": ["UNFULFILLED"]}, "status": {"in": ["PENDING"]}}, [3]),
        ({"total": {"min": "25"}}, [3, 2, 1]),
        ({"total": {"min": "25", "max": "35.00"}}, [2, 1]),
        ({"total": {"max": "0"}}, []),
        ({"created": {"min": "2100-01-01T00:00:00Z"}}, []),
        ({"created": {"max": "2100-01-01T00:00:00Z"}}, [3, 2, 1, 0]),
        ({"search": "GUEST+1@example.org"}, [1]),
        ({"search": "guest"}, [2, 1]),
        ({"search": "ann@"}, [3, 0]),
        ({"search": "100%"}, []),
        ({"search": ""}, [3, 2, 1, 0]),
        ({"search": "@"}, []),
    ],
)
def test_staff_find_orders(
    filter_: dict[str, Any], found: list[int], several: SimpleNamespace, staff: User, api: Any
) -> None:
    answer = api(LIST, staff, filter=filter_)
    assert "errors" not in answer
    assert numbers(answer) == [several.numbers[index] for index in found]
    assert answer["data"]["orders"]["totalCount"] == len(found)


def test_a_number_is_found_by_how_it_begins(
    several: SimpleNamespace, staff: User, api: Any
) -> None:
    for number in several.numbers:
        assert numbers(api(LIST, staff, filter={"search": f" {number.lower()} "})) == [number]
        assert number in numbers(api(LIST, staff, filter={"search": number[:3]}))


@pytest.mark.parametrize(
    "filter_", [{"total": {"min": "1.005"}}, {"total": {"max": "99999999999999999999"}}]
)
def test_an_amount_that_is_none_of_the_currency_is_refused(
    filter_: dict[str, Any], staff: User, api: Any
) -> None:
    (error,) = api(LIST, staff, filter=filter_)["errors"]
    assert (error["extensions"]["code"], error["extensions"]["argument"]) == (
        "BAD_REQUEST",
        "filter.total",
    )


@pytest.mark.parametrize(
    ("field", "direction", "order"),
    [
        ("CREATED", "ASC", [0, 1, 2, 3]),
        ("CREATED", "DESC", [3, 2, 1, 0]),
        ("TOTAL", "ASC", [0, 1, 2, 3]),
        ("TOTAL", "DESC", [3, 2, 1, 0]),
    ],
)
def test_orders_are_sorted(
    field: str, direction: str, order: list[int], several: SimpleNamespace, staff: User, api: Any
) -> None:
    answer = api(LIST, staff, order={"field": field, "direction": direction})
    assert numbers(answer) == [several.numbers[index] for index in order]


def test_a_list_of_staff_is_compiled_as_a_whole(several: Any, staff: User, api: Any) -> None:
    """Objects within objects are no reason to run generically."""
    execution.counts.clear()
    document = """{ orders { edges { node { discounts { amount { amount currency } }
      shippingAddress { formatted } events { edges { node { money { amount } } } } } } } }"""
    assert "errors" not in api(document, staff)
    assert dict(execution.counts) == {("compiled", ""): 1}
