"""Staff read what banks dispute, and find the orders; customers learn nothing of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from schema.root import schema
from shop.actions import orders, payments
from shop.actions.payments.disputing import dispute_within
from shop.gateways import DisputeOutcome, DisputeReason
from shop.models import Dispute, DisputeState, Order, Payment, User
from tests.shop import sold
from tests.shop.orders import place
from tests.shop.payments.pending import begun, pending_order, stocked

FIELDS = "reference state reason amount { amount currency } isWithdrawn dueAt openedAt closedAt"
DISPUTE = f"query($id: ID!) {{ node(id: $id) {{ ... on Dispute {{ {FIELDS} }} }} }}"
OF_ORDER = f"""query($id: ID!) {{ order(id: $id) {{
  payments {{ edges {{ node {{ disputes {{ totalCount edges {{ node {{ {FIELDS} }} }} }} }} }} }}
  events {{ edges {{ node {{ kind money {{ amount }} }} }} }} }} }}"""
BY_TOKEN = """query($number: String!, $token: String!) {
  orderByToken(number: $number, token: $token) {
    payments { edges { node { disputes { edges { node { state } } } } } }
    events { edges { node { kind } } } } }"""
LIST = """query($filter: OrderFilter) { orders(filter: $filter) { totalCount
  edges { node { number } } } }"""
REFUND = """mutation($id: ID!) { orderRefund(input: {id: $id, amount: "10.01"}) {
  refund { id } userErrors { code message field } } }"""
START = datetime(2026, 11, 1, tzinfo=UTC)


def disputed(payment: Payment, state: DisputeState = DisputeState.NEEDS_RESPONSE) -> Dispute:
    """28.40 dollars of it, as the provider tells."""
    outcome = DisputeOutcome(
        reference="du_1",
        state=state,
        reason=DisputeReason.NOT_RECEIVED,
        amount=2840,
        currency="USD",
        is_withdrawn=state != DisputeState.WON,
        due_at=datetime(2026, 11, 10, tzinfo=UTC),
        opened_at=START,
        told_at=START,
    )
    return dispute_within(payment.pk, outcome)


@pytest.fixture
def order(customer: User) -> Order:
    """An order over 38.40 dollars of the customer's, paid."""
    order = pending_order(stocked(), user=customer)
    payments.pay(begun(order).pk)
    order.refresh_from_db()
    return order


@pytest.fixture
def payment(order: Order) -> Payment:
    return order.payments.get()


def test_staff_see_a_dispute_and_when_it_has_to_be_answered(
    order: Order, payment: Payment, staff: User, api: Any, gid: Any
) -> None:
    dispute = disputed(payment)
    expected = {
        "reference": "du_1",
        "state": "NEEDS_RESPONSE",
        "reason": "NOT_RECEIVED",
        "amount": {"amount": "28.40", "currency": "USD"},
        "isWithdrawn": True,
        "dueAt": "2026-11-10T00:00:00+00:00",
        "openedAt": "2026-11-01T00:00:00+00:00",
        "closedAt": None,
    }
    assert api(DISPUTE, staff, id=gid(dispute)) == {"data": {"node": expected}}
    found = api(OF_ORDER, staff, id=gid(order))["data"]["order"]
    (edge,) = found["payments"]["edges"]
    assert edge["node"]["disputes"] == {"totalCount": 1, "edges": [{"node": expected}]}
    last = found["events"]["edges"][-1]["node"]
    assert last == {"kind": "DISPUTED", "money": {"amount": "28.40"}}


def test_others_do_not_see_it_nor_that_there_is_one(
    order: Order, payment: Payment, customer: User, api: Any, gid: Any
) -> None:
    dispute = disputed(payment)
    stranger = User.objects.create_user("stranger@example.org")
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    for user in (None, customer, stranger, clerk):
        assert api(DISPUTE, user, id=gid(dispute)) == {"data": {"node": None}}
    # Not even of their own order.
    found = api(OF_ORDER, customer, id=gid(order))["data"]["order"]
    (edge,) = found["payments"]["edges"]
    assert edge["node"]["disputes"] == {"totalCount": 0, "edges": []}
    kinds = [edge["node"]["kind"] for edge in found["events"]["edges"]]
    assert kinds == ["PAYMENT_CAPTURED", "CONFIRMED"]
    clerk.user_permissions.set(Permission.objects.filter(codename="view_order"))
    clerk = User.objects.get(pk=clerk.pk)
    assert api(DISPUTE, clerk, id=gid(dispute))["data"]["node"]["reference"] == "du_1"


def test_who_opens_an_order_by_its_secret_does_not_see_it(db: None, api: Any) -> None:
    order = place(None)
    disputed(order.payments.get())
    token = orders.token_of(order)
    found = api(BY_TOKEN, number=order.number, token=token)["data"]["orderByToken"]
    assert found["payments"]["edges"] == [{"node": {"disputes": {"edges": []}}}]
    kinds = {edge["node"]["kind"] for edge in found["events"]["edges"]}
    assert kinds == {"PLACED", "PAYMENT_CAPTURED", "CONFIRMED"}


@pytest.mark.parametrize("state", DisputeState)
def test_every_state_is_told(
    state: DisputeState, payment: Payment, staff: User, api: Any, gid: Any
) -> None:
    node = api(DISPUTE, staff, id=gid(disputed(payment, state)))["data"]["node"]
    assert node["state"] == state.name
    is_open = state.name in ("INQUIRY", "INQUIRY_ANSWERED", "NEEDS_RESPONSE", "UNDER_REVIEW")
    assert (node["closedAt"] is None) == is_open


@pytest.mark.parametrize("reason", DisputeReason)
def test_every_reason_is_told(
    reason: DisputeReason, payment: Payment, staff: User, api: Any, gid: Any
) -> None:
    dispute = sold.dispute(payment, reason=reason)
    assert api(DISPUTE, staff, id=gid(dispute))["data"]["node"]["reason"] == reason.name


def test_orders_are_found_by_their_open_disputes(
    order: Order, payment: Payment, staff: User, api: Any
) -> None:
    other, quiet = place(None), place(None)
    disputed(payment)
    # Twice: the order is in the list once.
    sold.dispute(payment)
    ended = {"state": DisputeState.LOST, "closed_at": START}
    sold.dispute(other.payments.get(), **ended)

    def numbers(**given: Any) -> tuple[int, set[str]]:
        found = api(LIST, staff, filter=given)["data"]["orders"]
        return found["totalCount"], {edge["node"]["number"] for edge in found["edges"]}

    assert numbers(hasOpenDispute=True) == (1, {order.number})
    assert numbers(hasOpenDispute=False) == (2, {other.number, quiet.number})
    assert (
        numbers(hasOpenDispute=None)
        == numbers()
        == (
            3,
            {order.number, other.number, quiet.number},
        )
    )


def test_a_refund_is_told_how_much_a_dispute_has_left(
    order: Order, payment: Payment, staff: User, api: Any, gid: Any
) -> None:
    disputed(payment)
    assert api(REFUND, staff, id=gid(order))["data"]["orderRefund"] == {
        "refund": None,
        "userErrors": [
            {
                "code": "EXCEEDS_PAYMENT",
                "message": "At most 10.00 USD can be paid back. "
                "A bank has taken 28.40 USD by a dispute.",
                "field": ["amount"],
            }
        ],
    }


def test_what_the_shop_keeps_to_itself_is_in_no_field() -> None:
    fields = schema.graphql_schema.type_map["Dispute"].fields
    assert not {"provider", "toldAt", "payment"} & fields.keys()
