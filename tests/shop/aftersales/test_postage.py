"""Tax on the postage of an order: stored when it is placed, refunded in parts, reduced with it."""

import random
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from shop.actions import aftersales, carts, orders
from shop.actions.aftersales import Wanted, shipping_left
from shop.errors import ExceedsOrder, Invalid
from shop.models import (
    Order,
    Product,
    Refund,
    RefundLine,
    RefundState,
    ShippingRate,
    TaxRate,
    User,
    Variant,
)
from tests.shop.aftersales.conftest import Provider
from tests.shop.checkout.test_completing import buy
from tests.shop.orders import lines_of, place
from tests.shop.selling import ready

CATEGORIES = {"": 1900, "books": 700, "maps": 0}


@pytest.fixture
def goods(selling: SimpleNamespace) -> dict[str, Variant]:
    """Variants at 9.99, 20.00 and 5.00 dollars that are taxed at 7, 19 and 0 %; postage is 9.00."""
    TaxRate.objects.all().delete()
    for category, rate in CATEGORIES.items():
        TaxRate.objects.create(country="DE", category=category, basis_points=rate)
    ShippingRate.objects.update(price=900)
    found = {}
    for product, (name, price) in zip(
        selling.products, {"books": 999, "": 2000, "maps": 500}.items(), strict=False
    ):
        Product.objects.filter(pk=product.pk).update(tax_category=name)
        row = product.variants.order_by("pk").first()
        Variant.objects.filter(pk=row.pk).update(price=price)
        found[name or "other"] = Variant.objects.get(pk=row.pk)
    return found


def order_of(*lines: tuple[Variant, int], **given: Any) -> Order:
    cart, _ = ready(AnonymousUser(), *lines)
    return Order.objects.get(pk=buy(cart, **given).order.pk)


def shares(order: Order) -> list[tuple[int | None, int, int]]:
    return [(one["rate"], one["total"], one["tax"]) for one in order.shipping_taxes]


def adds_up(order: Order) -> None:
    order.refresh_from_db()
    postage = orders.loaded(order.shipping_taxes)
    parts = [*lines_of(order), *postage]
    assert order.total == sum(part.total for part in parts)
    assert order.tax == sum(part.tax for part in parts)


@pytest.mark.parametrize(("included", "tax"), [(False, 133), (True, 124)])
def test_an_order_of_books_is_taxed_at_the_rate_of_books(
    goods: dict[str, Variant], included: bool, tax: int, settings: Any
) -> None:
    settings.PRICES_INCLUDE_TAX = included
    order = order_of((goods["books"], 1))
    assert (order.tax, order.total) == (tax, 1899 + (0 if included else tax))
    assert order.shipping_tax_rule == "PROPORTIONAL"
    adds_up(order)


def test_a_later_setting_changes_no_order(
    goods: dict[str, Variant], settings: Any, staff: User
) -> None:
    settings.SHIPPING_TAX = "OWN_RATE"
    order = order_of((goods["books"], 1))
    assert shares(order) == [(1900, 1071, 171)]
    assert order.tax == 241
    settings.SHIPPING_TAX = "PROPORTIONAL"
    TaxRate.objects.all().delete()
    refund = aftersales.refund(order, Wanted(shipping=True), by=staff)
    assert refund
    assert refund.shipping_taxes == [{"rate": 1900, "total": 1071, "tax": 171}]


