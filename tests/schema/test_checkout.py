"""Checkout over the API: what is answered, to whom, and what is refused."""

from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from graphql_relay import to_global_id

from shop.actions import carts, inventory
from shop.actions.catalog import variants
from shop.gateways import gateway_of
from shop.models import Cart, DemoCharge, Order, User
from tests.shop.selling import BERLIN_INPUT, ready

CHECKOUT = """mutation($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
  order { number status paymentStatus email total { amount currency }
    lines { edges { node { name quantity total { amount } } } } }
  token nextStep { clientSecret url } total { amount } userErrors { code message field } } }"""


@pytest.fixture
def guest(selling: SimpleNamespace) -> SimpleNamespace:
    """A guest's cart that comes to 10.81 dollars."""
    cart, token = ready(AnonymousUser(), (selling.variants[0], 2), (selling.variants[5], 1))
    return SimpleNamespace(cart=cart, token=token, shop=selling)


@pytest.fixture
def complete(api: Any) -> Any:
    """`complete(user, cart=token)`: the payload."""

    def send(user: User | None = None, /, **values: Any) -> dict[str, Any]:
        wish = {"payment": {"provider": "DEMO"}, "expectedTotal": "10.81", **values}
        answer = api(CHECKOUT, user, input=wish)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]["checkoutComplete"]

    return send


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


def test_a_guest_orders_and_opens_the_order_with_the_token(
    guest: SimpleNamespace, complete: Any, api: Any
) -> None:
    payload = complete(cart=guest.token)
    assert payload["userErrors"] == []
    order = payload["order"]
    assert (order["status"], order["paymentStatus"]) == ("CONFIRMED", "PAID")
    assert order["total"] == {"amount": "10.81", "currency": "USD"}
    assert [edge["node"] for edge in order["lines"]["edges"]] == [
        {"name": "Mug 1", "quantity": 2, "total": {"amount": "2.40"}},
        {"name": "Mug 2", "quantity": 1, "total": {"amount": "2.41"}},
    ]
    document = """query($number: String!, $token: String!) {
      orderByToken(number: $number, token: $token) { status } }"""
    asked = {"number": order["number"], "token": payload["token"]}
    assert api(document, **asked)["data"]["orderByToken"] == {"status": "CONFIRMED"}
    assert api(document, **asked | {"token": "another"})["data"]["orderByToken"] is None


def test_an_account_orders_its_own_cart_without_a_token(
    selling: SimpleNamespace, customer: User, complete: Any, api: Any
) -> None:
    ready(customer, (selling.variants[0], 2), (selling.variants[5], 1))
    assert codes(complete()) == [("NOT_FOUND", ["cart"])]
    payload = complete(customer)
    assert payload["order"]["status"] == "CONFIRMED"
    listed = api("{ viewer { orders { edges { node { number } } } } }", customer)
    numbers = [edge["node"]["number"] for edge in listed["data"]["viewer"]["orders"]["edges"]]
    assert numbers == [payload["order"]["number"]]


def test_what_is_short_is_told_with_all_else_that_stands_against_it(
    guest: SimpleNamespace, complete: Any, dump: Any
) -> None:
    small, medium = guest.shop.variants[0], guest.shop.variants[5]
    inventory.adjust({small.pk: -9})
    variants.update(medium, price=None)
    before = dump()
    payload = complete(cart=guest.token)
    assert codes(payload) == [("NOT_PURCHASABLE", ["cart"]), ("OUT_OF_STOCK", ["cart"])]
    assert dump() == before
    # Bought on back-order it is never short.
    inventory.set_backorder({small.pk: True})
    assert codes(complete(cart=guest.token)) == [("NOT_PURCHASABLE", ["cart"])]
    inventory.set_backorder({small.pk: False})
    # The cart asks for 2, and 2 are left.
    inventory.adjust({small.pk: 1})
    assert codes(complete(cart=guest.token)) == [("NOT_PURCHASABLE", ["cart"])]
    # A cart with nothing but such lines is not called empty as well.
    variants.update(small, price=None)
    assert codes(complete(cart=guest.token)) == [("NOT_PURCHASABLE", ["cart"])] * 2


