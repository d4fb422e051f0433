"""Orders worked out by hand: in yen, dollars and dinars, with and without tax."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from shop.money import parse_minor
from shop.pricing import (
    AutomaticDiscount,
    Basket,
    Destination,
    Discount,
    Line,
    Rules,
    ShippingRate,
    ShippingTax,
    Taxes,
    TaxRate,
    Voucher,
    VoucherKind,
    price,
)
from tests.shop.pricing.carts import NOW, everywhere


class Example(NamedTuple):
    """A cart and its price. Amounts are written as people write them.

    Attributes:
        rates: basis points by tax category, the shipping's among them.
        lines: (quantity, unit price, tax category).
        priced: for each line (discount, tax, total).
        freight: the shipping's (price, discount, tax, total).
        sums: (subtotal, discount, shipping, tax, total).
        shipping_tax: how the postage is taxed.
    """

    currency: str
    included: bool
    rates: dict[str, int]
    lines: list[tuple[int, str, str]]
    shipping: str
    off: Callable[[Callable[[str], int]], Voucher | AutomaticDiscount] | None
    priced: list[tuple[str, str, str]]
    freight: tuple[str, str, str, str]
    sums: tuple[str, str, str, str, str]
    shipping_tax: ShippingTax = ShippingTax.OWN_RATE


PROPORTIONAL = ShippingTax.PROPORTIONAL
EXAMPLES = {
    "dollars, tax added at three rates, 10 % off": Example(
        "USD",
        False,
        {"": 825, "books": 0, "food": 200},
        [(3, "19.99", ""), (1, "45.00", "books"), (2, "7.25", "food")],
        "5.99",
        lambda minor: Voucher(code="TEN", kind=VoucherKind.PERCENT, value=1000),
        # 1194.7 cents are 11.95; exact parts 599.85, 450.11 and 145.04.
        [("6.00", "4.45", "58.42"), ("4.50", "0", "40.50"), ("1.45", "0.26", "13.31")],
        ("5.99", "0", "0.49", "6.48"),
        ("119.47", "11.95", "5.99", "5.20", "118.71"),
    ),
    "dollars, tax within at two rates, free shipping": Example(
        "USD",
        True,
        {"": 1900, "books": 700},
        [(1, "119.00", ""), (1, "10.70", "books")],
        "4.90",
        lambda minor: Voucher(code="FREE", kind=VoucherKind.FREE_SHIPPING),
        [("0", "19.00", "119.00"), ("0", "0.70", "10.70")],
        ("4.90", "4.90", "0", "0"),
        ("129.70", "4.90", "4.90", "19.70", "129.70"),
    ),
    "dollars, tax within, shipping at its own rate": Example(
        "USD",
        True,
        {"": 1900, "shipping": 700},
        [(2, "0.99", "")],
        "5.35",
        None,
        [("0", "0.32", "1.98")],
        ("5.35", "0", "0.35", "5.35"),
        ("1.98", "0", "5.35", "0.67", "7.33"),
    ),
    "dollars, a voucher worth more than the goods": Example(
        "USD",
        False,
        {"": 1000},
        [(1, "3.33", ""), (1, "6.66", "")],
        "5.00",
        lambda minor: Voucher(
            code="GIFT", kind=VoucherKind.FIXED, value=minor("50"), currency="USD"
        ),
        [("3.33", "0", "0"), ("6.66", "0", "0")],
        ("5.00", "0", "0.50", "5.50"),
        ("9.99", "9.99", "5.00", "0.50", "5.50"),
    ),
    "yen, tax within at two rates, 5 % off by itself": Example(
        "JPY",
        True,
        {"": 1000, "food": 800},
        [(3, "980", ""), (1, "1080", "food")],
        "500",
        lambda minor: AutomaticDiscount(key=1, basis_points=500, minimum_subtotal=minor("4020")),
        [("147", "254", "2793"), ("54", "76", "1026")],
        ("500", "0", "45", "500"),
        ("4020", "201", "500", "375", "4319"),
    ),
    "yen, tax added, a half rounded up": Example(
        "JPY",
        False,
        {"": 1000},
        [(1, "5", ""), (1, "14", ""), (1, "15", "")],
        "0",
        None,
        [("0", "1", "6"), ("0", "1", "15"), ("0", "2", "17")],
        ("0", "0", "0", "0"),
        ("34", "0", "0", "4", "38"),
    ),
    "dinars, tax added, 100 fils off, shipping untaxed": Example(
        "KWD",
        False,
        {"": 500, "shipping": 0},
        [(2, "1.250", ""), (1, "0.375", "")],
        "1.000",
        lambda minor: Voucher(
            code="FILS", kind=VoucherKind.FIXED, value=minor("0.100"), currency="KWD"
        ),
        # Exact parts 86.96 and 13.04.
        [("0.087", "0.121", "2.534"), ("0.013", "0.018", "0.380")],
        ("1.000", "0", "0", "1.000"),
        ("2.875", "0.100", "1.000", "0.139", "3.914"),
    ),
    "dinars, tax within, a third off": Example(
        "KWD",
        True,
        {"": 500},
        [(1, "0.100", ""), (1, "0.101", "")],
        "0.525",
        lambda minor: Voucher(code="THIRD", kind=VoucherKind.PERCENT, value=3333),
        # 66.99 fils are 67; exact parts 33.33 and 33.67.
        [("0.033", "0.003", "0.067"), ("0.034", "0.003", "0.067")],
        ("0.525", "0", "0.025", "0.525"),
        ("0.201", "0.067", "0.525", "0.031", "0.659"),
    ),
    "dollars, tax within, the postage of books at the rate of books": Example(
        "USD",
        True,
        {"": 1900, "books": 700},
        [(1, "9.99", "books")],
        "9.00",
        None,
        [("0", "0.65", "9.99")],
        ("9.00", "0", "0.59", "9.00"),
        ("9.99", "0", "9.00", "1.24", "18.99"),
        PROPORTIONAL,
    ),
    "dollars, tax added, the postage of books at the rate of books": Example(
        "USD",
        False,
        {"": 1900, "books": 700, "shipping": 1900},
        [(1, "9.99", "books")],
        "9.00",
        None,
        [("0", "0.70", "10.69")],
        ("9.00", "0", "0.63", "9.63"),
        ("9.99", "0", "9.00", "1.33", "20.32"),
        PROPORTIONAL,
    ),
    "dollars, tax added at three rates, 10 % off, the postage shared": Example(
        "USD",
        False,
        {"": 825, "books": 0, "food": 200},
        [(3, "19.99", ""), (1, "45.00", "books"), (2, "7.25", "food")],
        "5.99",
        lambda minor: Voucher(code="TEN", kind=VoucherKind.PERCENT, value=1000),
        [("6.00", "4.45", "58.42"), ("4.50", "0", "40.50"), ("1.45", "0.26", "13.31")],
        # 53.97, 40.50 and 13.05 of goods: exact shares 300.67, 225.63 and 72.70 cents are 301, 225
        # and 73, taxed at 24.83 and 1.46 cents.
        ("5.99", "0", "0.26", "6.25"),
        ("119.47", "11.95", "5.99", "4.97", "118.48"),
        PROPORTIONAL,
    ),
    "yen, tax within at two rates, 5 % off by itself, the postage shared": Example(
        "JPY",
        True,
        {"": 1000, "food": 800},
        [(3, "980", ""), (1, "1080", "food")],
        "500",
        lambda minor: AutomaticDiscount(key=1, basis_points=500, minimum_subtotal=minor("4020")),
        [("147", "254", "2793"), ("54", "76", "1026")],
        # Shares of 366 and 134 yen, taxed at 33.27 and 9.93.
        ("500", "0", "43", "500"),
        ("4020", "201", "500", "373", "4319"),
        PROPORTIONAL,
    ),
    "dinars, tax added, a voucher takes all: the value before discounts counts": Example(
        "KWD",
        False,
        {"": 1000, "food": 0},
        [(1, "3.330", ""), (1, "6.660", "food")],
        "5.000",
        lambda minor: Voucher(
            code="GIFT", kind=VoucherKind.FIXED, value=minor("50"), currency="KWD"
        ),
        [("3.330", "0", "0"), ("6.660", "0", "0")],
        # Shares of 1.667 and 3.333.
        ("5.000", "0", "0.167", "5.167"),
        ("9.990", "9.990", "5.000", "0.167", "5.167"),
        PROPORTIONAL,
    ),
    "dollars, tax within, free goods only: the units count": Example(
        "USD",
        True,
        {"": 1900, "food": 700},
        [(1, "0", ""), (3, "0", "food")],
        "4.00",
        None,
        [("0", "0", "0"), ("0", "0", "0")],
        # Shares of 1.00 and 3.00, taxed at 15.97 and 19.63 cents.
        ("4.00", "0", "0.36", "4.00"),
        ("0", "0", "4.00", "0.36", "4.00"),
        PROPORTIONAL,
    ),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_worked_examples(example: Example) -> None:
    def minor(text: str) -> int:
        return parse_minor(text, example.currency)

    off = example.off(minor) if example.off else None
    result = price(
        Basket(
            currency=example.currency,
            lines=tuple(
                Line(key=key, quantity=quantity, unit_price=minor(each), tax_category=category)
                for key, (quantity, each, category) in enumerate(example.lines)
            ),
            destination=Destination("XX"),
            voucher=off if isinstance(off, Voucher) else None,
        ),
        Rules(
            currency=example.currency,
            taxes=Taxes(
                included=example.included,
                rates=tuple(TaxRate("XX", rate, name) for name, rate in example.rates.items()),
                shipping=example.shipping_tax,
            ),
            zones=(everywhere(ShippingRate(key=1, price=minor(example.shipping))),),
            automatic=(off,) if isinstance(off, AutomaticDiscount) else (),
        ),
        now=NOW,
    )
    assert [(line.discount, line.tax, line.total) for line in result.lines] == [
        tuple(minor(text) for text in line) for line in example.priced
    ]
    freight = result.shipping
    assert freight
    assert (freight.subtotal, freight.discount, freight.tax, freight.total) == tuple(
        minor(text) for text in example.freight
    )
    assert (
        result.subtotal,
        result.discount,
        result.shipping_price,
        result.tax,
        result.total,
    ) == tuple(minor(text) for text in example.sums)
    assert result.discounts == ((Discount(off, result.discount),) if off else ())
    assert result.notices == ()
