"""Lines of a basket, and what the defaults of a shop's taxes are."""

from shop.pricing.baskets import Basket, Line
from shop.pricing.taxes import Taxes


def test_lines_without_a_parcel_are_not_shipped() -> None:
    mug = Line(key=1, quantity=2, unit_price=1250, weight=300)
    download = Line(key=2, quantity=1, unit_price=900, weight=5, requires_shipping=False)
    basket = Basket(currency="USD", lines=(mug, download))
    assert basket.shipped == (mug,)
    assert (basket.subtotal, basket.shipped_subtotal, basket.weight) == (3400, 2500, 600)


def test_prices_include_taxes_unless_the_shop_says_otherwise() -> None:
    assert Taxes().included is True
    assert Taxes(included=False).included is False