def test_an_account_without_a_token_gets_the_first_reply_again(
    selling: SimpleNamespace, customer: User, staff: User, complete: Any
) -> None:
    lines = (selling.variants[0], 2), (selling.variants[5], 1)
    ready(customer, *lines)
    first = complete(customer, idempotencyKey="k")
    assert first["order"]["status"] == "CONFIRMED"
    # The cart is ordered: there is none, and then another one with the same in it.
    assert complete(customer, idempotencyKey="k") == first
    ready(customer, *lines)
    assert complete(customer, idempotencyKey="k") == first
    other = complete(customer, idempotencyKey="k", note="Another.")
    assert codes(other) == [("IDEMPOTENCY_CONFLICT", ["idempotencyKey"])]
    assert (Order.objects.count(), DemoCharge.objects.count()) == (1, 1)
    # Keys of others are other keys.
    assert codes(complete(staff, idempotencyKey="k")) == [("NOT_FOUND", ["cart"])]
    assert codes(complete(idempotencyKey="k")) == [("NOT_FOUND", ["cart"])]
    assert complete(customer, idempotencyKey="new")["order"]["number"] != first["order"]["number"]


def test_an_account_whose_payment_was_declined_is_told_so_again(
    selling: SimpleNamespace, customer: User, complete: Any
) -> None:
    lines = (selling.variants[0], 2), (selling.variants[5], 1)
    ready(customer, *lines)
    wish = {"payment": {"provider": "DEMO", "method": "declined"}, "idempotencyKey": "k"}
    for _ in range(2):
        assert codes(complete(customer, **wish)) == [("PAYMENT_DECLINED", ["payment"])]
    # Bought in another way meanwhile.
    assert complete(customer, idempotencyKey="other")["order"]["status"] == "CONFIRMED"
    assert codes(complete(customer, **wish)) == [("PAYMENT_DECLINED", ["payment"])]
    assert Order.objects.count() == 2


def test_nobody_orders_the_cart_of_an_account(
    selling: SimpleNamespace, customer: User, staff: User, complete: Any, dump: Any
) -> None:
    cart, _ = ready(customer, (selling.variants[0], 2), (selling.variants[5], 1))
    Cart.objects.filter(pk=cart.pk).update(digest=carts.digest_of("known to Eve"))
    eve = User.objects.create_user("eve@example.org", "a password")
    before = dump()
    for user in (None, eve, staff):
        assert complete(user, cart="known to Eve") == complete(user, cart="no such cart")
        assert codes(complete(user, cart="known to Eve")) == [("NOT_FOUND", ["cart"])]
    assert dump() == before


def test_a_changed_total_is_told(guest: SimpleNamespace, complete: Any, dump: Any) -> None:
    variants.reprice(guest.shop.variants[0], price=90)
    before = dump()
    payload = complete(cart=guest.token)
    assert codes(payload) == [("TOTAL_CHANGED", ["expectedTotal"])]
    assert payload["total"] == {"amount": "10.57"}
    assert payload["order"] is None
    assert dump() == before
    assert complete(cart=guest.token, expectedTotal="10.57")["order"]["status"] == "CONFIRMED"


@pytest.mark.parametrize("total", ["10.811", "1e3", "-10.81", "99999999999999999999"])
def test_totals_that_cannot_be(total: str, guest: SimpleNamespace, api: Any, dump: Any) -> None:
    before = dump()
    wish = {"cart": guest.token, "payment": {"provider": "DEMO"}, "expectedTotal": total}
    answer = api(CHECKOUT, input=wish)
    payload = (answer.get("data") or {}).get("checkoutComplete")
    told = codes(payload) if payload else [(answer["errors"][0]["extensions"]["code"], [])]
    assert told[0][0] in ("INVALID", "TOTAL_CHANGED", "BAD_REQUEST", "VALIDATION_FAILED")
    assert dump() == before


def test_a_declined_payment_is_told_and_can_be_tried_again(
    guest: SimpleNamespace, complete: Any
) -> None:
    declined = {"provider": "DEMO", "method": "declined"}
    payload = complete(cart=guest.token, payment=declined, idempotencyKey="first")
    assert codes(payload) == [("PAYMENT_DECLINED", ["payment"])]
    assert payload["order"] is None
    payload = complete(cart=guest.token, idempotencyKey="second")
    assert payload["order"]["status"] == "CONFIRMED"


