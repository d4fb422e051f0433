"""Order again over the API: who may, what comes into the cart, and what the notices tell."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from graphql_jwt.shortcuts import get_token

from shop.actions import carts, inventory
from shop.actions.catalog import products, variants
from shop.actions.orders import token_of
from shop.models import (
    Cart,
    CartLine,
    CartStatus,
    Order,
    OrderLine,
    OrderStatus,
    Product,
    ProductStatus,
    Reservation,
    Stock,
    User,
    Variant,
)
from shop.throttling import TOKEN
from tests.shop import orders
from tests.shop.selling import fill

CART = """cart { id version quantity email
  lines { edges { node { quantity variant { sku } } } }
  notices { code message name quantity lineId
    oldPrice { amount currency } newPrice { amount currency } } }"""
DOCUMENT = f"""mutation($input: OrderReorderInput!) {{ orderReorder(input: $input) {{
  {CART} token userErrors {{ code message field }} }} }}"""


@pytest.fixture
def again(client: Client, gid: Any) -> Any:
    """`again(order, user, headers={}, **input)`: the payload."""

    def send(
        order: Order, user: User | None = None, *, headers: Any = None, **values: Any
    ) -> dict[str, Any]:
        shown = dict(headers or {})
        if user is not None:
            shown["Authorization"] = f"Bearer {get_token(user)}"
        body = {"query": DOCUMENT, "variables": {"input": {"id": gid(order), **values}}}
        answer = client.post(
            "/graphql/", body, content_type="application/json", headers=shown
        ).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]["orderReorder"]

    return send


@pytest.fixture
def two(db: None) -> list[Variant]:
    return [orders.variant(1000, on_hand=10), orders.variant(2000, on_hand=10)]


@pytest.fixture
def own(two: list[Variant], customer: User) -> Order:
    """A customer's order of two and three units."""
    return orders.place(customer, {two[0]: 2, two[1]: 3})


@pytest.fixture
def guests(two: list[Variant]) -> Order:
    return orders.place(None, {two[0]: 2})


def lines(payload: dict[str, Any]) -> dict[str, int]:
    nodes = [edge["node"] for edge in payload["cart"]["lines"]["edges"]]
    return {node["variant"]["sku"]: node["quantity"] for node in nodes}


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


def notices(payload: dict[str, Any]) -> list[tuple[str, str | None, int | None]]:
    return [
        (notice["code"], notice["name"], notice["quantity"])
        for notice in payload["cart"]["notices"]
    ]


# --- Who may --------------------------------------------------------------------------------------


def test_a_customer_orders_again_into_a_new_cart(
    own: Order, two: list[Variant], customer: User, again: Any
) -> None:
    payload = again(own, customer)
    assert (payload["userErrors"], payload["token"]) == ([], None)
    assert lines(payload) == {two[0].sku: 2, two[1].sku: 3}
    assert payload["cart"]["email"] == customer.email
    assert notices(payload) == []
    cart = Cart.objects.get(active_key=customer.pk)
    assert (cart.user, cart.status) == (customer, CartStatus.ACTIVE)


def test_lines_are_added_to_those_in_the_cart(
    own: Order, two: list[Variant], customer: User, again: Any
) -> None:
    cart, _ = carts.create(customer)
    third = orders.variant()
    fill(cart, (two[0], 1), (third, 1))
    payload = again(own, customer, version=cart.version)
    assert lines(payload) == {two[0].sku: 3, third.sku: 1, two[1].sku: 3}
    assert payload["cart"]["version"] == cart.version + 1
    twice = again(own, customer)
    assert lines(twice) == {two[0].sku: 5, third.sku: 1, two[1].sku: 6}
    assert Cart.objects.filter(user=customer, status=CartStatus.ACTIVE).count() == 1


@pytest.mark.parametrize("way", ["argument", "header"])
def test_a_guest_orders_again_by_token_into_a_new_cart(
    way: str, guests: Order, two: list[Variant], again: Any
) -> None:
    token = token_of(guests)
    if way == "argument":
        payload = again(guests, orderToken=token)
    else:
        payload = again(guests, headers={"Order-Token": token})
    assert lines(payload) == {two[0].sku: 2}
    cart = Cart.objects.get(digest=carts.digest_of(payload["token"]))
    assert (cart.user, cart.email) == (None, "")


