"""Totals below what a provider takes are refused before anything is written."""

from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import AnonymousUser

from shop.actions import carts, checkout
from shop.actions.catalog import variants
from shop.errors import AmountTooSmall
from shop.gateways import Failure, Refused, gateway_of, names
from shop.models import Cart, Order, Payment
from tests.shop.payments.stripe_fake import Fake
from tests.shop.payments.test_stripe import request
from tests.shop.selling import ready

STRIPE = gateway_of("stripe")


@pytest.mark.parametrize(
    ("currency", "minimum"),
    [
        ("USD", 50),
        ("EUR", 50),
        ("GBP", 30),
        ("DKK", 250),
        ("CZK", 1500),
        ("HUF", 17500),
        ("MXN", 1000),
        ("THB", 1000),
        # Without places.
        ("JPY", 50),
        # Stripe lists none.
        ("KWD", 0),
        ("ISK", 0),
    ],
)
def test_stripe_has_a_minimum_for_each_currency_that_it_lists(currency: str, minimum: int) -> None:
    assert STRIPE.minimum(currency) == minimum


def test_other_providers_have_no_minimum() -> None:
    others = [gateway_of(name) for name in names() if name != "stripe"]
    assert {gateway.minimum("USD") for gateway in others} == {0}


def test_stripe_says_by_itself_that_an_amount_is_too_small(stripe: Fake) -> None:
    with pytest.raises(Refused) as caught:
        STRIPE.pay(request(amount=49, method="pm_card_visa"))
    assert caught.value.failure == Failure.AMOUNT_TOO_SMALL


@pytest.fixture
def cart(selling: SimpleNamespace, stripe: Fake) -> Cart:
    """A mug without shipping costs; 20 % tax come on top of its price."""
    selling.standard.price = 0
    selling.standard.save()
    return ready(AnonymousUser(), (selling.variants[0], 1))[0]


def buy(cart: Cart, total: int) -> checkout.Completed:
    wish = checkout.Wish(
        cart=cart,
        user=AnonymousUser(),
        provider="stripe",
        method="pm_card_visa",
        expected_total=total,
    )
    return checkout.complete(wish, key="k")


def test_a_cent_below_the_minimum_nothing_is_written(
    cart: Cart, selling: SimpleNamespace, stripe: Fake, dump: Any
) -> None:
    variants.reprice(selling.variants[0], price=41)
    assert carts.priced(cart).price.total == 49
    before = dump()
    for _ in range(2):
        with pytest.raises(AmountTooSmall) as caught:
            buy(cart, 49)
    assert (caught.value.code, caught.value.field) == ("AMOUNT_TOO_SMALL", ("payment",))
    assert caught.value.message == "This way to pay takes 0.50 USD or more."
    assert dump() == before
    assert stripe.calls == []


def test_the_minimum_itself_is_paid(cart: Cart, selling: SimpleNamespace) -> None:
    variants.reprice(selling.variants[0], price=42)
    assert buy(cart, 50).order.payment_status == "paid"


def test_a_minimum_that_only_stripe_knows_has_the_same_code(
    cart: Cart, selling: SimpleNamespace
) -> None:
    """That of the account's settlement currency, for example."""
    variants.reprice(selling.variants[0], price=41)
    with mock.patch.object(STRIPE, "minimum", return_value=0):
        for _ in range(2):
            with pytest.raises(AmountTooSmall):
                buy(cart, 49)
    assert Order.objects.get().status == "cancelled"
    assert Payment.objects.get().failure == Failure.AMOUNT_TOO_SMALL
    cart.refresh_from_db()
    assert cart.status == "active"
