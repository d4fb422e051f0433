"""Carts of accounts over the API, and carts that staff create for customers on the phone."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.models import Cart, CartStatus, Order, OrderEvent, Redemption, User
from tests.shop.selling import BERLIN_INPUT, voucher

CART = """cart { id version email quantity total { amount }
  notices { code } lines { edges { node { id } } } }"""
ERRORS = "userErrors { code message field }"


@pytest.fixture
def call(api: Any) -> Any:
    """`call("cartLinesAdd", user, lines=[...])`: the payload."""

    def send(mutation: str, user: User | None = None, more: str = CART, /, **values: Any) -> Any:
        kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
        document = f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ {more} {ERRORS} }} }}"
        answer = api(document, user, input=values)
        assert "errors" not in answer, answer["errors"]
        return answer["data"][mutation]

    return send


@pytest.fixture
def own(api: Any) -> Any:
    """`own(user)`: the quantity in the account's own cart; None if there is no cart."""

    def find(user: User) -> int | None:
        cart = api("{ cart { quantity } }", user)["data"]["cart"]
        return cart and cart["quantity"]

    return find


@pytest.fixture
def mug(selling: SimpleNamespace, gid: Any) -> dict[str, Any]:
    """Input of a line with one mug at 1.00 dollar."""
    return {"variant": gid(selling.variants[0]), "quantity": 1}


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


def test_cart_lines_add_creates_the_cart_of_a_customer(
    mug: dict[str, Any], call: Any, own: Any, customer: User
) -> None:
    assert own(customer) is None
    first = call("cartLinesAdd", customer, lines=[mug])
    assert (first["userErrors"], first["cart"]["quantity"]) == ([], 1)
    assert first["cart"]["email"] == customer.email
    second = call("cartLinesAdd", customer, lines=[mug])
    assert (second["cart"]["id"], second["cart"]["quantity"]) == (first["cart"]["id"], 2)
    assert own(customer) == 2
    # After the order the next lines are in a new cart.
    Cart.objects.update(status=CartStatus.ORDERED, active_key=None)
    third = call("cartLinesAdd", customer, lines=[mug])
    assert third["cart"]["id"] != first["cart"]["id"]
    assert own(customer) == 1


def test_cart_lines_add_creates_no_cart_for_guests(mug: dict[str, Any], call: Any) -> None:
    assert codes(call("cartLinesAdd", None, lines=[mug])) == [("NOT_FOUND", ["cart"])]
    assert not Cart.objects.exists()


def test_refused_lines_and_a_version_create_no_cart(
    mug: dict[str, Any], call: Any, customer: User
) -> None:
    refused = call("cartLinesAdd", customer, lines=[{**mug, "quantity": 99}])
    assert codes(refused) == [("OUT_OF_STOCK", ["lines", "0", "quantity"])]
    assert codes(call("cartLinesAdd", customer, lines=[mug], version=1)) == [
        ("NOT_FOUND", ["cart"])
    ]
    assert not Cart.objects.exists()


def test_creating_the_cart_with_its_first_lines_takes_one_statement_more(
    mug: dict[str, Any], call: Any, customer: User
) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            call("cartLinesAdd", customer, ERRORS, lines=[mug])
        counts.append(len(captured))
    assert counts[0] - counts[1] == 1


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("cartLinesUpdate", {"lines": []}),
    ("cartLinesRemove", {"lines": []}),
    ("cartEmailSet", {"email": "new@example.org"}),
    ("cartAddressesSet", {"shippingAddress": BERLIN_INPUT}),
    ("cartShippingSet", {"shippingRate": None}),
    ("cartVoucherApply", {"code": "TENOFF"}),
    ("cartVoucherRemove", {}),
    ("cartReminderSet", {"wanted": True}),
    ("cartNoticesDismiss", {}),
]


@pytest.mark.parametrize(("mutation", "values"), OTHERS, ids=[name for name, _ in OTHERS])
def test_other_mutations_without_a_cart_answer_not_found(
    mutation: str, values: dict[str, Any], selling: Any, call: Any, customer: User, staff: User
) -> None:
    for user in (None, customer, staff):
        assert codes(call(mutation, user, **values)) == [("NOT_FOUND", ["cart"])]
    assert not Cart.objects.exists()


def test_cart_create_adds_to_the_cart_that_a_customer_has(
    mug: dict[str, Any], call: Any, customer: User
) -> None:
    more = f"token {CART}"
    first = call("cartCreate", customer, more, lines=[mug])
    second = call("cartCreate", customer, more, lines=[mug], email="work@example.org")
    assert (first["token"], second["token"]) == (None, None)
    assert second["cart"]["id"] == first["cart"]["id"]
    assert (second["cart"]["quantity"], second["cart"]["email"]) == (2, "work@example.org")


# --- Staff who order for callers ------------------------------------------------------------------


@pytest.fixture
def callers(mug: dict[str, Any], call: Any, staff: User) -> list[SimpleNamespace]:
    """The carts of two callers, with one and two mugs, that one staff member created."""
    found = []
    for number in (1, 2):
        payload = call(
            "cartCreate", staff, f"token {CART}",
            email=f"Caller{number}@example.org", lines=[{**mug, "quantity": number}],
        )  # fmt: skip
        assert payload["userErrors"] == []
        found.append(SimpleNamespace(token=payload["token"], **payload["cart"]))
    return found


