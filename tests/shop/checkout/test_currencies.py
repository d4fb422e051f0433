"""Carts from before the shop changed its currency: no amount is taken for one of another."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from shop.actions import carts, checkout, inventory
from shop.actions.catalog import products
from shop.errors import CurrencyMismatch, Several
from shop.models import AutomaticDiscount, Cart, ShippingRate, Stock, User
from tests.shop.selling import ready

pytestmark = pytest.mark.django_db


@pytest.fixture
def cart(selling: SimpleNamespace) -> Cart:
    """Goods for 4.01 dollars, to be sent to Berlin."""
    return ready(AnonymousUser(), (selling.variants[0], 2), (selling.variants[5], 1))[0]


@pytest.fixture
def yen(selling: SimpleNamespace, settings: Any) -> SimpleNamespace:
    """The shop has changed its currency; what it sells from now on costs 300 yen, to send 100."""
    settings.SHOP_CURRENCY = "JPY"
    ShippingRate.objects.create(zone=selling.zone, name="Yen", price=100, currency="JPY")
    AutomaticDiscount.objects.create(name="Half", basis_points=5000, currency="JPY")
    bowl = products.create(name="Bowl", variants=[{"price": 300}], status="published")
    selling.bowl = bowl.variants.get()
    inventory.open_stock([Stock(variant=selling.bowl, on_hand=5)])
    return selling


def wish(cart: Cart, expected_total: int) -> checkout.Wish:
    return checkout.Wish(
        cart=cart,
        user=AnonymousUser(),
        provider="demo",
        method="",
        expected_total=expected_total,
    )


def test_rates_in_yen_are_not_charged_in_dollars(
    cart: Cart, yen: SimpleNamespace, dump: Any
) -> None:
    price = carts.priced(cart).price
    assert (price.currency, price.subtotal, price.shipping, price.discount) == ("USD", 401, None, 0)
    before = dump()
    with pytest.raises(Several) as caught:
        checkout.complete(wish(cart, 401), key=None)
    codes = [error.code for error in caught.value.each]
    assert codes == ["CURRENCY_MISMATCH", "SHIPPING_NOT_OFFERED"]
    assert dump() == before


def test_an_emptied_cart_takes_the_currency_that_the_shop_has(
    cart: Cart, yen: SimpleNamespace
) -> None:
    with pytest.raises(CurrencyMismatch):
        carts.add(cart, [(yen.bowl.pk, 1)])
    carts.remove(cart, list(cart.lines.values_list("pk", flat=True)))
    carts.add(cart, [(yen.bowl.pk, 1)])
    # Half of 300, and 100 for the shipping, with 20 % tax.
    order = checkout.complete(wish(cart, 300), key=None).order
    assert (order.currency, order.total) == ("JPY", 300)


@pytest.mark.parametrize("is_empty", [False, True])
def test_at_sign_in_no_dollars_become_yen(
    is_empty: bool, cart: Cart, customer: User, yen: SimpleNamespace
) -> None:
    Cart.objects.filter(pk=cart.pk).update(user=customer, active_key=customer.pk)
    if is_empty:
        cart.lines.all().delete()
    _, token = ready(AnonymousUser(), (yen.bowl, 2))
    own = carts.merge(customer, token or "")
    assert own.currency == ("JPY" if is_empty else "USD")
    currencies = own.lines.values_list("variant__currency", flat=True)
    assert set(currencies) == {own.currency}
