"""Who reads which payments and refunds, and what they tell."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from schema.root import schema
from shop.actions import aftersales, orders, payments
from shop.actions.aftersales import Wanted
from shop.gateways import Failure, names
from shop.models import Order, Payment, PaymentState, User
from tests.shop.orders import lines_of, place, variant
from tests.shop.payments.pending import begun, in_state, pending_order, stocked

FIELDS = """provider state amount { amount currency } authorized { amount } captured { amount }
  refunded { amount } failure
  refunds { edges { node { state amount { amount currency } reason } } }"""
PAYMENT = f"query($id: ID!) {{ node(id: $id) {{ ... on Payment {{ {FIELDS} }} }} }}"
REFUND = "query($id: ID!) { node(id: $id) { ... on Refund { state reason } } }"
LINES = "lines { edges { node { line { id } quantity amount { amount currency } } } }"
OF_ORDER = f"""query($id: ID!) {{ order(id: $id) {{ payments(first: 5) {{ totalCount
  edges {{ node {{ {FIELDS} }} }} }} }} }}"""


@pytest.fixture
def order(customer: User) -> Order:
    """An order over 38.40 dollars of the customer's that waits for its payment."""
    return pending_order(stocked(), user=customer)


@pytest.fixture
def payment(order: Order) -> Payment:
    """Its payment, of which 10.00 dollars went back."""
    paid = payments.pay(begun(order).pk)
    payments.refund(paid, amount=1000, key="one", reason="Chipped.")
    return paid


def test_a_payment_tells_its_figures(
    payment: Payment, order: Order, customer: User, api: Any, gid: Any
) -> None:
    expected = {
        "provider": "DEMO",
        "state": "PARTIALLY_REFUNDED",
        "amount": {"amount": "38.40", "currency": "USD"},
        "authorized": {"amount": "38.40"},
        "captured": {"amount": "38.40"},
        "refunded": {"amount": "10.00"},
        "failure": None,
        "refunds": {
            "edges": [
                {
                    "node": {
                        "state": "SUCCEEDED",
                        "amount": {"amount": "10.00", "currency": "USD"},
                        "reason": "Chipped.",
                    }
                }
            ]
        },
    }
    assert api(PAYMENT, customer, id=gid(payment)) == {"data": {"node": expected}}
    found = api(OF_ORDER, customer, id=gid(order))["data"]["order"]["payments"]
    assert found == {"totalCount": 1, "edges": [{"node": expected}]}


@pytest.mark.parametrize("failure", Failure)
def test_a_failure_is_told_in_a_word(
    failure: Failure, order: Order, customer: User, api: Any, gid: Any
) -> None:
    failed = in_state(order, PaymentState.FAILED, failure=failure)
    node = api(PAYMENT, customer, id=gid(failed))["data"]["node"]
    assert (node["state"], node["failure"]) == ("FAILED", failure.name)


@pytest.mark.parametrize("state", PaymentState)
def test_every_state_is_told(
    state: PaymentState, order: Order, customer: User, api: Any, gid: Any
) -> None:
    node = api(PAYMENT, customer, id=gid(in_state(order, state)))["data"]["node"]
    assert node["state"] == state.name


def test_the_timeline_tells_what_came_and_went(
    payment: Payment, order: Order, customer: User, api: Any, gid: Any
) -> None:
    document = """query($id: ID!) { order(id: $id) { events { edges { node {
      kind text money { amount currency } } } } } }"""
    events = api(document, customer, id=gid(order))["data"]["order"]["events"]["edges"]
    told = [tuple(edge["node"].values()) for edge in events]
    assert told == [
        ("PAYMENT_CAPTURED", "", {"amount": "38.40", "currency": "USD"}),
        ("CONFIRMED", "", None),
        ("REFUNDED", "Chipped.", {"amount": "10.00", "currency": "USD"}),
    ]


def test_others_do_not_see_it(payment: Payment, api: Any, gid: Any, staff: User) -> None:
    stranger = User.objects.create_user("stranger@example.org")
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    refund = payment.refunds.get()
    for user in (None, stranger, clerk):
        assert api(PAYMENT, user, id=gid(payment)) == {"data": {"node": None}}
        assert api(REFUND, user, id=gid(refund)) == {"data": {"node": None}}
    clerk.user_permissions.set(Permission.objects.filter(codename="view_order"))
    clerk = User.objects.get(pk=clerk.pk)
    for user in (clerk, staff):
        assert api(PAYMENT, user, id=gid(payment))["data"]["node"]["provider"] == "DEMO"
        assert api(REFUND, user, id=gid(refund))["data"]["node"]["reason"] == "Chipped."


OWN = f"""{{ viewer {{ orders(first: 2) {{ edges {{ node {{ payments(first: 2) {{ edges {{ node {{
  refunds(first: 5) {{ edges {{ node {{ {LINES} }} }} }} }} }} }} }} }} }} }} }}"""


