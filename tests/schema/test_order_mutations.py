"""What staff do with orders after the sale, and what customers may do with their own."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from graphql_jwt.shortcuts import get_token

from shop.actions import aftersales
from shop.actions.orders import token_of
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
from tests.shop.orders import lines_of, place, variant

STATUS = "order { number status fulfillmentStatus paymentStatus canCancel }"
CANCEL_OPENED = """mutation($input: OrderCancelByTokenInput!) { orderCancelByToken(input: $input) {
  order { status paymentStatus } userErrors { code field } } }"""
CANCEL = """mutation($input: OrderCancelInput!) { orderCancel(input: $input) {
  order { status paymentStatus } userErrors { code field } } }"""


@pytest.fixture
def sold(customer: User, gid: Any) -> SimpleNamespace:
    """A paid order of two units at 10.00 and three at 2.50 dollars, with the ids of its lines."""
    order = place(customer, {variant(1000): 2, variant(250): 3})
    first, second = (gid(line) for line in lines_of(order))
    return SimpleNamespace(order=order, id=gid(order), first=first, second=second)


@pytest.fixture
def clerk(db: None) -> Callable[..., User]:
    """`clerk("add_refund")`: a member of staff with just these permissions."""

    def make(*codenames: str) -> User:
        user = User.objects.create_user("clerk@example.org", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return user

    return make


# --- Shipping -----------------------------------------------------------------------------------


def test_staff_ship_a_part_and_then_the_rest(sold: SimpleNamespace, mutate: Any) -> None:
    selection = """order { status fulfillmentStatus lines { edges { node { fulfilled } } } }
      fulfillment { carrier trackingNumber trackingUrl lines { edges { node {
        quantity line { id } } } } }"""
    payload = mutate(
        "orderFulfil",
        selection,
        id=sold.id,
        lines=[{"line": sold.second, "quantity": 2}],
        carrier="Post",
        trackingNumber="1Z",
        trackingUrl="https://post.example/1Z",
    )
    assert payload == {
        "order": {
            "status": "CONFIRMED",
            "fulfillmentStatus": "PARTIAL",
            "lines": {"edges": [{"node": {"fulfilled": 0}}, {"node": {"fulfilled": 2}}]},
        },
        "fulfillment": {
            "carrier": "Post",
            "trackingNumber": "1Z",
            "trackingUrl": "https://post.example/1Z",
            "lines": {"edges": [{"node": {"quantity": 2, "line": {"id": sold.second}}}]},
        },
        "userErrors": [],
    }
    payload = mutate("orderFulfil", STATUS, id=sold.id)
    assert payload["order"] == {
        "number": sold.order.number,
        "status": "COMPLETED",
        "fulfillmentStatus": "FULL",
        "paymentStatus": "PAID",
        "canCancel": False,
    }


def test_refunded_units_are_shipped_only_when_staff_say_so(
    sold: SimpleNamespace, mutate: Any, refuse: Any
) -> None:
    mutate("orderRefund", STATUS, id=sold.id, lines=[{"line": sold.first}])
    lines = [{"line": sold.first, "quantity": 1}]
    assert refuse("orderFulfil", id=sold.id, lines=lines) == (
        "EXCEEDS_ORDER",
        ["lines", "0", "quantity"],
    )
    mutate("orderRefund", STATUS, id=sold.id, lines=[{"line": sold.second}])
    payload = mutate("orderRefund", STATUS, id=sold.id, shipping=True)
    order = {"number": sold.order.number, "status": "CONFIRMED", "canCancel": True}
    money = {"paymentStatus": "REFUNDED"}
    assert payload["order"] == order | money | {"fulfillmentStatus": "CANCELLED"}
    assert refuse("orderFulfil", id=sold.id) == ("ILLEGAL_MOVE", [])
    payload = mutate("orderFulfil", STATUS, id=sold.id, lines=lines, includeRefunded=True)
    assert payload["order"] == order | money | {"fulfillmentStatus": "FULL", "canCancel": False}


@pytest.mark.parametrize(
    ("lines", "code", "field"),
    [
        ([], "REQUIRED", ["lines"]),
        (["first", "first"], "INVALID", ["lines", "1", "line"]),
        (["second", ("first", 3)], "EXCEEDS_ORDER", ["lines", "1", "quantity"]),
        ([("first", 0)], "INVALID_QUANTITY", ["lines", "0", "quantity"]),
        ([("first", -1)], "INVALID_QUANTITY", ["lines", "0", "quantity"]),
        ([("first", 2**31 - 1)], "INVALID_QUANTITY", ["lines", "0", "quantity"]),
        (["other"], "NOT_FOUND", ["lines", "0", "line"]),
    ],
)
@pytest.mark.parametrize("mutation", ["orderFulfil", "orderRefund", "orderReturn"])
def test_lines_that_cannot_be_meant_are_refused(
    mutation: str,
    lines: list[Any],
    code: str,
    field: list[str],
    sold: SimpleNamespace,
    staff: User,
    refuse: Any,
    gid: Any,
) -> None:
    if mutation == "orderReturn":
        aftersales.fulfil(sold.order, by=staff)
    ids = {"first": sold.first, "second": sold.second, "other": gid(lines_of(place())[0])}
    given = [(item, None) if isinstance(item, str) else item for item in lines]
    named = [{"line": ids[name], "quantity": quantity} for name, quantity in given]
    if mutation == "orderRefund" and not lines:
        # There it may go without lines, if the shipping is named.
        code, field = "REQUIRED", []
    assert refuse(mutation, id=sold.id, lines=named) == (code, field)


def test_garbage_instead_of_a_line_is_the_clients_fault(
    sold: SimpleNamespace, mutation_error: Any
) -> None:
    for garbage in ("garbage", sold.id, "T3JkZXJMaW5lOi0x"):
        assert mutation_error("orderFulfil", id=sold.id, lines=[{"line": garbage}]) == "BAD_REQUEST"


def test_tracking_that_is_none_is_refused_at_its_field(sold: SimpleNamespace, refuse: Any) -> None:
    assert refuse("orderFulfil", id=sold.id, trackingUrl="javascript:alert(1)") == (
        "INVALID",
        ["trackingUrl"],
    )
    assert refuse("orderFulfil", id=sold.id, carrier="a\x00b") == ("INVALID", ["carrier"])


# --- Calling off --------------------------------------------------------------------------------


def test_customers_call_off_what_is_their_own(
    sold: SimpleNamespace, customer: User, api: Any
) -> None:
    answer = api(CANCEL, customer, input={"id": sold.id, "reason": "Found it cheaper."})
    assert answer["data"]["orderCancel"] == {
        "order": {"status": "CANCELLED", "paymentStatus": "REFUNDED"},
        "userErrors": [],
    }
    assert sum(DemoCharge.objects.get().refunds.values()) == sold.order.total
    assert set(Stock.objects.values_list("reserved", flat=True)) == {0}
    event = sold.order.events.get(kind="cancelled")
    assert (event.actor, event.text) == (customer, "Found it cheaper.")
    # What customers do is no matter of the audit.
    assert not AuditEntry.objects.exists()
    answer = api(CANCEL, customer, input={"id": sold.id})
    assert answer["data"]["orderCancel"]["userErrors"] == [{"code": "ILLEGAL_MOVE", "field": []}]


def test_customers_do_not_call_off_what_is_on_its_way(
    sold: SimpleNamespace, customer: User, staff: User, api: Any, dump: Any
) -> None:
    aftersales.fulfil(sold.order, {lines_of(sold.order)[0].pk: 1}, by=staff)
    before = dump()
    answer = api(CANCEL, customer, input={"id": sold.id})
    assert answer["data"]["orderCancel"] == {
        "order": None,
        "userErrors": [{"code": "ILLEGAL_MOVE", "field": []}],
    }
    assert dump() == before


def test_nobody_calls_off_the_orders_of_others(
    sold: SimpleNamespace, clerk: Any, api: Any, dump: Any, unknown: Any
) -> None:
    other = User.objects.create_user("zoe@example.org")
    before = dump()
    for global_id in (sold.id, unknown("Order")):
        payload = api(CANCEL, other, input={"id": global_id})["data"]["orderCancel"]
        assert payload["userErrors"] == [{"code": "NOT_FOUND", "field": ["id"]}]
        answer = api(CANCEL, input={"id": global_id})
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert dump() == before
    # Who only looks on sees it, and is told that more is needed.
    answer = api(CANCEL, clerk("view_order"), input={"id": sold.id})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    sold.order.refresh_from_db()
    assert sold.order.status == "confirmed"


def test_customers_without_an_account_call_off_what_their_token_opens(
    sold: SimpleNamespace, api: Any, dump: Any
) -> None:
    token = token_of(sold.order)
    opened = {"number": sold.order.number.lower(), "token": token}
    before = dump()
    for number, secret in ((opened["number"], "0" * 64), ("00000-00000", token), ("\u00e9", "")):
        answer = api(CANCEL_OPENED, input={"number": number, "token": secret})
        assert answer["data"]["orderCancelByToken"] == {
            "order": None,
            "userErrors": [{"code": "NOT_FOUND", "field": ["token"]}],
        }
    assert dump() == before
    given = {**opened, "reason": "Found it cheaper.", "idempotencyKey": "again"}
    for _ in range(2):
        answer = api(CANCEL_OPENED, input=given)
        assert answer["data"]["orderCancelByToken"] == {
            "order": {"status": "CANCELLED", "paymentStatus": "REFUNDED"},
            "userErrors": [],
        }
    answer = api(CANCEL_OPENED, input=opened)
    errors = answer["data"]["orderCancelByToken"]["userErrors"]
    assert errors == [{"code": "ILLEGAL_MOVE", "field": []}]
    assert sum(DemoCharge.objects.get().refunds.values()) == sold.order.total
    event = sold.order.events.get(kind="cancelled")
    assert (event.actor, event.text) == (None, "Found it cheaper.")


def test_keys_of_one_order_are_not_those_of_another(customer: User, api: Any) -> None:
    for _ in range(2):
        order = place(customer, {variant(): 1})
        given = {"number": order.number, "token": token_of(order), "idempotencyKey": "mine"}
        answer = api(CANCEL_OPENED, input=given)
        assert answer["data"]["orderCancelByToken"]["order"]["status"] == "CANCELLED"


def test_tokens_of_orders_are_not_tried_without_end(sold: SimpleNamespace, api: Any) -> None:
    given = {"number": sold.order.number, "token": "0" * 64}
    for _ in range(200):
        answer = api(CANCEL_OPENED, input=given)
        if "errors" in answer:
            break
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfter"] >= 1
    sold.order.refresh_from_db()
    assert sold.order.status == "confirmed"


def test_staff_who_change_orders_call_off_any_of_them(
    sold: SimpleNamespace, clerk: Any, api: Any
) -> None:
    user = clerk("change_order")
    answer = api(CANCEL, user, input={"id": sold.id})
    assert answer["data"]["orderCancel"] == {"order": None, "userErrors": []}
    sold.order.refresh_from_db()
    assert (sold.order.status, sold.order.payment_status) == ("cancelled", "refunded")
    entries = AuditEntry.objects.filter(actor=user).order_by("pk")
    assert [entry.action for entry in entries] == ["order.cancel", "refund.create"]


def test_only_staff_say_that_goods_are_lost(
    sold: SimpleNamespace, customer: User, staff: User, api: Any, dump: Any
) -> None:
    before = dump()
    given = {"id": sold.id, "restock": False}
    answer = api(CANCEL, customer, input=given)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert dump() == before
    assert api(CANCEL, staff, input=given)["data"]["orderCancel"]["userErrors"] == []
    assert sorted(Stock.objects.values_list("on_hand", "reserved")) == [(97, 0), (98, 0)]


# --- Paying back --------------------------------------------------------------------------------


def test_staff_pay_back_units_and_the_shipping(sold: SimpleNamespace, mutate: Any) -> None:
    selection = """order { paymentStatus lines { edges { node { refunded cancelled } } }
      events(last: 1) { edges { node { kind text money { amount currency } } } } }
      refund { state amount { amount } shipping { amount } reason
        lines { edges { node { line { id } quantity amount { amount currency } } } } }"""
    payload = mutate(
        "orderRefund",
        selection,
        id=sold.id,
        lines=[{"line": sold.first, "quantity": 1}, {"line": sold.second}],
        shipping=True,
        restock=True,
        reason="Sold out.",
    )
    assert payload["userErrors"] == []
    assert payload["refund"] == {
        "state": "SUCCEEDED",
        "amount": {"amount": "22.50"},
        "shipping": {"amount": "5.00"},
        "reason": "Sold out.",
        "lines": {
            "edges": [
                {
                    "node": {
                        "line": {"id": sold.first},
                        "quantity": 1,
                        "amount": {"amount": "10.00", "currency": "USD"},
                    }
                },
                {
                    "node": {
                        "line": {"id": sold.second},
                        "quantity": 3,
                        "amount": {"amount": "7.50", "currency": "USD"},
                    }
                },
            ]
        },
    }
    assert payload["order"] == {
        "paymentStatus": "PARTIALLY_REFUNDED",
        "lines": {
            "edges": [
                {"node": {"refunded": 1, "cancelled": 1}},
                {"node": {"refunded": 3, "cancelled": 3}},
            ]
        },
        "events": {
            "edges": [
                {
                    "node": {
                        "kind": "REFUNDED",
                        "text": "Sold out.",
                        "money": {"amount": "22.50", "currency": "USD"},
                    }
                }
            ]
        },
    }


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({}, "REQUIRED", []),
        ({"amount": "0"}, "INVALID", ["amount"]),
        ({"amount": "-1"}, "INVALID", ["amount"]),
        ({"amount": "1.005"}, "INVALID_PRICE", ["amount"]),
        ({"amount": "99999999999999999999"}, "INVALID_PRICE", ["amount"]),
        ({"amount": "32.51"}, "EXCEEDS_PAYMENT", ["amount"]),
        ({"amount": "1", "shipping": True}, "INVALID", ["amount"]),
        ({"amount": "1", "restock": True}, "INVALID", ["restock"]),
        ({"shipping": True, "restock": True}, "INVALID", ["restock"]),
        ({"amount": "1", "reason": "x" * 501}, "INVALID", ["reason"]),
        ({"amount": "1", "reason": "a\x00b"}, "INVALID", ["reason"]),
        ({"amount": "1", "idempotencyKey": ""}, "INVALID", ["idempotencyKey"]),
        ({"amount": "1", "idempotencyKey": "x" * 256}, "INVALID", ["idempotencyKey"]),
    ],
)
def test_what_makes_no_refund_is_refused(
    given: dict[str, Any], code: str, field: list[str], sold: SimpleNamespace, refuse: Any
) -> None:
    assert refuse("orderRefund", id=sold.id, **given) == (code, field)


def test_all_that_was_paid_and_no_more_goes_back(
    sold: SimpleNamespace, mutate: Any, refuse: Any
) -> None:
    assert mutate("orderRefund", STATUS, id=sold.id, amount="32.50")["order"]["paymentStatus"] == (
        "REFUNDED"
    )
    assert refuse("orderRefund", id=sold.id, amount="0.01") == ("EXCEEDS_PAYMENT", ["amount"])


def test_staff_without_the_view_pay_back_and_see_nothing(
    sold: SimpleNamespace, clerk: Any, api: Any
) -> None:
    document = """mutation($id: ID!) { orderRefund(input: {id: $id, amount: "1.00"}) {
      order { number } userErrors { code } } }"""
    answer = api(document, clerk("add_refund"), id=sold.id)
    assert answer == {"data": {"orderRefund": {"order": None, "userErrors": []}}}
    assert Refund.objects.get().amount == 100


def test_the_tax_is_told_by_rate_and_a_part_of_the_shipping_goes_back(
    sold: SimpleNamespace, mutate: Any, refuse: Any
) -> None:
    Order.objects.filter(pk=sold.order.pk).update(
        shipping_taxes=[{"rate": 700, "total": 400, "tax": 26}, {"rate": 0, "total": 100, "tax": 0}]
    )
    by_rate = "{ taxRate net { amount } tax { amount } total { amount currency } }"
    selection = f"""refund {{ amount {{ amount }} shippingTaxLines {by_rate}
        lines {{ edges {{ node {{ tax {{ amount }} }} }} }} }}
      order {{ taxLines {by_rate} shippingTaxLines {by_rate} }}"""
    given = {"id": sold.id, "lines": [{"line": sold.first}], "shippingAmount": "2.50"}
    payload = mutate("orderRefund", selection, **given)

    def line(rate: int, net: str, tax: str, total: str) -> dict[str, Any]:
        amounts = {"net": {"amount": net}, "tax": {"amount": tax}}
        return {"taxRate": rate, **amounts, "total": {"amount": total, "currency": "USD"}}

    assert payload["refund"]["shippingTaxLines"] == [
        line(700, "1.87", "0.13", "2.00"),
        line(0, "0.50", "0.00", "0.50"),
    ]
    assert payload["refund"]["amount"] == {"amount": "22.50"}
    assert payload["refund"]["lines"] == {"edges": [{"node": {"tax": {"amount": "0.00"}}}]}
    shipping = [line(700, "3.74", "0.26", "4.00"), line(0, "1.00", "0.00", "1.00")]
    assert payload["order"]["shippingTaxLines"] == shipping
    assert payload["order"]["taxLines"] == [shipping[0], line(0, "28.50", "0.00", "28.50")]
    assert refuse("orderRefund", id=sold.id, shippingAmount="2.51") == (
        "EXCEEDS_ORDER",
        ["shippingAmount"],
    )
    assert refuse("orderRefund", id=sold.id, shippingAmount="1.005") == (
        "INVALID_PRICE",
        ["shippingAmount"],
    )


# --- Taking back --------------------------------------------------------------------------------


def test_staff_take_back_what_was_shipped(sold: SimpleNamespace, staff: User, mutate: Any) -> None:
    aftersales.fulfil(sold.order, by=staff)
    selection = """order { fulfillmentStatus } returned { reason lines { edges { node {
      quantity restocked line { id } } } } }"""
    payload = mutate(
        "orderReturn",
        selection,
        id=sold.id,
        lines=[{"line": sold.first, "quantity": 1, "restock": False}, {"line": sold.second}],
        reason="Chipped.",
    )
    assert payload == {
        "order": {"fulfillmentStatus": "FULL"},
        "returned": {
            "reason": "Chipped.",
            "lines": {
                "edges": [
                    {"node": {"quantity": 1, "restocked": False, "line": {"id": sold.first}}},
                    {"node": {"quantity": 3, "restocked": True, "line": {"id": sold.second}}},
                ]
            },
        },
        "userErrors": [],
    }
    payload = mutate("orderReturn", STATUS, id=sold.id)
    assert payload["order"]["fulfillmentStatus"] == "RETURNED"
    assert sorted(Stock.objects.values_list("on_hand", flat=True)) == [99, 100]


def test_what_was_not_shipped_does_not_come_back(sold: SimpleNamespace, refuse: Any) -> None:
    assert refuse("orderReturn", id=sold.id) == ("EXCEEDS_ORDER", [])


# --- Notes and captures -------------------------------------------------------------------------


def test_staff_write_notes_for_each_other(sold: SimpleNamespace, mutate: Any, refuse: Any) -> None:
    selection = "event { kind text actor { email } }"
    payload = mutate("orderNoteCreate", selection, id=sold.id, text=" Called her. ")
    assert payload["event"] == {
        "kind": "NOTE",
        "text": "Called her.",
        "actor": {"email": "staff@example.org"},
    }
    assert refuse("orderNoteCreate", id=sold.id, text=" ") == ("REQUIRED", ["text"])
    assert refuse("orderNoteCreate", id=sold.id, text="x" * 2001) == ("INVALID", ["text"])


def test_staff_say_that_a_bank_transfer_has_come(
    customer: User, mutate: Any, refuse: Any, gid: Any
) -> None:
    order = place(customer, state=PaymentState.AUTHORIZED, provider="manual")
    payload = mutate("orderCapture", STATUS, id=gid(order))
    assert (payload["order"]["status"], payload["order"]["paymentStatus"]) == ("CONFIRMED", "PAID")
    assert refuse("orderCapture", id=gid(order)) == ("ILLEGAL_MOVE", [])


# --- Requests that come twice -------------------------------------------------------------------

TWICE: dict[str, tuple[dict[str, Any], Callable[[], int]]] = {
    "orderFulfil": ({"carrier": "Post"}, Fulfillment.objects.count),
    "orderRefund": ({"amount": "1.00"}, Refund.objects.count),
    "orderReturn": ({"reason": "Too small"}, Return.objects.count),
    "orderCancel": ({}, Order.objects.filter(status="cancelled").count),
    "orderCapture": ({}, Order.objects.filter(payment_status="paid").count),
}


@pytest.mark.parametrize("mutation", TWICE)
@pytest.mark.parametrize("way", ["argument", "header", "both"])
def test_a_request_that_comes_twice_is_done_once(
    mutation: str, way: str, customer: User, staff: User, client: Client, gid: Any, dump: Any
) -> None:
    state = PaymentState.AUTHORIZED if mutation == "orderCapture" else PaymentState.CAPTURED
    order = place(customer, {variant(): 3}, state=state)
    if mutation == "orderReturn":
        aftersales.fulfil(order, by=staff)
    values, count = TWICE[mutation]
    given = {"id": gid(order), **values}
    headers = {"Authorization": f"Bearer {get_token(staff)}"}
    if way != "argument":
        headers["Idempotency-Key"] = '"again"'
    if way != "header":
        given["idempotencyKey"] = "again"

    def send(**more: Any) -> dict[str, Any]:
        name = f"{mutation[0].upper()}{mutation[1:]}Input!"
        query = f"mutation($i: {name}) {{ {mutation}(input: $i) {{ order {{ id status }} "
        query += "userErrors { code field } } }"
        body = {"query": query, "variables": {"i": given | more}}
        response = client.post("/graphql/", body, "application/json", headers=headers)
        return response.json()["data"][mutation]

    before = count()
    first = send()
    assert first["userErrors"] == []
    done = dump()
    assert send() == first
    assert dump() == done
    assert count() == before + 1
    assert send(id=gid(place(state=state)))["userErrors"] == [
        {"code": "IDEMPOTENCY_CONFLICT", "field": ["idempotencyKey"]}
    ]


# --- Addresses and e-mail addresses -------------------------------------------------------------

UPDATE = """mutation($input: OrderUpdateInput!) { orderUpdate(input: $input) {
  order { email shippingAddress { line1 region } billingAddress { line1 } total { amount } }
  userErrors { code field } } }"""
HOME = {
    "name": "Ann Baker",
    "line1": "2 Main St",
    "city": "Springfield",
    "region": "Illinois",
    "postalCode": "62704",
    "country": "us",
}


def test_staff_change_addresses_and_the_email_address(
    sold: SimpleNamespace, staff: User, api: Any
) -> None:
    total = str(sold.order.total)
    given = {"id": sold.id, "email": "new@example.org", "shippingAddress": HOME}
    payload = api(UPDATE, staff, input=given)["data"]["orderUpdate"]
    assert payload["userErrors"] == []
    assert payload["order"] == {
        "email": "new@example.org",
        "shippingAddress": {"line1": "2 Main St", "region": "IL"},
        "billingAddress": {"line1": "2 Main St"},
        "total": {"amount": f"{total[:-2]}.{total[-2:]}"},
    }
    given = {"id": sold.id, "billingAddress": {**HOME, "line1": "3 Main St"}}
    order = api(UPDATE, staff, input=given)["data"]["orderUpdate"]["order"]
    assert (order["email"], order["billingAddress"]) == ("new@example.org", {"line1": "3 Main St"})
    given = {"id": sold.id, "billingAddress": None}
    order = api(UPDATE, staff, input=given)["data"]["orderUpdate"]["order"]
    assert order["billingAddress"] == {"line1": "2 Main St"}


def test_errors_of_an_update_are_reported_together(
    sold: SimpleNamespace, staff: User, api: Any, dump: Any
) -> None:
    before = dump()
    place = {**HOME, "country": "CA", "region": "", "postalCode": "1", "phone": "12"}
    given = {"id": sold.id, "email": None, "shippingAddress": place, "billingAddress": HOME}
    payload = api(UPDATE, staff, input=given)["data"]["orderUpdate"]
    assert payload["order"] is None
    errors = {(error["code"], *error["field"]) for error in payload["userErrors"]}
    assert errors == {
        ("REQUIRED", "email"),
        ("REQUIRED", "shippingAddress", "region"),
        ("INVALID", "shippingAddress", "phone"),
    }
    assert dump() == before


def test_who_may_not_change_orders_updates_none(
    sold: SimpleNamespace, customer: User, clerk: Any, api: Any, dump: Any
) -> None:
    other = User.objects.create_user("other@example.org", "another password")
    seeing = clerk("view_order")
    before = dump()
    expected = {None: "UNAUTHENTICATED", customer: "FORBIDDEN", other: "FORBIDDEN"}
    for user, code in (expected | {seeing: "FORBIDDEN"}).items():
        answer = api(UPDATE, user, input={"id": sold.id, "email": "mine@example.org"})
        assert answer["errors"][0]["extensions"]["code"] == code
        assert not (answer["data"] or {}).get("orderUpdate")
    assert dump() | {"shop.AuditEntry": []} == before
    refused = AuditEntry.objects.get()
    assert (refused.actor, refused.action, refused.outcome) == (seeing, "orderUpdate", "refused")


def test_staff_who_change_orders_update_what_they_do_not_see(
    sold: SimpleNamespace, clerk: Any, api: Any
) -> None:
    answer = api(UPDATE, clerk("change_order"), input={"id": sold.id, "email": "new@example.org"})
    assert answer["data"]["orderUpdate"] == {"order": None, "userErrors": []}
    sold.order.refresh_from_db()
    assert sold.order.email == "new@example.org"


def test_a_rotated_token_opens_nothing_by_any_way(api: Any, staff: User, gid: Any) -> None:
    order = place(email="wrong@example.org", state=PaymentState.AUTHORIZED)
    former = token_of(order)
    document = "query($n: String!, $t: String!) { orderByToken(number: $n, token: $t) { email } }"
    assert api(document, n=order.number, t=former)["data"]["orderByToken"]
    api(UPDATE, staff, input={"id": gid(order), "email": "right@example.org"})
    assert api(document, n=order.number, t=former)["data"]["orderByToken"] is None
    given = {"number": order.number, "token": former}
    (error,) = api(CANCEL_OPENED, input=given)["data"]["orderCancelByToken"]["userErrors"]
    assert error["code"] == "NOT_FOUND"
    order.refresh_from_db()
    opened = api(document, n=order.number, t=token_of(order))["data"]["orderByToken"]
    assert opened == {"email": "right@example.org"}