@pytest.mark.parametrize("included", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_refunds_in_random_parts_come_to_the_total_and_its_tax(
    seed: int,
    included: bool,
    goods: dict[str, Variant],
    settings: Any,
    staff: User,
    provider: Provider,
) -> None:
    settings.PRICES_INCLUDE_TAX = included
    chosen = random.Random(seed)
    order = order_of((goods["books"], 3), (goods["other"], 2), (goods["maps"], 4))
    assert len(order.shipping_taxes) == 3
    while True:
        left = shipping_left(order)
        lines = [line for line in lines_of(order) if line.refunded < line.quantity]
        if not left and not lines:
            break
        if left and (not lines or chosen.random() < 0.5):
            wanted = Wanted(shipping_amount=chosen.randint(1, left))
            if chosen.random() < 0.3:
                # A refusal of the provider leaves no trace.
                provider.refuses()
        else:
            line = chosen.choice(lines)
            wanted = Wanted(lines={line.pk: chosen.randint(1, line.quantity - line.refunded)})
        aftersales.refund(order, wanted, by=staff)
        provider.answers()
    order.refresh_from_db()
    assert order.payment_status == "refunded"
    back = Refund.objects.exclude(state=RefundState.FAILED)
    parts = [
        *RefundLine.objects.filter(refund__in=back).values_list("amount", "tax"),
        *((one["total"], one["tax"]) for row in back for one in row.shipping_taxes),
    ]
    assert sum(total for total, _ in parts) == order.total
    assert sum(tax for _, tax in parts) == order.tax
    by_rate: dict[int, list[int]] = {}
    for row in back:
        for one in row.shipping_taxes:
            sums = by_rate.setdefault(one["rate"], [0, 0])
            sums[0] += one["total"]
            sums[1] += one["tax"]
    assert sorted((rate, *sums) for rate, sums in by_rate.items()) == sorted(shares(order))


def test_more_of_the_postage_than_is_left_does_not_go_back(
    goods: dict[str, Variant], staff: User, dump: Any
) -> None:
    order = order_of((goods["books"], 1))
    aftersales.refund(order, Wanted(shipping_amount=900), by=staff)
    before = dump()
    for wanted, error in (
        (Wanted(shipping_amount=64), ExceedsOrder),
        (Wanted(shipping_amount=0), Invalid),
        (Wanted(shipping_amount=1, shipping=True), Invalid),
        (Wanted(shipping_amount=1, amount=1), Invalid),
    ):
        with pytest.raises(error):
            aftersales.refund(order, wanted, by=staff)
    assert dump() == before
    aftersales.refund(order, Wanted(shipping_amount=63), by=staff)
    assert shipping_left(order) == 0


def test_refunds_from_before_the_rates_were_stored_count(staff: User) -> None:
    order = place(tax=1000)
    Order.objects.update(shipping_taxes=[])
    aftersales.refund(order, Wanted(shipping_amount=110), by=staff)
    Refund.objects.update(shipping_taxes=[])
    refund = aftersales.refund(order, Wanted(shipping=True), by=staff)
    assert refund
    assert refund.shipping_taxes == [{"rate": None, "total": 440, "tax": 40}]


@pytest.mark.parametrize("included", [False, True])
def test_the_postage_follows_the_goods_that_are_left(
    included: bool, goods: dict[str, Variant], settings: Any, staff: User
) -> None:
    settings.PRICES_INCLUDE_TAX = included
    order = order_of((goods["books"], 1), (goods["other"], 1), method="authorize")
    # 9.99 and 20.00 of goods: 3.00 and 6.00 of postage.
    expected = [(1900, 600, 96), (700, 300, 20)] if included else [(1900, 714, 114), (700, 321, 21)]
    assert shares(order) == expected
    other = lines_of(order)[1]
    aftersales.cancel_lines(order, {other.pk: None}, by=staff)
    adds_up(order)
    assert shares(order) == [(700, 900, 59)] if included else [(700, 963, 63)]
    assert order.tax == (124 if included else 133)
    aftersales.capture(order, by=staff)
    assert order.payment_status == "paid"


def test_an_order_never_costs_more_with_fewer_goods(goods: dict[str, Variant], staff: User) -> None:
    order = order_of((goods["other"], 1), (goods["maps"], 1), method="authorize")
    before, postage = order.total, shares(order)
    assert postage == [(1900, 857, 137), (0, 180, 0)]
    maps = lines_of(order)[1]
    Variant.objects.update(price=1)
    aftersales.cancel_lines(order, {maps.pk: 1}, by=staff)
    # Five dollars of maps are gone, and the tax on all of the postage is 34 cents more.
    assert order.total == before - 500 + 34
    adds_up(order)
    cheap = order_of((goods["other"], 1), (goods["maps"], 1), method="authorize")
    line = lines_of(cheap)[1]
    assert line.total == 1
    # A cent less of maps would be 85 cents more of tax: the shares stay.
    before = cheap.total
    aftersales.cancel_lines(cheap, {line.pk: 1}, by=staff)
    assert cheap.total == before - 1
    assert len(cheap.shipping_taxes) == 2
    adds_up(cheap)


def test_a_cart_tells_its_tax_by_rate(goods: dict[str, Variant]) -> None:
    cart, _ = ready(AnonymousUser(), (goods["books"], 1), (goods["maps"], 1))
    shipping = carts.priced(cart).price.shipping
    assert shipping
    assert [(one.tax_rate, one.net) for one in shipping.shares] == [(700, 600), (0, 300)]
