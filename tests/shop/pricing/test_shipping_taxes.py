"""Tax on the postage: its shares, and what of them goes back with refunds."""

import os
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop.actions.aftersales.shares import share
from shop.pricing import (
    Basket,
    Destination,
    Priced,
    Rules,
    ShippedGoods,
    ShippingRate,
    ShippingTax,
    Taxes,
    TaxRate,
    TaxShare,
    VoucherKind,
    in_proportion,
    price,
    taken_from,
    without,
)
from tests.shop.pricing.carts import NOW, RULES, basket, everywhere, voucher
from tests.shop.pricing.test_properties import CURRENCIES, carts_in

pytestmark = pytest.mark.prove
many = settings(
    max_examples=10_000 if os.environ.get("PROVE") else 400,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def shares_of(priced: Priced) -> tuple[TaxShare, ...]:
    return priced.shipping.shares if priced.shipping else ()


@pytest.mark.parametrize("currency", CURRENCIES)
def test_shares_add_up_to_the_postage_and_the_tax(currency: str) -> None:
    @many
    @given(carts_in(currency))
    def check(cart: tuple[Basket, Rules]) -> None:
        priced = price(*cart, now=NOW)
        shares, shipping = shares_of(priced), priced.shipping
        assert priced.tax == sum(one.tax for one in (*priced.lines, *shares))
        assert priced.total == sum(one.total for one in (*priced.lines, *shares))
        if shipping is None:
            return
        assert shipping.total == sum(one.total for one in shares)
        assert shipping.tax == sum(one.tax for one in shares)
        taxed = 0 if priced.tax_included else shipping.tax
        assert sum(one.total for one in shares) - taxed == shipping.subtotal - shipping.discount
        assert all(0 <= one.tax <= one.total and one.total > 0 for one in shares)
        assert len({one.tax_rate for one in shares}) == len(shares)

    check()


@pytest.mark.parametrize("currency", CURRENCIES)
def test_the_postage_follows_the_value_of_the_goods(currency: str) -> None:
    @many
    @given(carts_in(currency))
    def check(cart: tuple[Basket, Rules]) -> None:
        chosen, rules = cart
        taxes = replace(rules.taxes, shipping=ShippingTax.PROPORTIONAL)
        priced = price(chosen, replace(rules, taxes=taxes), now=NOW)
        values: Counter[int] = Counter()
        for line in priced.lines:
            values[line.tax_rate] += line.subtotal - line.discount
        whole = sum(values.values())
        if not whole or not priced.shipping:
            return
        amount = priced.shipping.subtotal - priced.shipping.discount
        found = {one.tax_rate: one for one in shares_of(priced)}
        assert found.keys() <= values.keys()
        for rate, value in values.items():
            one = found.get(rate, TaxShare(rate, 0, 0))
            part = one.total if priced.tax_included else one.net
            assert abs(part * whole - amount * value) < whole
            whole_unit = 10_000 + (rate if priced.tax_included else 0)
            # Rounded half up: within half a unit of the exact tax.
            assert -whole_unit <= 2 * (part * rate - one.tax * whole_unit) < whole_unit

    check()


@pytest.mark.parametrize("currency", CURRENCIES)
def test_refunds_in_any_parts_come_to_what_was_paid_and_its_tax(currency: str) -> None:
    @many
    @given(carts_in(currency), st.data())
    def check(cart: tuple[Basket, Rules], data: st.DataObject) -> None:
        priced = price(*cart, now=NOW)
        left = shares_of(priced)
        back: Counter[str] = Counter()
        while left:
            most = sum(one.total for one in left)
            taken = taken_from(left, data.draw(st.integers(1, most) | st.just(most)))
            assert all(0 <= one.tax <= one.total for one in taken)
            back["total"] += sum(one.total for one in taken)
            back["tax"] += sum(one.tax for one in taken)
            left = without(left, taken)
            assert all(0 <= one.tax <= one.total for one in left)
        for line in priced.lines:
            done = 0
            while done < line.quantity:
                units = data.draw(st.integers(1, line.quantity - done))
                parts = [
                    share(minor, line.quantity, before=done, units=units)
                    for minor in (line.total, line.tax)
                ]
                assert 0 <= parts[1] <= parts[0]
                back["total"] += parts[0]
                back["tax"] += parts[1]
                done += units
        assert (back["total"], back["tax"]) == (priced.total, priced.tax)

    check()


def taxed(included: bool, shipping: ShippingTax) -> Rules:
    """Postage of 9.00 in a country that taxes at 19 %, books at 7 % and maps not at all."""
    rates = (TaxRate("DE", 1900), TaxRate("DE", 700, "books"), TaxRate("DE", 0, "maps"))
    return replace(
        RULES,
        taxes=Taxes(included=included, rates=rates, shipping=shipping),
        zones=(everywhere(ShippingRate(key=1, price=900)),),
    )


def cart(*goods: tuple[int, str], **given: object) -> Basket:
    made = basket(*(each for each, _ in goods), destination=Destination("DE"), **given)
    lines = zip(made.lines, goods, strict=True)
    return replace(
        made, lines=tuple(replace(line, tax_category=category) for line, (_, category) in lines)
    )


@pytest.mark.parametrize(
    ("included", "shipping", "tax"),
    [
        (False, ShippingTax.PROPORTIONAL, 133),
        (True, ShippingTax.PROPORTIONAL, 124),
        # 0.70 and 1.71; 0.65 and 1.44.
        (False, ShippingTax.OWN_RATE, 241),
        (True, ShippingTax.OWN_RATE, 209),
    ],
)
def test_books_are_sent_at_the_rate_of_books(
    included: bool, shipping: ShippingTax, tax: int
) -> None:
    assert price(cart((999, "books")), taxed(included, shipping), now=NOW).tax == tax


def test_tax_free_goods_are_sent_free_of_tax() -> None:
    rules = taxed(False, ShippingTax.PROPORTIONAL)
    priced = price(cart((999, "maps")), rules, now=NOW)
    assert shares_of(priced) == (TaxShare(0, 900, 0),)
    mixed = price(cart((1000, "maps"), (2000, "")), rules, now=NOW)
    assert shares_of(mixed) == (TaxShare(1900, 714, 114), TaxShare(0, 300, 0))


def test_a_tie_goes_to_the_higher_rate() -> None:
    goods = [ShippedGoods(rate, 1, 1, 1) for rate in (0, 700, 1900)]
    assert [one.total for one in in_proportion(5, goods, included=True)] == [2, 2, 1]


def test_free_shipping_has_no_shares() -> None:
    free = voucher(VoucherKind.FREE_SHIPPING, 0)
    priced = price(
        cart((999, "books"), voucher=free), taxed(True, ShippingTax.PROPORTIONAL), now=NOW
    )
    assert priced.shipping
    assert (priced.shipping.shares, priced.shipping.tax, priced.shipping.discount) == ((), 0, 900)


def test_nothing_left_takes_nothing() -> None:
    shares = (TaxShare(1900, 119, 19), TaxShare(None, 100, 7))
    assert without(shares, shares) == ()
    assert taken_from(shares, 0) == ()
    assert taken_from(shares, 219) == shares