def test_a_refund_tells_which_lines_it_is_for(customer: User, api: Any, gid: Any) -> None:
    order = place(customer, {variant(1000): 2, variant(333): 3}, discount=1000)
    first, second = lines_of(order)
    units = Wanted(lines={first.pk: 1, second.pk: 2})
    refunds = [aftersales.refund(order, what, by=None) for what in (units, Wanted(amount=1))]
    # 20.00 - 2.00 and 9.99 - 1.00, of three units the first two.
    told = [(gid(first), 1, "9.00"), (gid(second), 2, "6.00")]
    nodes = [
        {"line": {"id": line}, "quantity": units, "amount": {"amount": amount, "currency": "USD"}}
        for line, units, amount in told
    ]
    expected = [{"lines": {"edges": [{"node": node} for node in nodes]}}, {"lines": {"edges": []}}]
    document = f"query($id: ID!) {{ node(id: $id) {{ ... on Refund {{ {LINES} }} }} }}"
    for refund, lines in zip(refunds, expected, strict=True):
        assert api(document, customer, id=gid(refund)) == {"data": {"node": lines}}
    (found,) = api(OWN, customer)["data"]["viewer"]["orders"]["edges"]
    (payment,) = found["node"]["payments"]["edges"]
    assert [edge["node"] for edge in payment["node"]["refunds"]["edges"]] == expected
    assert refunds[0].amount == 900 + 600


def test_others_do_not_see_the_lines_of_a_refund(
    customer: User, staff: User, api: Any, gid: Any
) -> None:
    order = place(customer)
    (sold,) = lines_of(order)
    line = aftersales.refund(order, Wanted(lines={sold.pk: 1}), by=staff).lines.get()
    document = "query($id: ID!) { node(id: $id) { ... on RefundLine { quantity } } }"
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    for user in (None, User.objects.create_user("stranger@example.org"), clerk):
        assert api(document, user, id=gid(line)) == {"data": {"node": None}}
        assert api(OWN, user)["data"]["viewer"] in (None, {"orders": {"edges": []}})
    clerk.user_permissions.set(Permission.objects.filter(codename="view_order"))
    for user in (customer, staff, User.objects.get(pk=clerk.pk)):
        assert api(document, user, id=gid(line)) == {"data": {"node": {"quantity": 1}}}


def test_who_opens_an_order_by_its_secret_sees_what_was_paid_back(
    staff: User, api: Any, gid: Any
) -> None:
    order = place(None)
    (sold,) = lines_of(order)
    back = aftersales.refund(order, Wanted(lines={sold.pk: 1}), by=staff).lines.get()
    document = """query($number: String!, $token: String!, $id: ID!) {
      orderByToken(number: $number, token: $token) { payments(first: 2) { edges { node {
        refunds(first: 5) { edges {
          node { lines(first: 5) { edges { node { quantity line { name } } } } } } } } } } }
      node(id: $id) { ... on RefundLine { quantity } } }"""
    token = orders.token_of(order)
    answer = api(document, number=order.number, token=token, id=gid(back))
    assert answer["data"]["node"] == {"quantity": 1}
    (payment,) = answer["data"]["orderByToken"]["payments"]["edges"]
    (refund,) = payment["node"]["refunds"]["edges"]
    (line,) = refund["node"]["lines"]["edges"]
    assert line["node"] == {"quantity": 1, "line": {"name": sold.name}}


def test_who_opens_an_order_by_its_secret_sees_how_it_was_paid(db: None, api: Any) -> None:
    order = place(None)
    document = """query($number: String!, $token: String!) {
      orderByToken(number: $number, token: $token) {
        payments { edges { node { state } } } } }"""
    token = orders.token_of(order)
    answer = api(document, number=order.number, token=token)
    edges = answer["data"]["orderByToken"]["payments"]["edges"]
    assert edges == [{"node": {"state": "CAPTURED"}}]


@pytest.mark.parametrize("kind", ["Payment", "Refund"])
def test_keys_and_secrets_are_in_no_field(kind: str) -> None:
    fields = schema.graphql_schema.type_map[kind].fields
    hidden = {"key", "reference", "method", "clientData", "settleAt", "attempts", "actor"}
    assert not hidden & fields.keys()


def test_the_shop_tells_how_one_can_pay(api: Any, settings: Any) -> None:
    document = "{ shop { paymentProviders } }"
    assert api(document) == {"data": {"shop": {"paymentProviders": ["MANUAL", "DEMO"]}}}
    settings.DEMO_PAYMENTS = False
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    assert api(document) == {"data": {"shop": {"paymentProviders": ["STRIPE", "MANUAL"]}}}
    settings.MANUAL_PAYMENTS, settings.STRIPE_SECRET_KEY = False, ""
    assert api(document) == {"data": {"shop": {"paymentProviders": []}}}


def test_every_gateway_has_a_name_in_the_api() -> None:
    values = schema.graphql_schema.type_map["PaymentProvider"].values
    assert sorted(value.value.value for value in values.values()) == sorted(names())