def test_a_payment_that_waits_for_the_customer_tells_the_next_step(
    guest: SimpleNamespace, complete: Any
) -> None:
    waits = {"provider": "DEMO", "method": "requires_action"}
    payload = complete(cart=guest.token, payment=waits)
    assert payload["order"]["status"] == "PENDING"
    assert any(payload["nextStep"].values())


def test_a_total_below_the_providers_minimum_is_told_and_writes_nothing(
    guest: SimpleNamespace, complete: Any, dump: Any
) -> None:
    before = dump()
    with mock.patch.object(gateway_of("demo"), "minimum", return_value=1082):
        payload = complete(cart=guest.token, idempotencyKey="k")
    assert payload["userErrors"] == [
        {
            "code": "AMOUNT_TOO_SMALL",
            "message": "This way to pay takes 10.82 USD or more.",
            "field": ["payment"],
        }
    ]
    assert payload["order"] is None
    assert dump() == before
    assert complete(cart=guest.token, idempotencyKey="k")["order"]["status"] == "CONFIRMED"


EMAIL_SET = """mutation($input: CartEmailSetInput!) { cartEmailSet(input: $input) {
  cart { email } userErrors { code field } } }"""
CANCEL_OPENED = """mutation($input: OrderCancelByTokenInput!) {
  orderCancelByToken(input: $input) { order { status } userErrors { code } } }"""
WAITS = {"provider": "DEMO", "method": "requires_action"}


def test_a_guest_comes_back_from_the_banks_page_and_gets_the_cart_back(
    guest: SimpleNamespace, complete: Any, api: Any
) -> None:
    first = complete(cart=guest.token, payment=WAITS, idempotencyKey="first")
    change = {"cart": guest.token, "email": "new@example.org"}
    told = api(EMAIL_SET, input=change)["data"]["cartEmailSet"]
    assert told == {"cart": None, "userErrors": [{"code": "PAYMENT_PENDING", "field": ["cart"]}]}
    opened = {"number": first["order"]["number"], "token": first["token"]}
    cancelled = api(CANCEL_OPENED, input=opened)["data"]["orderCancelByToken"]
    assert cancelled == {"order": {"status": "CANCELLED"}, "userErrors": []}
    told = api(EMAIL_SET, input=change)["data"]["cartEmailSet"]
    assert told == {"cart": {"email": "new@example.org"}, "userErrors": []}
    again = complete(cart=guest.token, idempotencyKey="second")
    assert again["order"]["status"] == "CONFIRMED"
    assert sum(DemoCharge.objects.values_list("captured", flat=True)) == 1081


def test_another_way_to_pay_replaces_the_order_that_waits(
    guest: SimpleNamespace, complete: Any
) -> None:
    first = complete(cart=guest.token, payment=WAITS, idempotencyKey="first")
    second = complete(cart=guest.token, idempotencyKey="second")
    assert (second["order"]["status"], second["nextStep"]) == ("CONFIRMED", None)
    assert Order.objects.get(number=first["order"]["number"]).status == "cancelled"
    again = complete(cart=guest.token, payment=WAITS, idempotencyKey="first")
    assert codes(again) == [("PAYMENT_DECLINED", ["payment"])]


def test_only_the_account_itself_is_told_that_its_cart_waits(
    selling: SimpleNamespace, customer: User, staff: User, complete: Any, api: Any
) -> None:
    ready(customer, (selling.variants[0], 2), (selling.variants[5], 1))
    first = complete(customer, payment=WAITS)

    def told(user: User | None) -> list[str]:
        answer = api(EMAIL_SET, user, input={"email": "new@example.org"})
        return [error["code"] for error in answer["data"]["cartEmailSet"]["userErrors"]]

    assert told(customer) == ["PAYMENT_PENDING"]
    other = User.objects.create(email="other@example.org", email_key="other@example.org")
    for user in (None, other, staff):
        assert told(user) == ["NOT_FOUND"]
        assert codes(complete(user)) == [("NOT_FOUND", ["cart"])]
    second = complete(customer, idempotencyKey="another way")
    assert second["order"]["status"] == "CONFIRMED"
    assert Order.objects.get(number=first["order"]["number"]).status == "cancelled"
    assert told(customer) == ["NOT_FOUND"]


