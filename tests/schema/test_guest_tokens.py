"""Guests show the tokens of their cart and orders in request headers."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.views.debug import SafeExceptionReporterFilter
from graphql_jwt.shortcuts import get_token

from schema.opened import opened
from schema.serving import _is_stranger, service
from shop.actions import carts
from shop.actions.orders import token_of
from shop.models import Cart, User
from tests.shop import orders

NODE = "query($id: ID!) { node(id: $id) { id ... on Order { lines { edges { node { id } } } } } }"
LINES = "query($id: ID!) { node(id: $id) { ... on Cart { lines { edges { node { id } } } } } }"


@pytest.fixture
def ask(client: Client) -> Any:
    def send(document: str, user: User | None = None, *, headers: Any = None, **values: Any) -> Any:
        sent = dict(headers or {})
        if user is not None:
            sent["Authorization"] = f"Bearer {get_token(user)}"
        body = {"query": document, "variables": values}
        return client.post("/graphql/", body, content_type="application/json", headers=sent)

    return send


@pytest.fixture
def bought(db: None) -> SimpleNamespace:
    order = orders.place(None, {orders.variant(): 3})
    return SimpleNamespace(row=order, token=token_of(order))


@pytest.fixture
def cart(db: None) -> SimpleNamespace:
    row, token = carts.create(AnonymousUser())
    carts.add(row, [(orders.variant().pk, 2)])
    return SimpleNamespace(row=row, token=token)


def test_the_header_opens_a_guests_order_and_what_belongs_to_it(
    bought: SimpleNamespace, ask: Any, gid: Any
) -> None:
    shown = {"Order-Token": bought.token}
    found = ask(NODE, headers=shown, id=gid(bought.row)).json()["data"]["node"]
    (edge,) = found["lines"]["edges"]
    assert edge["node"]["id"] == gid(bought.row.lines.get())
    line = ask(NODE, headers=shown, id=edge["node"]["id"]).json()
    assert line == {"data": {"node": {"id": edge["node"]["id"]}}}


def test_the_header_opens_a_guests_cart(cart: SimpleNamespace, ask: Any, gid: Any) -> None:
    shown = {"Cart-Token": cart.token}
    found = ask(LINES, headers=shown, id=gid(cart.row)).json()["data"]["node"]
    assert len(found["lines"]["edges"]) == 1
    assert ask("{ cart { id } }", headers=shown).json()["data"]["cart"] == {"id": gid(cart.row)}


def test_several_tokens_open_several_orders(bought: SimpleNamespace, ask: Any, gid: Any) -> None:
    other = orders.place(None, {orders.variant(): 1})
    shown = {"Order-Token": f"wrong, {bought.token} ,{token_of(other)}"}
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = [gid(bought.row), gid(other)]
    assert ask(document, headers=shown, ids=ids).json() == {
        "data": {"nodes": [{"id": found} for found in ids]}
    }


@pytest.mark.parametrize("token", ["wrong", "", ",", "\u00e9", "x" * 5000])
def test_a_wrong_token_opens_nothing_and_is_no_error(
    token: str, bought: SimpleNamespace, cart: SimpleNamespace, ask: Any, gid: Any
) -> None:
    for header, row in (("Order-Token", bought.row), ("Cart-Token", cart.row)):
        answer = ask(
            "query($id: ID!) { node(id: $id) { id } }", headers={header: token}, id=gid(row)
        )
        assert answer.json() == {"data": {"node": None}}


def test_each_header_opens_its_own_kind_only(
    bought: SimpleNamespace, cart: SimpleNamespace, ask: Any, gid: Any
) -> None:
    shown = {"Order-Token": cart.token, "Cart-Token": bought.token}
    for row in (bought.row, cart.row):
        assert ask(LINES, headers=shown, id=gid(row)).json() == {"data": {"node": None}}


def test_the_cart_of_an_account_opens_for_the_account_alone(
    cart: SimpleNamespace, customer: User, staff: User, ask: Any, gid: Any
) -> None:
    shown = {"Cart-Token": cart.token}
    Cart.objects.filter(pk=cart.row.pk).update(user=customer, active_key=customer.pk)
    other = User.objects.create_user("other@example.org")
    for user, expected in ((None, False), (other, False), (customer, True), (staff, True)):
        found = ask(LINES, user, headers=shown, id=gid(cart.row)).json()["data"]["node"]
        assert bool(found) is expected
        request = RequestFactory().get("/graphql/", headers=shown)
        request.user = user or AnonymousUser()
        assert list(opened(request, Cart)) == ([cart.row.pk] if user == customer else [])


def test_the_cart_of_a_guest_opens_for_customers_too(
    cart: SimpleNamespace, customer: User, ask: Any, gid: Any
) -> None:
    shown = {"Cart-Token": cart.token}
    assert ask(LINES, customer, id=gid(cart.row)).json()["data"]["node"] is None
    found = ask(LINES, customer, headers=shown, id=gid(cart.row)).json()["data"]["node"]
    assert len(found["lines"]["edges"]) == 1


def test_the_token_in_the_input_comes_before_the_header(
    cart: SimpleNamespace, ask: Any, gid: Any
) -> None:
    other, token = carts.create(AnonymousUser())
    document = "mutation($input: CartEmailSetInput!) { cartEmailSet(input: $input) {"
    document += " cart { id } userErrors { code } } }"
    values = {"cart": token, "email": "guest@example.org"}
    changed = ask(document, headers={"Cart-Token": cart.token}, input=values).json()
    assert changed["data"]["cartEmailSet"] == {"cart": {"id": gid(other)}, "userErrors": []}


def test_more_than_ten_tokens_are_refused(bought: SimpleNamespace, ask: Any, gid: Any) -> None:
    tokens = [*["wrong"] * 9, bought.token]
    document = "query($id: ID!) { shop { currency } node(id: $id) { id } }"
    answer = ask(document, headers={"Order-Token": ",".join(tokens)}, id=gid(bought.row)).json()
    assert answer["data"]["node"] == {"id": gid(bought.row)}
    shown = {"Order-Token": ",".join([*tokens, "wrong"])}
    answer = ask(document, headers=shown, id=gid(bought.row)).json()
    assert answer["data"]["node"] is None
    assert answer["data"]["shop"] == {"currency": "USD"}
    (error,) = answer["errors"]
    assert error["path"] == ["node"]
    assert error["extensions"]["code"] == "BAD_REQUEST"


def test_the_header_stands_in_for_the_token_of_a_cart_mutation(
    cart: SimpleNamespace, customer: User, ask: Any, gid: Any
) -> None:
    document = "mutation($input: CartEmailSetInput!) { cartEmailSet(input: $input) {"
    document += " cart { id email } userErrors { code } } }"
    values = {"email": "guest@example.org"}
    shown = {"Cart-Token": cart.token}
    changed = ask(document, headers=shown, input=values).json()["data"]["cartEmailSet"]
    assert changed["cart"] == {"id": gid(cart.row), "email": "guest@example.org"}
    # Two carts in the header: none of them is meant.
    for headers in ({}, {"Cart-Token": f"{cart.token},{cart.token}"}):
        refused = ask(document, headers=headers, input=values).json()["data"]["cartEmailSet"]
        assert refused == {"cart": None, "userErrors": [{"code": "NOT_FOUND"}]}
    # A customer means the account's cart, and there is none.
    refused = ask(document, customer, headers=shown, input=values).json()["data"]["cartEmailSet"]
    assert refused["userErrors"] == [{"code": "NOT_FOUND"}]


def test_lines_are_added_to_the_cart_in_the_header(
    cart: SimpleNamespace, ask: Any, gid: Any
) -> None:
    document = "mutation($input: CartLinesAddInput!) { cartLinesAdd(input: $input) {"
    document += " cart { id quantity } userErrors { code } } }"
    values = {"lines": [{"variant": gid(cart.row.lines.get().variant), "quantity": 1}]}
    added = ask(document, headers={"Cart-Token": cart.token}, input=values).json()
    assert added["data"]["cartLinesAdd"]["cart"] == {"id": gid(cart.row), "quantity": 3}


def test_a_header_costs_one_statement(bought: SimpleNamespace, ask: Any, gid: Any) -> None:
    def statements(**arguments: Any) -> int:
        ask(NODE, **arguments)
        with CaptureQueriesContext(connection) as found:
            ask(NODE, **arguments)
        return len(found)

    shown = {"Order-Token": bought.token}
    without = statements(id=gid(bought.row))
    nothing = statements(id=gid(bought.row), headers={"Order-Token": "wrong"})
    assert nothing == without + 1
    # Then come the order and its lines.
    assert statements(id=gid(bought.row), headers=shown) == nothing + 2
    with CaptureQueriesContext(connection) as found:
        ask("{ products(first: 1) { edges { cursor } } }", headers=shown)
    assert not [query for query in found if "digest" in query["sql"]]


@pytest.mark.parametrize("header", ["Cart-Token", "Order-Token"])
def test_answers_to_a_header_are_private(header: str, client: Client, db: None) -> None:
    address = "/graphql/?query={products(first:1){edges{cursor}}}"
    for headers in ({}, {header: "wrong"}):
        response = client.get(address, headers=headers)
        assert {"Cart-Token", "Order-Token"} <= {*response["Vary"].split(", ")}
    assert "private" in response["Cache-Control"]
    response = client.post("/api/shop-info", {}, content_type="application/json", headers=headers)
    assert "private" in response["Cache-Control"]


@pytest.mark.parametrize("header", ["Cart-Token", "Order-Token"])
def test_requests_with_a_header_share_no_cached_answer(header: str, db: None) -> None:
    for headers, is_stranger in (({}, True), ({header: "wrong"}, False)):
        request = RequestFactory().post("/graphql/", headers=headers)
        request.user = AnonymousUser()
        assert _is_stranger(request) is is_stranger


def test_browsers_may_send_the_headers(client: Client, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://store.example.org"]
    asked = {
        "Origin": "https://store.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "cart-token,order-token",
    }
    response = client.options("/graphql/", headers=asked)
    assert {"cart-token", "order-token"} <= {*response["Access-Control-Allow-Headers"].split(", ")}


def test_tokens_in_headers_are_never_logged(
    bought: SimpleNamespace,
    ask: Any,
    gid: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = {"Order-Token": bought.token, "Cart-Token": bought.token}
    ask(NODE, headers=shown, id=gid(bought.row))

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(type(service), "run", fail)
    with pytest.raises(RuntimeError):
        ask(NODE, headers=shown, id=gid(bought.row))
    assert caplog.records
    assert bought.token not in caplog.text
    request = RequestFactory().post("/graphql/", headers=shown)
    reported = SafeExceptionReporterFilter().get_safe_request_meta(request)
    assert bought.token not in str(reported)