@pytest.mark.parametrize("way", ["argument", "header"])
def test_a_guest_orders_again_into_the_cart_of_a_token(
    way: str, guests: Order, two: list[Variant], again: Any
) -> None:
    cart, token = carts.create(AnonymousUser())
    fill(cart, (two[0], 1))
    shown = {"Order-Token": token_of(guests)}
    if way == "argument":
        payload = again(guests, headers=shown, cart=token)
    else:
        payload = again(guests, headers={**shown, "Cart-Token": token})
    assert (lines(payload), payload["token"]) == ({two[0].sku: 3}, None)
    assert Cart.objects.exclude(order__isnull=False).count() == 1


def test_orders_of_others_answer_as_if_there_were_none(
    own: Order, guests: Order, customer: User, again: Any, dump: Any
) -> None:
    other = User.objects.create_user("other@example.org")
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    missing = Order(pk=own.pk + 10_000)
    before = dump()
    for order in (own, guests, missing):
        for user in (None, other, clerk):
            answer = again(order, user)
            assert codes(answer) == [("NOT_FOUND", ["id"])]
            assert answer["cart"] is None
        wrong = again(order, orderToken="wrong")
        assert codes(wrong) == [("NOT_FOUND", ["id"])]
    assert codes(again(guests, customer)) == [("NOT_FOUND", ["id"])]
    # The token of one order opens no other one.
    assert codes(again(own, orderToken=token_of(guests))) == [("NOT_FOUND", ["id"])]
    assert dump() == before