def test_the_header_is_a_key_too(guest: SimpleNamespace, client: Client) -> None:
    wish = {"cart": guest.token, "payment": {"provider": "DEMO"}, "expectedTotal": "10.81"}

    def post(key: str, **more: Any) -> dict[str, Any]:
        body = {"query": CHECKOUT, "variables": {"input": {**wish, **more}}}
        response = client.post(
            "/graphql/", body, content_type="application/json", headers={"Idempotency-Key": key}
        )
        return response.json()["data"]["checkoutComplete"]

    first = post("k")
    # A string as structured fields write it is the same key.
    assert post('"k"') == post("k", idempotencyKey="k") == first
    assert codes(post("k", note="Another.")) == [("IDEMPOTENCY_CONFLICT", ["idempotencyKey"])]
    assert codes(post("k", idempotencyKey="other")) == [("INVALID", ["idempotencyKey"])]
    assert (Order.objects.count(), DemoCharge.objects.count()) == (1, 1)


def test_the_answer_of_a_stranger_shows_no_order_of_others(
    guest: SimpleNamespace, complete: Any, api: Any
) -> None:
    complete(cart=guest.token)
    order = Order.objects.get()
    document = "query($id: ID!) { node(id: $id) { id } }"
    assert api(document, id=to_global_id("Order", order.pk))["data"]["node"] is None


def test_a_note_is_bounded(guest: SimpleNamespace, complete: Any, dump: Any) -> None:
    before = dump()
    assert codes(complete(cart=guest.token, note="x" * 2001)) == [("INVALID", ["note"])]
    assert dump() == before


def statements(captured: CaptureQueriesContext, transactions: int) -> int:
    """How many there were, without those that begin and end transactions.

    Within the test's own transaction those are savepoints; a savepoint beyond them would be one in
    production too, and counts.
    """
    ends = [q for q in captured.captured_queries if q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(ends) == 2 * transactions
    return len(captured) - len(ends)


def test_from_an_empty_cart_to_a_paid_order_takes_at_most_sixty_statements(
    selling: SimpleNamespace,
    customer: User,
    api: Any,
    gid: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each step in a request of its own, as front ends do it; the mail is sent by somebody else."""
    monkeypatch.setattr("shop.outbox.wake", lambda: None)
    lines = [{"variant": gid(variant), "quantity": 1} for variant in selling.variants[:3]]
    counts: dict[str, int] = {}

    def step(
        mutation: str,
        selected: str,
        /,
        transactions: int = 1,
        user: User | None = None,
        **values: Any,
    ) -> Any:
        kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
        document = f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ {selected} }} }}"
        with CaptureQueriesContext(connection) as captured:
            answer = api(document, user, input=values)
        counts[mutation] = statements(captured, transactions)
        return answer["data"][mutation]

    priced = "cart { total { amount } }"
    cart = step("cartCreate", "token")["token"]
    step("cartLinesAdd", priced, cart=cart, lines=lines)
    step("cartEmailSet", priced, cart=cart, email="ann@example.org")
    found = step("cartAddressesSet", priced, cart=cart, shippingAddress=BERLIN_INPUT)
    done = step(
        "checkoutComplete",
        "order { number status }",
        # One before the provider is asked, and one after.
        transactions=2,
        cart=cart,
        payment={"provider": "DEMO"},
        expectedTotal=found["cart"]["total"]["amount"],
        idempotencyKey="k",
    )
    assert done["order"]["status"] == "CONFIRMED"
    # What docs/checkout.md says.
    assert counts == {
        "cartCreate": 1,
        "cartLinesAdd": 10,
        "cartEmailSet": 7,
        "cartAddressesSet": 8,
        # MariaDB does not return what an upsert has written.
        "checkoutComplete": 30 if connection.vendor == "mysql" else 29,
    }
    assert sum(counts.values()) <= 60
    # Again, by an account, into a cart that is there.
    carts.create(customer)
    Order.objects.update(user=customer)
    order = to_global_id("Order", Order.objects.get().pk)
    step("orderReorder", priced, user=customer, id=order)
    assert counts["orderReorder"] == 14