def test_staff_create_a_cart_of_its_own_for_each_caller(
    callers: list[SimpleNamespace], own: Any, api: Any, staff: User, customer: User
) -> None:
    one, two = callers
    assert len({one.token, two.token, None}) == 3
    assert one.id != two.id
    assert (one.quantity, two.quantity) == (1, 2)
    assert (one.email, two.email) == ("Caller1@example.org", "Caller2@example.org")
    assert own(staff) is None
    by_token = "query($token: String) { cart(token: $token) { quantity } }"
    for user in (None, customer, staff):
        assert api(by_token, user, token=two.token)["data"]["cart"] == {"quantity": 2}
    by_id = "query($id: ID!) { node(id: $id) { id } }"
    assert api(by_id, customer, id=one.id)["data"]["node"] is None


def test_the_own_cart_of_staff_stays_apart(
    mug: dict[str, Any], callers: list[SimpleNamespace], call: Any, own: Any, staff: User
) -> None:
    lines = [{**mug, "quantity": 3}]
    # Their own address, however it is spelled, and no address: both mean their own cart.
    for values in ({"lines": lines}, {"email": staff.email.upper()}):
        assert call("cartCreate", staff, "token", **values)["token"] is None
    added = call("cartLinesAdd", staff, cart=callers[0].token, lines=lines)
    assert (added["cart"]["id"], added["cart"]["quantity"]) == (callers[0].id, 4)
    assert own(staff) == 3


def test_a_callers_cart_never_becomes_that_of_staff(
    callers: list[SimpleNamespace], call: Any, own: Any, api: Any, staff: User, dump: Any
) -> None:
    before = dump()
    refused = call("cartMerge", staff, cart=callers[0].token)
    assert codes(refused) == [("INVALID", ["cart"])]
    assert dump() == before
    document = """mutation($input: TokenAuthInput!) {
      tokenAuth(input: $input) { token userErrors { code } } }"""
    values = {"email": staff.email, "password": "a staff password", "cart": callers[0].token}
    assert api(document, input=values)["data"]["tokenAuth"]["token"]
    assert Cart.objects.filter(user=staff).count() == 0


def test_a_callers_cart_becomes_that_of_the_caller_at_sign_in(
    callers: list[SimpleNamespace], call: Any, own: Any, customer: User
) -> None:
    merged = call("cartMerge", customer, cart=callers[1].token)
    assert merged["cart"]["id"] == callers[1].id
    assert own(customer) == 2


def test_customers_cannot_create_carts_for_others(
    mug: dict[str, Any], call: Any, customer: User
) -> None:
    for number in (1, 2):
        payload = call("cartCreate", customer, "token", email=f"a{number}@example.org", lines=[mug])
        assert payload["token"] is None
    assert Cart.objects.count() == 1


def test_an_invalid_address_creates_no_cart(mug: dict[str, Any], call: Any, staff: User) -> None:
    for email, code in (("no address", "INVALID"), (" ", "REQUIRED")):
        payload = call("cartCreate", staff, "token", email=email, lines=[mug])
        assert (payload["token"], codes(payload)) == (None, [(code, ["email"])])
    assert not Cart.objects.exists()


def test_the_order_belongs_to_the_address_of_the_caller(
    callers: list[SimpleNamespace], call: Any, own: Any, api: Any, staff: User
) -> None:
    voucher("ONCE", customer_limit=1)
    for caller in callers:
        call("cartAddressesSet", staff, cart=caller.token, shippingAddress=BERLIN_INPUT)
        # One use for each customer: both callers have theirs.
        cart = call("cartVoucherApply", staff, cart=caller.token, code="ONCE")["cart"]
        assert cart["notices"] == []
        payload = call(
            "checkoutComplete", staff, "order { number } token",
            cart=caller.token, payment={"provider": "DEMO"}, expectedTotal=cart["total"]["amount"],
        )  # fmt: skip
        assert payload["userErrors"] == []
        order = Order.objects.get(number=payload["order"]["number"])
        assert (order.user, order.email) == (None, caller.email)
        # The timeline tells who placed it.
        assert OrderEvent.objects.get(order=order, kind="placed").actor == staff
    keys = set(Redemption.objects.values_list("customer_key", flat=True))
    assert keys == {"caller1@example.org", "caller2@example.org"}
    mine = "{ viewer { orders { totalCount } } }"
    assert api(mine, staff)["data"]["viewer"]["orders"]["totalCount"] == 0


def test_a_declined_payment_leaves_the_cart_to_its_token(
    callers: list[SimpleNamespace], call: Any, own: Any, staff: User
) -> None:
    token = callers[0].token
    call("cartAddressesSet", staff, cart=token, shippingAddress=BERLIN_INPUT)
    total = call("cartNoticesDismiss", staff, cart=token)["cart"]["total"]["amount"]
    payment = {"provider": "DEMO", "method": "declined"}
    payload = call(
        "checkoutComplete", staff, "token", cart=token, payment=payment, expectedTotal=total
    )
    assert [code for code, _ in codes(payload)] == ["PAYMENT_DECLINED"]
    assert own(staff) is None
    assert call("cartNoticesDismiss", staff, cart=token)["cart"]["quantity"] == 1
