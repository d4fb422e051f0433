"""Small carts, and what is put into them."""

from datetime import UTC, datetime
from typing import Any

from shop.pricing import Basket, Line, Rules, ShippingRate, ShippingZone, Voucher, VoucherKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = Rules(currency="USD")


def everywhere(*rates: ShippingRate) -> ShippingZone:
    return ShippingZone(frozenset(), rates)


def basket(*unit_prices: int, **given: Any) -> Basket:
    """One of each."""
    lines = tuple(
        Line(key=key, quantity=1, unit_price=each) for key, each in enumerate(unit_prices)
    )
    return Basket(currency="USD", lines=lines, **given)


def voucher(kind: VoucherKind = VoucherKind.FIXED, value: int = 500, **given: Any) -> Voucher:
    return Voucher(code="V", kind=kind, value=value, **{"currency": "USD", **given})
