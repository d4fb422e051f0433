"""The model's shelves: what is sold, at which price, how much there is, and by which rules."""

from collections.abc import Callable, Mapping
from datetime import datetime

from tests.shop.selling_machine.model.rows import Goods, Rate, Refused, Voucher


class Shelves:
    """What staff decide about.

    Attributes:
        now: tells the time.
        published: whether it is, by product.
        goods: by primary key of the variant.
        rates: by primary key, in the order in which they are offered.
        vouchers: by code.
    """

    def __init__(self, now: Callable[[], datetime], *, tax_included: bool) -> None:
        self.now, self.tax_included = now, tax_included
        self.published: dict[str, bool] = {}
        self.goods: dict[int, Goods] = {}
        self.rates: dict[int, Rate] = {}
        self.vouchers: dict[str, Voucher] = {}

    def is_for_sale(self, variant: int) -> bool:
        goods = self.goods[variant]
        return self.published[goods.product] and goods.price is not None

    def reprice(self, variant: int, price: int | None) -> None:
        goods = self.goods[variant]
        others = [
            one.price
            for key, one in self.goods.items()
            if one.product == goods.product and key != variant
        ]
        if self.published[goods.product] and {price, *others} == {None}:
            raise Refused("NOT_PUBLISHABLE")
        goods.price = price

    def publish(self, product: str, published: bool) -> None:
        prices = {one.price for one in self.goods.values() if one.product == product}
        if published and prices == {None}:
            raise Refused("NOT_PUBLISHABLE")
        self.published[product] = published

    def switch_voucher(self, code: str, *, active: bool) -> None:
        self.vouchers[code].active = active

    def correct(self, variant: int, *, delta: int | None, on_hand: int | None) -> None:
        """Staff count: never below what is promised, unless it is sold on back-order."""
        goods = self.goods[variant]
        if delta == 0 or (on_hand or 0) < 0:
            raise Refused("INVALID")
        after = goods.on_hand + delta if delta is not None else on_hand or 0
        if after < goods.reserved and not goods.backorder:
            raise Refused("INSUFFICIENT_STOCK")
        goods.on_hand = after

    def configure(self, variant: int, *, backorder: bool) -> None:
        goods = self.goods[variant]
        if not backorder and goods.on_hand < goods.reserved:
            raise Refused("INSUFFICIENT_STOCK")
        goods.backorder = backorder

    def import_(self, variant: int, delta: int) -> dict[int, int]:
        """An import takes as much as it can. Tells how many units are missing."""
        goods = self.goods[variant]
        missing = goods.reserved - (goods.on_hand + delta)
        if missing > 0 and delta < 0 and not goods.backorder:
            goods.on_hand = goods.reserved
            return {variant: missing}
        goods.on_hand += delta
        return {}

    def reserve(self, units: Mapping[int, int]) -> None:
        """All of them or none."""
        short = [key for key, number in units.items() if self.goods[key].lacks(number)]
        if short:
            raise Refused(*["OUT_OF_STOCK"] * len(short))
        for key, number in units.items():
            self.goods[key].reserved += number

    def release(self, units: Mapping[int, int]) -> None:
        for key, number in units.items():
            self.goods[key].reserved -= number
