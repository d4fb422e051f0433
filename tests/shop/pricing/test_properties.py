"""What holds of every cart: made up by Hypothesis, in yen, dollars and dinars.

100 carts for each property in the suite, always the same; `make prove` takes 10,000.
"""

import os
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shop.money import exponent
from shop.pricing import (
    AutomaticDiscount,
    Basket,
    Destination,
    Line,
    Priced,
    Rules,
    ShippingRate,
    ShippingTax,
    ShippingZone,
    Taxes,
    TaxRate,
    Usage,
    Voucher,
    VoucherKind,
    price,
)
from shop.pricing.arithmetic import added_tax, included_tax, spread

pytestmark = pytest.mark.prove
every = settings(
    max_examples=10_000 if os.environ.get("PROVE") else 100,
    derandomize=True,
    database=None,
    deadline=None,
    # Each test has folders and a cache of its own, which these do not touch.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CURRENCIES = ["JPY", "USD", "KWD"]
CATEGORIES = ["", "books", "food", "shipping"]
RATES = st.sampled_from([0, 1, 500, 700, 825, 1000, 1900, 2500, 3333, 9999, 10_000])


@cache
def amounts(currency: str) -> st.SearchStrategy[int]:
    """Small ones, where rounding shows, and any up to 2,500 whole units."""
    return st.integers(0, 12) | st.integers(0, 2500 * 10 ** exponent(currency))


@cache
def lines(currency: str) -> st.SearchStrategy[tuple[Line, ...]]:
    line = st.builds(
        Line,
        key=st.integers(1, 99),
        quantity=st.integers(1, 40),
        unit_price=amounts(currency),
        compare_at=st.sampled_from([None, 0, 7, 30_000]),
        weight=st.sampled_from([0, 1, 700]),
        tax_category=st.sampled_from(CATEGORIES[:3]),
    )
    return st.lists(line, min_size=1, max_size=7, unique_by=lambda line: line.key).map(tuple)


@cache
def vouchers(currency: str) -> st.SearchStrategy[Voucher | None]:
    worth = {
        VoucherKind.PERCENT: RATES,
        VoucherKind.FIXED: amounts(currency),
        VoucherKind.FREE_SHIPPING: st.just(0),
    }
    kinds = [
        st.builds(
            Voucher,
            code=st.just("V"),
            kind=st.just(kind),
            value=value,
            currency=st.just(currency),
            minimum_subtotal=st.sampled_from([0, 0, 0, 9999]),
            usage_limit=st.sampled_from([None, None, 2]),
        )
        for kind, value in worth.items()
    ]
    return st.none() | st.one_of(kinds)


@cache
def zones(currency: str) -> st.SearchStrategy[tuple[ShippingZone, ...]]:
    rate = st.builds(
        ShippingRate,
        key=st.integers(1, 3),
        price=amounts(currency),
        max_weight=st.sampled_from([None, None, 3000]),
        min_total=st.sampled_from([0, 0, 9999]),
    )
    zone = st.builds(
        ShippingZone,
        st.sampled_from([frozenset({"XX"}), frozenset[str]()]),
        st.lists(rate, min_size=1, max_size=3).map(tuple),
    )
    return st.lists(zone, min_size=1, max_size=2).map(tuple)


AUTOMATIC = st.builds(
    AutomaticDiscount,
    key=st.just(1),
    basis_points=RATES,
    minimum_subtotal=st.sampled_from([0, 9999]),
)
TAXES = st.builds(
    lambda included, rates, shipping: Taxes(
        included=included,
        rates=tuple(TaxRate("XX", *row) for row in zip(rates, CATEGORIES, strict=True)),
        home=Destination("XX"),
        shipping=shipping,
    ),
    st.booleans(),
    st.tuples(RATES, RATES, RATES, RATES),
    st.sampled_from(ShippingTax),
)


@cache
def carts_in(currency: str) -> st.SearchStrategy[tuple[Basket, Rules]]:
    """A basket, and the rules of a shop with the same currency."""
    basket = st.builds(
        Basket,
        currency=st.just(currency),
        lines=lines(currency),
        destination=st.sampled_from([Destination("XX")] * 3 + [None]),
        shipping_rate=st.sampled_from([None, None, 1, 2]),
        voucher=vouchers(currency),
        usage=st.sampled_from([Usage(), Usage(2)]),
    )
    rules = st.builds(
        Rules,
        currency=st.just(currency),
        taxes=TAXES,
        zones=zones(currency),
        automatic=st.just(()) | st.tuples(AUTOMATIC),
    )
    return st.tuples(basket, rules)


def carts() -> st.SearchStrategy[tuple[Basket, Rules]]:
    return st.one_of([carts_in(currency) for currency in CURRENCIES])


def sums(priced: Priced) -> tuple[int, ...]:
    return (
        priced.subtotal,
        priced.discount,
        priced.shipping_price,
        priced.tax,
        priced.total,
        priced.saved,
    )


@pytest.mark.parametrize("currency", CURRENCIES)
def test_all_parts_add_up_to_the_total(currency: str) -> None:
    @every
    @given(carts_in(currency))
    def check(cart: tuple[Basket, Rules]) -> None:
        priced = price(*cart, now=NOW)
        charges = [*priced.lines, *([priced.shipping] if priced.shipping else [])]
        on_top = 0 if priced.tax_included else priced.tax
        assert (
            priced.total
            == priced.subtotal - priced.discount + priced.shipping_price + on_top
            == sum(charge.total for charge in charges)
            == sum(charge.net for charge in charges) + priced.tax
        )
        assert priced.subtotal == sum(line.quantity * line.unit_price for line in priced.lines)
        assert priced.discount == sum(charge.discount for charge in charges)
        assert priced.discount == sum(discount.amount for discount in priced.discounts)
        assert priced.tax == sum(charge.tax for charge in charges)
        for charge in charges:
            taxed = 0 if priced.tax_included else charge.tax
            assert charge.total == charge.subtotal - charge.discount + taxed

    check()


@every
@given(carts())
def test_nothing_is_negative(cart: tuple[Basket, Rules]) -> None:
    priced = price(*cart, now=NOW)
    assert min(sums(priced)) >= 0
    assert all(discount.amount >= 0 for discount in priced.discounts)
    for charge in [*priced.lines, *([priced.shipping] if priced.shipping else [])]:
        assert 0 <= charge.discount <= charge.subtotal
        assert 0 <= charge.tax <= charge.total
        assert charge.net >= 0


@every
@given(st.lists(st.integers(0, 12) | st.integers(0, 10**15), min_size=1, max_size=12), st.data())
def test_spreading_loses_nothing_and_is_fair(weights: list[int], data: st.DataObject) -> None:
    whole = sum(weights)
    assume(whole)
    amount = data.draw(st.integers(0, whole))
    parts = spread(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert 0 <= part <= weight
        assert abs(part * whole - amount * weight) < whole


@every
@given(carts(), st.integers(2, 50))
def test_so_many_times_the_quantities_cost_so_many_times_as_much(
    cart: tuple[Basket, Rules], times: int
) -> None:
    basket, rules = cart
    # Without what has a threshold, or is an amount for the whole order.
    basket = replace(basket, voucher=None)
    rules = replace(rules, automatic=(), zones=())
    many = replace(
        basket,
        lines=tuple(replace(line, quantity=line.quantity * times) for line in basket.lines),
    )
    once, scaled = price(basket, rules, now=NOW), price(many, rules, now=NOW)
    assert scaled.subtotal == times * once.subtotal
    assert scaled.saved == times * once.saved
    # The tax of one is off by half a unit at most, and so is that of all.
    assert abs(scaled.tax - times * once.tax) <= len(basket.lines) * (times + 1) / 2
    assert scaled.total - times * once.total == (
        0 if rules.taxes.included else scaled.tax - times * once.tax
    )


@every
@given(carts(), st.data())
def test_the_order_of_lines_changes_nothing(
    cart: tuple[Basket, Rules], data: st.DataObject
) -> None:
    basket, rules = cart
    shuffled = replace(basket, lines=tuple(data.draw(st.permutations(basket.lines))))
    one, other = price(basket, rules, now=NOW), price(shuffled, rules, now=NOW)
    assert sums(one) == sums(other)
    assert set(one.lines) == set(other.lines)
    assert replace(one, lines=()) == replace(other, lines=())


@every
@given(carts(), st.data())
def test_the_ids_of_variants_change_no_total(
    cart: tuple[Basket, Rules], data: st.DataObject
) -> None:
    basket, rules = cart
    keys = data.draw(st.permutations([line.key for line in basket.lines]))
    renamed = tuple(replace(line, key=key) for line, key in zip(basket.lines, keys, strict=True))
    other = price(replace(basket, lines=renamed), rules, now=NOW)
    assert sums(price(basket, rules, now=NOW)) == sums(other)


def own_rate(cart: tuple[Basket, Rules]) -> tuple[Basket, Rules]:
    """The cart where the postage has a rate of its own if the tax comes on top.

    A voucher can move a unit from one line to another by rounding, and shares of the postage along
    with it: taxed at the rates of the goods, it may cost more.
    """
    basket, rules = cart
    if rules.taxes.included:
        return cart
    return basket, replace(rules, taxes=replace(rules.taxes, shipping=ShippingTax.OWN_RATE))


def percent_or_fixed(currency: str, kind: VoucherKind, value: int) -> Voucher:
    return Voucher(code="V", kind=kind, value=value, currency=currency)


@every
@given(carts(), st.sampled_from([VoucherKind.PERCENT, VoucherKind.FIXED]), RATES, RATES)
def test_a_larger_discount_never_gives_a_larger_total(
    cart: tuple[Basket, Rules], kind: VoucherKind, one: int, other: int
) -> None:
    basket, rules = own_rate(cart)
    smaller, larger = (
        price(
            replace(basket, voucher=percent_or_fixed(basket.currency, kind, value)), rules, now=NOW
        )
        for value in sorted([one, other])
    )
    assert larger.discount >= smaller.discount
    assert sum(line.subtotal - line.discount for line in larger.lines) <= sum(
        line.subtotal - line.discount for line in smaller.lines
    )
    # Tax on top is rounded on each line by itself: see test_the_paradox_of_the_largest_remainder.
    slack = 0 if rules.taxes.included else max(0, len(basket.lines) - 1)
    assert larger.total <= smaller.total + slack


@every
@given(carts())
def test_a_voucher_never_gives_a_larger_total(cart: tuple[Basket, Rules]) -> None:
    basket, rules = own_rate(cart)
    rules = replace(rules, automatic=())
    without = price(replace(basket, voucher=None), rules, now=NOW)
    assert price(basket, rules, now=NOW).total <= without.total


@every
@given(carts(), RATES, RATES)
def test_a_larger_automatic_discount_never_takes_off_less(
    cart: tuple[Basket, Rules], one: int, other: int
) -> None:
    basket, rules = cart
    taxes = replace(rules.taxes, included=True)
    smaller, larger = (
        price(
            basket,
            replace(rules, taxes=taxes, automatic=(AutomaticDiscount(key=1, basis_points=rate),)),
            now=NOW,
        )
        for rate in sorted([one, other])
    )
    assert larger.total <= smaller.total


def test_the_paradox_of_the_largest_remainder() -> None:
    """One cent more off moves a cent from each of two small lines to three others."""
    # Known as the Alabama paradox since the apportionment of 1880. With the tax of each line
    # rounded by itself, it can show in the total.
    subtotals = [118, 42, 31, 9, 9]
    assert spread(151, subtotals) == [85, 30, 22, 7, 7]
    assert spread(152, subtotals) == [86, 31, 23, 6, 6]
    rules = Rules(currency="USD", taxes=Taxes(included=False, rates=(TaxRate("XX", 1900),)))
    basket = Basket(
        currency="USD",
        lines=tuple(
            Line(key=key, quantity=1, unit_price=each) for key, each in enumerate(subtotals)
        ),
        destination=Destination("XX"),
    )
    totals = [
        price(
            replace(basket, voucher=percent_or_fixed("USD", VoucherKind.FIXED, value)),
            rules,
            now=NOW,
        ).total
        for value in (151, 152)
    ]
    assert totals == [68, 69]


@every
@given(st.integers(0, 100) | st.integers(0, 10**15), RATES)
def test_tax_added_is_the_tax_extracted(net: int, rate: int) -> None:
    tax = added_tax(net, rate)
    assert included_tax(net + tax, rate) == tax


@every
@given(st.integers(0, 100) | st.integers(0, 10**15), RATES)
def test_tax_extracted_is_the_tax_added_but_for_one_unit(gross: int, rate: int) -> None:
    tax = included_tax(gross, rate)
    assert abs(added_tax(gross - tax, rate) - tax) <= 1


@every
@given(carts())
def test_prices_with_and_without_tax_agree(cart: tuple[Basket, Rules]) -> None:
    """What a cart costs with tax on top is, as prices with tax, taxed alike."""
    basket, rules = cart
    basket = replace(basket, voucher=None)
    rules = replace(rules, automatic=(), zones=())
    added = price(basket, replace(rules, taxes=replace(rules.taxes, included=False)), now=NOW)
    with_tax = tuple(
        replace(line, quantity=1, unit_price=priced.total)
        for line, priced in zip(basket.lines, added.lines, strict=True)
    )
    extracted = price(
        replace(basket, lines=with_tax),
        replace(rules, taxes=replace(rules.taxes, included=True)),
        now=NOW,
    )
    assert (extracted.tax, extracted.total) == (added.tax, added.total)
