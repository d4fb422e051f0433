"""Concurrent requests about carts: sign-ins with one guest's cart, first lines of one account."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError

from shop.actions import carts
from shop.actions.carts.pricing import name_of
from shop.actions.catalog import products
from shop.actions.rows import atomically
from shop.errors import Busy, NotFound
from shop.models import Cart, Product, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shared_database")]


def test_a_guests_cart_becomes_that_of_one_account(at_once: Any) -> None:
    for _ in range(5):
        guest, token = carts.create(AnonymousUser())
        assert token is not None
        accounts = [
            User.objects.create_user(email=f"ann{guest.pk}-{n}@example.org", password=None)
            for n in range(8)
        ]
        merges = [partial(carts.merge, account, token) for account in accounts]
        ends = at_once(*[partial(atomically, merge) for merge in merges])
        taken = [end for end in ends if isinstance(end, Cart)]
        assert [cart.pk for cart in taken] == [guest.pk]
        assert sum(isinstance(end, NotFound) for end in ends) == len(accounts) - 1
        cart = Cart.objects.get(pk=guest.pk)
        assert (cart.user_id, cart.email) == (taken[0].user_id, taken[0].email)
        assert cart.active_key == cart.user_id


def test_concurrent_first_lines_of_a_customer_make_one_cart(
    at_once: Any, send: Any, selling: SimpleNamespace, gid: Any
) -> None:
    document = """mutation($input: CartLinesAddInput!) {
      cartLinesAdd(input: $input) { cart { id } userErrors { code message } } }"""
    lines = [{"variant": gid(selling.variants[0]), "quantity": 1}]
    for number in range(3):
        user = User.objects.create_user(f"first{number}@example.org", None)
        add = partial(send, document, user, input={"lines": lines})
        answers = at_once(*[add] * 4)
        payloads = [answer["data"]["cartLinesAdd"] for answer in answers]
        assert [payload["userErrors"] for payload in payloads] == [[]] * 4
        cart = Cart.objects.get(user=user)
        assert {payload["cart"]["id"] for payload in payloads} == {gid(cart)}
        assert cart.active_key == user.pk
        assert [line.quantity for line in cart.lines.all()] == [4]


def test_every_cart_that_got_a_deleted_variant_has_a_notice(
    at_once: Any, selling: SimpleNamespace
) -> None:
    """Shoppers add a product while staff delete it: no unit leaves a cart without a notice."""
    for product in selling.products[:3]:
        rows = [row for row in selling.variants if row.product_id == product.pk]
        first, second = name_of(rows[0]), name_of(rows[1])
        made = [carts.create(AnonymousUser())[0] for _ in range(8)]
        for cart in made[:4]:
            carts.add(cart, [(rows[0].pk, 1)])

        def add(cart: Cart, key: int) -> None:
            carts.add(Cart.objects.get(pk=cart.pk), [(key, 1)])

        ends = at_once(
            *[partial(atomically, partial(add, cart, rows[1].pk)) for cart in made],
            partial(atomically, partial(products.delete, Product.objects.get(pk=product.pk))),
        )
        assert ends[-1] is None
        for number, cart in enumerate(made):
            row = Cart.objects.get(pk=cart.pk)
            assert not row.lines.exists()
            told = {notice["name"] for notice in row.stored_notices}
            expected = {first} if number < 4 else set()
            if ends[number] is None:
                expected |= {second}
            else:
                assert isinstance(ends[number], (NotFound, Busy, IntegrityError)), ends[number]
            assert told == expected
            # Created, filled, and one more for each change.
            assert row.version > 1 or not expected


def test_concurrent_cart_create_and_lines_add_make_one_cart(
    at_once: Any, send: Any, selling: SimpleNamespace, gid: Any
) -> None:
    create = """mutation($input: CartCreateInput!) {
      payload: cartCreate(input: $input) { cart { id } userErrors { code message } } }"""
    add = create.replace("CartCreate", "CartLinesAdd").replace("cartCreate", "cartLinesAdd")
    lines = [{"variant": gid(selling.variants[0]), "quantity": 1}]
    for number in range(3):
        user = User.objects.create_user(f"mixed{number}@example.org", None)
        calls = [partial(send, text, user, input={"lines": lines}) for text in (create, add)]
        answers = at_once(*calls * 2)
        assert [answer["data"]["payload"]["userErrors"] for answer in answers] == [[]] * 4
        cart = Cart.objects.get(user=user)
        assert [line.quantity for line in cart.lines.all()] == [4]