def test_tries_of_order_tokens_are_limited(guests: Order, client: Client, gid: Any) -> None:
    found = set()
    for number in range(TOKEN.address.tries + 2):
        values = {"id": gid(guests), "orderToken": f"wrong {number}"}
        answer = client.post(
            "/graphql/",
            {"query": DOCUMENT, "variables": {"input": values}},
            content_type="application/json",
        ).json()
        found |= {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert found == {"RATE_LIMITED"}
    assert not Cart.objects.filter(status=CartStatus.ACTIVE).exists()


def test_staff_who_see_orders_order_again_for_a_caller(
    own: Order, two: list[Variant], staff: User, again: Any
) -> None:
    cart, token = carts.create(staff, "caller@example.org")
    payload = again(own, staff, cart=token)
    assert lines(payload) == {two[0].sku: 2, two[1].sku: 3}
    cart.refresh_from_db()
    assert cart.user is None
    assert not Cart.objects.filter(active_key=staff.pk).exists()


def test_the_order_and_other_carts_stay_as_they_were(
    own: Order, two: list[Variant], customer: User, again: Any, dump: Any
) -> None:
    other, _ = carts.create(AnonymousUser())
    fill(other, (two[0], 4))
    before = dump()
    again(own, customer)
    after = dump()
    new = Cart.objects.get(active_key=customer.pk).pk
    after["shop.Cart"] = [row for row in after["shop.Cart"] if row["id"] != new]
    after["shop.CartLine"] = [row for row in after["shop.CartLine"] if row["cart_id"] != new]
    assert after == before


# --- Which cart -----------------------------------------------------------------------------------


def test_a_version_needs_a_cart_and_has_to_be_the_current_one(
    own: Order, two: list[Variant], customer: User, again: Any, dump: Any
) -> None:
    assert codes(again(own, customer, version=1)) == [("NOT_FOUND", ["cart"])]
    cart, _ = carts.create(customer)
    before = dump()
    assert codes(again(own, customer, version=cart.version + 1)) == [("CART_CHANGED", ["version"])]
    assert dump() == before


def test_a_cart_that_is_not_open_is_refused(guests: Order, again: Any, dump: Any) -> None:
    _, token = carts.create(AnonymousUser())
    Cart.objects.filter(digest=carts.digest_of(token)).update(status=CartStatus.MERGED)
    shown = {"Order-Token": token_of(guests)}
    before = dump()
    assert codes(again(guests, headers=shown, cart=token)) == [("CART_CLOSED", ["cart"])]
    assert codes(again(guests, headers=shown, cart="wrong")) == [("NOT_FOUND", ["cart"])]
    assert dump() == before


@pytest.mark.parametrize("status", list(OrderStatus))
def test_every_order_can_be_ordered_again(
    status: OrderStatus, own: Order, customer: User, again: Any
) -> None:
    Order.objects.filter(pk=own.pk).update(status=status)
    assert again(own, customer)["cart"]["quantity"] == 5


# --- Notices --------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["product deleted", "variant deleted", "draft", "no price"])
def test_what_is_not_sold_any_more_is_told(
    gone: str, own: Order, two: list[Variant], customer: User, again: Any
) -> None:
    name = two[0].product.name
    if gone.endswith("deleted"):
        Reservation.objects.all().delete()
        Stock.objects.update(reserved=0)
    if gone == "product deleted":
        products.delete(two[0].product)
    elif gone == "variant deleted":
        Variant.objects.filter(pk=two[0].pk).delete()
    elif gone == "draft":
        products.set_status(two[0].product, "draft")
    else:
        Variant.objects.filter(pk=two[0].pk).update(price=None)
    payload = again(own, customer)
    assert lines(payload) == {two[1].sku: 3}
    assert notices(payload) == [("REORDER_UNAVAILABLE", name, 2)]
    assert payload["cart"]["notices"][0]["message"] == (
        f"{name} is no longer available (quantity 2)."
    )


def test_what_is_short_is_capped_and_told(
    own: Order, two: list[Variant], customer: User, again: Any
) -> None:
    Stock.objects.filter(variant=two[0]).update(on_hand=3, reserved=2)
    Stock.objects.filter(variant=two[1]).update(on_hand=5, reserved=5)
    payload = again(own, customer)
    assert lines(payload) == {two[0].sku: 1}
    assert notices(payload) == [
        ("REORDER_REDUCED", two[0].product.name, 1),
        ("REORDER_OUT_OF_STOCK", two[1].product.name, 3),
    ]


def test_units_in_the_cart_stay_when_fewer_are_left(
    own: Order, two: list[Variant], customer: User, again: Any
) -> None:
    cart, _ = carts.create(customer)
    fill(cart, (two[0], 4))
    Stock.objects.filter(variant=two[0]).update(on_hand=3, reserved=0)
    payload = again(own, customer)
    assert lines(payload) == {two[0].sku: 4, two[1].sku: 3}
    assert notices(payload) == [
        ("REORDER_OUT_OF_STOCK", two[0].product.name, 2),
        ("OUT_OF_STOCK", None, None),
    ]


def test_back_order_has_no_end_but_the_largest_quantity(
    own: Order, two: list[Variant], customer: User, again: Any
) -> None:
    inventory.configure(two[0], backorder=True)
    cart, _ = carts.create(customer)
    fill(cart, (two[0], carts.MAX_QUANTITY - 1))
    payload = again(own, customer)
    assert lines(payload)[two[0].sku] == carts.MAX_QUANTITY
    assert notices(payload) == [("REORDER_REDUCED", two[0].product.name, 1)]


def test_other_prices_are_told_with_the_old_and_the_new_one(
    own: Order, two: list[Variant], customer: User, again: Any, api: Any
) -> None:
    variants.reprice(two[0], price=1250)
    variants.reprice(two[1], price=1999)
    payload = again(own, customer)
    found = [
        (one["code"], one["oldPrice"], one["newPrice"], bool(one["lineId"]))
        for one in payload["cart"]["notices"]
    ]

    def usd(amount: str) -> dict[str, str]:
        return {"amount": amount, "currency": "USD"}

    assert found == [
        ("PRICE_CHANGED", usd("10.00"), usd("12.50"), True),
        ("PRICE_CHANGED", usd("20.00"), usd("19.99"), True),
    ]
    seen = api(f"{{ {CART} }}", customer)["data"]["cart"]
    assert seen["notices"] == payload["cart"]["notices"]
    dismiss = "mutation { cartNoticesDismiss(input: {}) { cart { notices { code } } } }"
    assert api(dismiss, customer)["data"]["cartNoticesDismiss"]["cart"]["notices"] == []


def test_a_line_in_the_cart_tells_of_the_price_of_the_order_too(
    own: Order, two: list[Variant], customer: User, again: Any
) -> None:
    variants.reprice(two[0], price=1250)
    cart, _ = carts.create(customer)
    fill(cart, (two[0], 1))
    payload = again(own, customer)
    (notice,) = payload["cart"]["notices"]
    assert (notice["code"], notice["oldPrice"]["amount"]) == ("PRICE_CHANGED", "10.00")


@pytest.mark.parametrize("other", ["currency", "tax"])
def test_prices_that_do_not_compare_are_todays(
    other: str, own: Order, customer: User, again: Any
) -> None:
    if other == "currency":
        Order.objects.filter(pk=own.pk).update(currency="EUR")
        OrderLine.objects.filter(order=own.pk).update(currency="EUR", unit_price=1)
    else:
        Order.objects.filter(pk=own.pk).update(tax_included=True, total=own.total - own.tax)
        OrderLine.objects.filter(order=own.pk).update(unit_price=1)
    payload = again(own, customer)
    assert (payload["cart"]["quantity"], notices(payload)) == (5, [])


def test_a_cart_with_lines_in_a_former_currency_is_refused(
    own: Order, two: list[Variant], customer: User, again: Any, dump: Any
) -> None:
    cart, _ = carts.create(customer)
    fill(cart, (two[0], 1))
    Cart.objects.filter(pk=cart.pk).update(currency="EUR")
    before = dump()
    assert codes(again(own, customer)) == [("CURRENCY_MISMATCH", ["cart"])]
    assert dump() == before
    # An empty one takes the currency of today.
    CartLine.objects.filter(cart=cart.pk).delete()
    assert again(own, customer)["cart"]["quantity"] == 5


def test_notices_are_stored_until_they_are_dismissed(
    own: Order, two: list[Variant], customer: User, again: Any, api: Any
) -> None:
    products.set_status(two[0].product, "draft")
    payload = again(own, customer)
    assert api(f"{{ {CART} }}", customer)["data"]["cart"]["notices"] == payload["cart"]["notices"]


# --- Limits ---------------------------------------------------------------------------------------


def many(count: int, user: User) -> Order:
    """An order of so many lines, whose rows alone are made."""
    order = orders.place(user, {orders.variant(): 1})
    source = order.lines.get().variant.product
    made = Product.objects.bulk_create(
        Product(
            name=f"Many {number}",
            slug=f"many-{order.pk}-{number}",
            status=ProductStatus.PUBLISHED,
            published_at=source.published_at,
        )
        for number in range(count)
    )
    rows = Variant.objects.bulk_create(
        Variant(product=product, price=100, sku=f"MANY-{product.pk}", options_key=str(product.pk))
        for product in made
    )
    inventory.open_stock(Stock(variant=row, on_hand=100) for row in rows)
    line = order.lines.get()
    line.delete()
    sold = []
    for position, row in enumerate(rows):
        sold.append(OrderLine(**{**_copied(line), "position": position, "variant_id": row.pk}))
    OrderLine.objects.bulk_create(sold)
    return order


def _copied(line: OrderLine) -> dict[str, Any]:
    names = [field.attname for field in OrderLine._meta.concrete_fields if field.name != "id"]
    values = {name: getattr(line, name) for name in names}
    return values | {"unit_price": 101, "quantity": 1}


def statements(again: Any, count: int, *, there: bool) -> int:
    """SQL statements of ordering `count` lines again; into lines that are there, or new ones."""
    user = User.objects.create_user(f"{count}-{there}@example.org")
    order = many(count, user)
    if there:
        again(order, user)
    with CaptureQueriesContext(connection) as captured:
        payload = again(order, user)
    assert payload["cart"]["quantity"] == count * (1 + there)
    assert len(payload["cart"]["notices"]) == count
    return len(captured)


@pytest.mark.parametrize("there", [False, True])
def test_statements_do_not_grow_with_lines(there: bool, again: Any, db: None) -> None:
    statements(again, 2, there=there)
    few = statements(again, 10, there=there)
    assert statements(again, 20, there=there) == few
    # SQLite takes so many values in a statement, and Django splits what has more.
    if connection.features.max_query_params is None:
        assert statements(again, 250, there=there) == few
        assert statements(again, 500, there=there) == few


def test_a_cart_has_500_lines_and_no_more(customer: User, again: Any, dump: Any) -> None:
    order = many(500, customer)
    cart, _ = carts.create(customer)
    fill(cart, (orders.variant(), 1))
    before = dump()
    refused = again(order, customer)
    assert codes(refused) == [("CART_FULL", ["id"])]
    assert refused["cart"] is None
    assert dump() == before
    CartLine.objects.filter(cart=cart.pk).delete()
    assert again(order, customer)["cart"]["quantity"] == 500
    # Units are added to lines that are there.
    assert again(order, customer)["cart"]["quantity"] == 1000


def test_lines_that_are_not_sold_any_more_do_not_fill_a_cart(
    own: Order, two: list[Variant], customer: User, again: Any, settings: Any
) -> None:
    settings.CART_MAX_LINES = 1
    assert codes(again(own, customer)) == [("CART_FULL", ["id"])]
    products.set_status(two[1].product, "draft")
    assert lines(again(own, customer)) == {two[0].sku: 2}


def test_a_trusted_operation_orders_again(
    guests: Order, two: list[Variant], client: Client, gid: Any
) -> None:
    values = {"id": gid(guests), "orderToken": token_of(guests)}
    answer = client.post("/api/order-reorder", values, content_type="application/json").json()
    found: SimpleNamespace = SimpleNamespace(**answer["data"]["orderReorder"])
    assert (found.cart["quantity"], bool(found.token), found.userErrors) == (2, True, [])
