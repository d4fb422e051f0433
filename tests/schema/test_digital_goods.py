"""Digital goods in the API: who sees a link, who sets and revokes what."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shop.actions.catalog import digital_content
from shop.actions.orders import delivery_url, token_of
from shop.models import DigitalContent, DigitalDelivery, Order, User
from tests.shop.orders import lines_of, place, variant
from tests.shop.selling import BERLIN_INPUT

pytestmark = pytest.mark.django_db
DELIVERY = "digitalDelivery { kind url downloads deliveredAt revokedAt }"
ORDER = f"""{{ number fulfillmentStatus requiresShipping shippingAddress {{ city }}
  lines {{ edges {{ node {{ requiresShipping fulfilled {DELIVERY} }} }} }} }}"""
ORDERS = f"{{ viewer {{ orders {{ edges {{ node {ORDER} }} }} }} }}"
BY_NUMBER = f"query($number: String!) {{ order(number: $number) {ORDER} }}"
BY_TOKEN = f"""query($number: String!, $token: String!) {{
  orderByToken(number: $number, token: $token) {ORDER} }}"""


def ebook() -> Any:
    row = variant(requires_shipping=False)
    digital_content.set_content(row, kind="text", content="KEY-0815")
    return row


@pytest.fixture
def sold(customer: User, gid: Any) -> SimpleNamespace:
    """A customer's order of a download and a parcel, paid and delivered."""
    order = place(customer, {ebook(): 1, variant(): 1})
    digital, parcel = lines_of(order)
    return SimpleNamespace(
        order=order,
        id=gid(order),
        digital=gid(digital),
        parcel=gid(parcel),
        url=delivery_url(DigitalDelivery.objects.get().key),
    )


def deliveries(order: dict[str, Any]) -> list[Any]:
    return [edge["node"]["digitalDelivery"] for edge in order["lines"]["edges"]]


def test_the_customer_sees_the_link_and_nobody_else(
    sold: SimpleNamespace, customer: User, staff: User, api: Any
) -> None:
    (edge,) = api(ORDERS, customer)["data"]["viewer"]["orders"]["edges"]
    order = edge["node"]
    assert order["fulfillmentStatus"] == "PARTIAL"
    delivery, nothing = deliveries(order)
    assert (delivery["url"], delivery["kind"], nothing) == (sold.url, "TEXT", None)
    assert Client().get(delivery["url"]).content == b"KEY-0815"
    number = sold.order.number
    seen = api(BY_NUMBER, staff, number=number)["data"]["order"]
    assert (deliveries(seen)[0]["url"], deliveries(seen)[0]["downloads"]) == (None, 1)
    stranger = User.objects.create_user("bob@example.org")
    assert api(BY_NUMBER, stranger, number=number)["data"] == {"order": None}
    opened = api(BY_TOKEN, number=number, token=token_of(sold.order))["data"]["orderByToken"]
    assert deliveries(opened)[0]["url"] == sold.url


def test_a_list_of_orders_takes_one_statement_more_for_all_deliveries(
    customer: User, api: Any
) -> None:
    def count(document: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert "errors" not in api(document, customer)
        return len(captured)

    place(customer, {variant(): 1})
    without = ORDERS.replace(DELIVERY, "id")
    assert count(without) == (before := count(without))
    place(customer, {ebook(): 1}, shipping=0)
    assert count(without) == before
    first = count(ORDERS)
    for _ in range(3):
        place(customer, {ebook(): 1}, shipping=0)
    assert count(ORDERS) == first == before + 1


def test_staff_revoke_a_delivery(sold: SimpleNamespace, mutate: Any, refuse: Any) -> None:
    payload = mutate(
        "orderDeliveryRevoke", f"order {ORDER}", id=sold.id, line=sold.digital, reason="Leaked."
    )
    assert payload["userErrors"] == []
    delivery = deliveries(payload["order"])[0]
    assert delivery["revokedAt"] is not None
    assert Client().get(sold.url).status_code == 410
    for line in (sold.digital, sold.parcel):
        assert refuse("orderDeliveryRevoke", id=sold.id, line=line) == ("ILLEGAL_MOVE", ["line"])


def test_lines_that_are_not_shipped_are_refused_with_a_code(
    sold: SimpleNamespace, mutate: Any, refuse: Any
) -> None:
    lines = [{"line": sold.parcel}, {"line": sold.digital}]
    refused = refuse("orderFulfil", id=sold.id, lines=lines)
    assert refused == ("NOT_SHIPPABLE", ["lines", "1", "line"])
    payload = mutate("orderFulfil", "order { status fulfillmentStatus }", id=sold.id)
    assert payload["order"] == {"status": "COMPLETED", "fulfillmentStatus": "FULL"}


def test_staff_set_and_remove_content(
    mutate: Any, refuse: Any, gid: Any, api: Any, customer: User
) -> None:
    row = variant()
    selection = "variant { requiresShipping }"
    payload = mutate("variantUpdate", selection, id=gid(row), requiresShipping=False)
    assert payload["variant"] == {"requiresShipping": False}
    given = {"variant": gid(row), "kind": "LINK", "content": "https://files.example.com/a.pdf"}
    payload = mutate("digitalContentSet", "digitalContent { kind content }", **given)
    assert payload["digitalContent"] == {"kind": "LINK", "content": given["content"]}
    assert refuse("digitalContentSet", **given | {"content": "a.pdf"}) == ("INVALID", ["content"])
    document = "query($id: ID!) { node(id: $id) { ... on Variant { digitalContent { content } } } }"
    for user in (None, customer):
        answer = api(document, user, id=gid(row))
        assert "files.example.com" not in str(answer)
    mutate("digitalContentRemove", variant=gid(row))
    assert not DigitalContent.objects.exists()
    assert refuse("digitalContentRemove", variant=gid(row)) == ("NOT_FOUND", ["variant"])


def test_a_digital_cart_is_ordered_with_a_billing_address_only(gid: Any, api: Any) -> None:
    row = ebook()
    document = """mutation($lines: [CartLineInput!]) { cartCreate(
      input: {lines: $lines, email: "ann@example.org"}) { token cart { requiresShipping } } }"""
    created = api(document, lines=[{"variant": gid(row), "quantity": 2}])["data"]["cartCreate"]
    assert created["cart"] == {"requiresShipping": False}
    token = created["token"]
    document = """mutation($cart: String!, $address: AddressInput!) { cartAddressesSet(
      input: {cart: $cart, billingAddress: $address}) {
      cart { total { amount } shippingOffers { name } } userErrors { code field } } }"""
    payload = api(document, cart=token, address=BERLIN_INPUT)["data"]["cartAddressesSet"]
    assert payload == {
        "cart": {"total": {"amount": "20.00"}, "shippingOffers": []},
        "userErrors": [],
    }
    document = f"""mutation($cart: String!) {{ checkoutComplete(input: {{cart: $cart,
      payment: {{provider: DEMO}}, expectedTotal: "20.00"}}) {{ order {ORDER} token
      userErrors {{ code }} }} }}"""
    payload = api(document, cart=token)["data"]["checkoutComplete"]
    assert payload["userErrors"] == []
    order = payload["order"]
    assert (order["requiresShipping"], order["shippingAddress"]) == (False, None)
    assert deliveries(order)[0]["url"] == delivery_url(DigitalDelivery.objects.get().key)
    assert Order.objects.get().billing_address["city"] == "Berlin"
