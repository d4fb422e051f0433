"""What a cart comes to at its edges, and what cannot be priced."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from shop.errors import AmountTooLarge, CurrencyMismatch
from shop.money import MAX_MINOR_UNITS
from shop.pricing import (
    AutomaticDiscount,
    Basket,
    Destination,
    Line,
    Rules,
    ShippingRate,
    Taxes,
    TaxRate,
    VoucherKind,
    price,
)
from tests.shop.pricing.carts import NOW, RULES, basket, everywhere, voucher


def test_a_line_tells_what_it_saves() -> None:
    lines = (
        Line(key=1, quantity=3, unit_price=800, compare_at=1000),
        Line(key=2, quantity=1, unit_price=800),
        Line(key=3, quantity=1, unit_price=800, compare_at=700),
        Line(key=4, quantity=1, unit_price=0),
    )
    result = price(Basket(currency="USD", lines=lines), RULES, now=NOW)
    assert [line.saved for line in result.lines] == [600, 0, 0, 0]
    assert (result.saved, result.subtotal, result.discount, result.total) == (600, 4000, 0, 4000)


def test_an_empty_cart_costs_nothing() -> None:
    rules = replace(RULES, zones=(everywhere(ShippingRate(key=1, price=500)),))
    result = price(basket(destination=Destination("US"), voucher=voucher()), rules, now=NOW)
    assert (result.subtotal, result.discount, result.shipping, result.total) == (0, 0, None, 0)
    assert result.notices == ()
    assert result.tax_included, "Prices include the tax unless the rules say otherwise."


def test_another_currency_than_the_rules_is_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        price(basket(1), Rules(currency="EUR"), now=NOW)


def test_the_largest_amount_is_priced_exactly() -> None:
    result = price(basket(MAX_MINOR_UNITS - 1, 1), RULES, now=NOW)
    assert result.total == MAX_MINOR_UNITS


@pytest.mark.parametrize("asked", [(MAX_MINOR_UNITS, 1), (MAX_MINOR_UNITS + 1,)])
def test_more_than_the_largest_amount_is_refused(asked: tuple[int, ...]) -> None:
    with pytest.raises(AmountTooLarge):
        price(basket(*asked), RULES, now=NOW)


def test_a_discount_does_not_bring_a_subtotal_below_the_largest_amount() -> None:
    rules = replace(RULES, automatic=(AutomaticDiscount(key=1, basis_points=5000),))
    assert price(basket(MAX_MINOR_UNITS), rules, now=NOW).total == MAX_MINOR_UNITS // 2
    with pytest.raises(AmountTooLarge):
        price(basket(MAX_MINOR_UNITS, 1), rules, now=NOW)


def test_tax_and_shipping_count_towards_the_largest_amount() -> None:
    taxed = Rules(currency="USD", taxes=Taxes(included=False, rates=(TaxRate("US", 1),)))
    shipped = Rules(currency="USD", zones=(everywhere(ShippingRate(key=1, price=1)),))
    for rules in (taxed, shipped):
        with pytest.raises(AmountTooLarge):
            price(basket(MAX_MINOR_UNITS, destination=Destination("US")), rules, now=NOW)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Line(key=1, quantity=0, unit_price=1),
        lambda: Line(key=1, quantity=-1, unit_price=1),
        lambda: Line(key=1, quantity=1, unit_price=-1),
        lambda: Line(key=1, quantity=1, unit_price=1, weight=-1),
        lambda: Line(key=1, quantity=1, unit_price=1, compare_at=-1),
        lambda: Basket(currency="USD", lines=basket(1).lines * 2),
        lambda: TaxRate("US", -1),
        lambda: TaxRate("US", 10_001),
        lambda: ShippingRate(key=1, price=-1),
        lambda: ShippingRate(key=1, price=1, min_weight=-1),
        lambda: ShippingRate(key=1, price=1, max_weight=-1),
        lambda: ShippingRate(key=1, price=1, min_total=-1),
        lambda: ShippingRate(key=1, price=1, max_total=-1),
        lambda: voucher(value=-1),
        lambda: voucher(VoucherKind.PERCENT, 10_001),
        lambda: voucher(currency=None),
        lambda: voucher(minimum_subtotal=-1),
        lambda: voucher(usage_limit=-1),
        lambda: voucher(customer_limit=-1),
        lambda: voucher(VoucherKind.PERCENT, 1, minimum_subtotal=1, currency=None),
        lambda: AutomaticDiscount(key=1, basis_points=10_001),
        lambda: AutomaticDiscount(key=1, basis_points=1, minimum_subtotal=-1),
    ],
)
def test_what_makes_no_sense_cannot_be_made(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"negative|at least 1|same variant|basis points|currency"):
        make()
