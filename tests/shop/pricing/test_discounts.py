"""Vouchers of every kind and each reason against them; automatic discounts."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shop.pricing import (
    AutomaticDiscount,
    Basket,
    Destination,
    Discount,
    Line,
    Notice,
    ShippingRate,
    Taxes,
    TaxRate,
    Usage,
    Voucher,
    VoucherKind,
    price,
    refusal,
)
from tests.shop.pricing.carts import NOW, RULES, basket, everywhere, voucher

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("given", "usage", "reason"),
    [
        ({}, Usage(), None),
        ({"currency": "EUR"}, Usage(), Notice.VOUCHER_WRONG_CURRENCY),
        ({"starts_at": NOW}, Usage(), None),
        ({"starts_at": NOW + SECOND}, Usage(), Notice.VOUCHER_NOT_STARTED),
        ({"ends_at": NOW + SECOND}, Usage(), None),
        ({"ends_at": NOW}, Usage(), Notice.VOUCHER_EXPIRED),
        ({"usage_limit": 10}, Usage(9, 9), None),
        ({"usage_limit": 10}, Usage(10, 0), Notice.VOUCHER_USED_UP),
        ({"usage_limit": 10}, Usage(11, 0), Notice.VOUCHER_USED_UP),
        ({"usage_limit": 0}, Usage(), Notice.VOUCHER_USED_UP),
        ({"customer_limit": 1}, Usage(5, 0), None),
        ({"customer_limit": 1}, Usage(5, 1), Notice.VOUCHER_USED_BY_CUSTOMER),
        ({"minimum_subtotal": 2000}, Usage(), None),
        ({"minimum_subtotal": 2001}, Usage(), Notice.VOUCHER_BELOW_MINIMUM),
        # Where there are several reasons, the one that another product would not mend.
        ({"minimum_subtotal": 2001, "ends_at": NOW}, Usage(), Notice.VOUCHER_EXPIRED),
    ],
)
@pytest.mark.parametrize("kind", VoucherKind)
def test_a_voucher_that_does_not_apply_says_why(
    kind: VoucherKind, given: dict[str, Any], usage: Usage, reason: Notice | None
) -> None:
    entered = voucher(kind, **given)
    assert refusal(entered, usage, subtotal=2000, currency="USD", now=NOW) == reason
    asked = basket(1500, 500, destination=Destination("US"), voucher=entered, usage=usage)
    rules = replace(RULES, zones=(everywhere(ShippingRate(key=1, price=700)),))
    result = price(asked, rules, now=NOW)
    off = {VoucherKind.PERCENT: 100, VoucherKind.FIXED: 500, VoucherKind.FREE_SHIPPING: 700}[kind]
    assert result.notices == ((reason,) if reason else ())
    assert result.discounts == (() if reason else (Discount(entered, off),))
    assert result.discount == (0 if reason else off)
    assert result.total == 2700 - result.discount
    assert result.shipping
    assert result.shipping.discount == (
        700 if kind is VoucherKind.FREE_SHIPPING and not reason else 0
    )


def test_a_voucher_without_amounts_holds_in_any_currency() -> None:
    entered = Voucher(code="V", kind=VoucherKind.PERCENT, value=1000)
    assert refusal(entered, Usage(), subtotal=1, currency="KWD", now=NOW) is None


def test_free_shipping_before_an_address_is_known_takes_off_nothing_yet() -> None:
    entered = voucher(VoucherKind.FREE_SHIPPING)
    result = price(basket(1000, voucher=entered), RULES, now=NOW)
    assert result.discounts == (Discount(entered, 0),)
    assert entered.off(1000) == 0
    assert (result.discount, result.total) == (0, 1000)


TEN = AutomaticDiscount(key=1, basis_points=1000, minimum_subtotal=10_000)
TWENTY = AutomaticDiscount(key=2, basis_points=2000, minimum_subtotal=50_000)
SALE = AutomaticDiscount(
    key=3, basis_points=3000, starts_at=NOW - SECOND, ends_at=NOW, minimum_subtotal=0
)


@pytest.mark.parametrize(
    ("subtotal", "now", "key", "discount"),
    [
        (9_999, NOW, None, 0),
        (10_000, NOW, 1, 1000),
        (49_999, NOW, 1, 5000),
        (50_000, NOW, 2, 10_000),
        (50_000, NOW - SECOND, 3, 15_000),
        (50_000, NOW - 2 * SECOND, 2, 10_000),
    ],
)
def test_the_largest_automatic_discount_that_applies_is_taken(
    subtotal: int, now: datetime, key: int | None, discount: int
) -> None:
    rules = replace(RULES, automatic=(TEN, TWENTY, SALE))
    result = price(basket(subtotal), rules, now=now)
    assert [each.source.key for each in result.discounts if each.source in rules.automatic] == (
        [key] if key else []
    )
    assert (result.discount, result.total) == (discount, subtotal - discount)


def test_without_a_minimum_a_discount_applies_to_any_subtotal() -> None:
    assert AutomaticDiscount(key=1, basis_points=1).applies(subtotal=0, now=NOW)


def test_a_voucher_comes_off_what_the_automatic_discount_leaves() -> None:
    entered = voucher(VoucherKind.PERCENT, 1000, minimum_subtotal=10_000)
    result = price(basket(10_000, voucher=entered), replace(RULES, automatic=(TEN,)), now=NOW)
    assert result.discounts == (Discount(TEN, 1000), Discount(entered, 900))
    assert (result.discount, result.total) == (1900, 8100)


def test_a_tie_goes_to_the_line_with_the_higher_tax() -> None:
    rules = replace(RULES, taxes=Taxes(included=False, rates=(TaxRate("US", 10_000, "luxury"),)))
    lines = (
        Line(key=1, quantity=1, unit_price=10),
        Line(key=2, quantity=1, unit_price=10, tax_category="luxury"),
    )
    for given in (lines, lines[::-1]):
        result = price(
            Basket(
                currency="USD",
                lines=given,
                destination=Destination("US"),
                voucher=voucher(value=1),
            ),
            rules,
            now=NOW,
        )
        assert {line.key: line.discount for line in result.lines} == {1: 0, 2: 1}
        assert result.total == 28
