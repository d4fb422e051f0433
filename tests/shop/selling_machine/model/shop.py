"""The plain model of a shop that sells: what has to come of everything that is done to it."""

from collections.abc import Callable
from datetime import datetime

from tests.shop.selling_machine.model.aftersales import Aftersales


class Shop(Aftersales):
    """All of it, in memory."""

    def __init__(self, now: Callable[[], datetime], *, tax_included: bool) -> None:
        super().__init__(now, tax_included=tax_included)
        self.carts, self.emails, self.orders, self.keys = {}, {}, [], {}
