"""The model's carts."""

from collections.abc import Mapping, Sequence

from tests.shop.selling_machine.model.goods import Shelves
from tests.shop.selling_machine.model.prices import price_of
from tests.shop.selling_machine.model.rows import Cart, InCart, Line, Price, Refused

MAX_QUANTITY = 9999


class Carts(Shelves):
    """Carts by their primary keys.

    Attributes:
        emails: of accounts, by their keys.
    """

    carts: dict[int, Cart]
    emails: dict[int, str]

    def price(self, cart: int) -> Price:
        return price_of(self.carts[cart], self)

    def notices(self, cart: int) -> list[str]:
        """What the shopper is told: of the lines, then of the price."""
        found = list(self.carts[cart].gone)
        for key, line in self.carts[cart].lines.items():
            goods = self.goods[key]
            if not self.is_for_sale(key):
                found.append("NOT_PURCHASABLE")
                continue
            if goods.lacks(line.quantity):
                found.append("OUT_OF_STOCK")
            if line.seen is not None and line.seen != goods.price:
                found.append("PRICE_CHANGED")
        return found + self.price(cart).notices

    def active_of(self, user: int) -> int | None:
        return next((key for key, cart in self.carts.items() if cart.active_of == user), None)

    def create(self, key: int, user: int | None, token: str | None) -> None:
        email = self.emails[user] if user else ""
        self.carts[key] = Cart(owner=user, active_of=user, email=email, token=token)

    def hold(self, key: int, version: int | None = None) -> Cart:
        cart = self.carts[key]
        if cart.status != "active":
            raise Refused(self.why_closed(key))
        if version is not None and version != cart.version:
            raise Refused("CART_CHANGED")
        return cart

    def _hold_with(
        self, errors: dict[tuple[int, str], str], key: int, version: int | None = None
    ) -> Cart:
        """Does the same as `hold`; a refusal follows the errors that were found before."""
        try:
            return self.hold(key, version)
        except Refused as refused:
            raise Refused(*errors.values(), *refused.codes) from refused

    def why_closed(self, key: int) -> str:
        """The code for a cart that is not open."""
        raise NotImplementedError

    def add(self, key: int, wanted: Sequence[tuple[int, int]], version: int | None) -> None:
        # By line and input field; a field has one error.
        errors: dict[tuple[int, str], str] = {
            (index, "quantity"): "INVALID_QUANTITY"
            for index, (_, units) in enumerate(wanted)
            if not 1 <= units <= MAX_QUANTITY
        }
        cart = self._hold_with(errors, key, version)
        totals: dict[int, int] = {}
        for index, (variant, units) in enumerate(wanted):
            if not self.published[self.goods[variant].product]:
                errors.setdefault((index, "variant"), "NOT_FOUND")
                continue
            before = cart.lines[variant].quantity if variant in cart.lines else 0
            totals[variant] = totals.get(variant, before) + units
            self._check(errors, index, variant, totals[variant])
        if errors:
            raise Refused(*errors.values())
        self._store(cart, totals)
        cart.version += 1

    def update(self, key: int, wanted: Mapping[int, int]) -> None:
        """`wanted` is by variant, here; -1 stands for one that is not in the cart."""
        errors: dict[tuple[int, str], str] = {
            (index, "quantity"): "INVALID_QUANTITY"
            for index, units in enumerate(wanted.values())
            if not 0 <= units <= MAX_QUANTITY
        }
        cart = self._hold_with(errors, key)
        for index, (variant, units) in enumerate(wanted.items()):
            if variant not in cart.lines:
                errors.setdefault((index, "line"), "NOT_FOUND")
            elif units and not self.published[self.goods[variant].product]:
                errors.setdefault((index, "line"), "NOT_PURCHASABLE")
            elif units:
                self._check(errors, index, variant, units)
        if errors:
            raise Refused(*errors.values())
        for variant in [variant for variant, units in wanted.items() if not units]:
            del cart.lines[variant]
        self._store(cart, {variant: units for variant, units in wanted.items() if units})
        cart.version += 1

    def remove(self, key: int, variants: Sequence[int]) -> None:
        cart = self.hold(key)
        if any(variant not in cart.lines for variant in variants):
            raise Refused("NOT_FOUND")
        for variant in set(variants):
            del cart.lines[variant]
        cart.version += 1

    def dismiss(self, key: int) -> None:
        cart = self.hold(key)
        for variant, line in cart.lines.items():
            line.seen = self.goods[variant].price
        cart.gone = []
        cart.version += 1

    def set_email(self, key: int, email: str) -> None:
        if not email:
            raise Refused("REQUIRED")
        cart = self.hold(key)
        cart.email = email
        cart.version += 1

    def set_country(self, key: int, country: str) -> None:
        cart = self.hold(key)
        cart.country = country
        cart.version += 1

    def set_rate(self, key: int, rate: int | None) -> None:
        """0 is a rate that there is not."""
        cart = self.hold(key)
        if rate is not None and rate not in self.price(key).rates:
            raise Refused("SHIPPING_NOT_OFFERED" if rate in self.rates else "NOT_FOUND")
        cart.rate = rate
        cart.version += 1

    def apply_voucher(self, key: int, code: str) -> None:
        cart = self.hold(key)
        if code not in self.vouchers or not self.vouchers[code].active:
            raise Refused("INVALID_VOUCHER")
        before, cart.voucher = cart.voucher, code
        lost = {"VOUCHER_EXPIRED", "VOUCHER_USED_UP", "VOUCHER_USED_BY_CUSTOMER"}
        if lost & set(self.price(key).notices):
            cart.voucher = before
            raise Refused("INVALID_VOUCHER")
        cart.version += 1

    def remove_voucher(self, key: int) -> None:
        cart = self.hold(key)
        cart.voucher = None
        cart.version += 1

    def reorder(self, key: int, lines: Sequence[Line]) -> None:
        """The lines of an order go into a cart once more; it tells of other prices."""
        cart = self.hold(key)
        for line in lines:
            self._add_available(cart, line.variant, line.quantity, line.unit_price, "REORDER")
        cart.version += 1

    def merge(self, user: int, key: int) -> int:
        """The account's own cart, after it took over the guest's."""
        guest, own = self.carts[key], self.active_of(user)
        if guest.owner not in (None, user):
            raise Refused("NOT_FOUND")
        if guest.status == "ordered":
            raise Refused(self.why_closed(key))
        if own is None and guest.status == "merged":
            raise Refused("CART_CLOSED")
        if own is None:
            guest.owner = guest.active_of = user
            guest.email = guest.email or self.emails[user]
            guest.version += 1
            return key
        if guest.status == "active" and guest.owner is None:
            guest.status = "merged"
            self.take_over(self.carts[own], guest)
        return own

    def take_over(self, own: Cart, other: Cart) -> None:
        own.gone += other.gone
        for variant, line in other.lines.items():
            self._add_available(own, variant, line.quantity, line.seen, "MERGE")
        own.email = own.email or other.email
        own.country = own.country or other.country
        own.rate = own.rate or other.rate
        own.voucher = own.voucher or other.voucher
        own.version += 1

    def _add_available(
        self, cart: Cart, variant: int, units: int, seen: int | None, prefix: str
    ) -> None:
        """Adds the units that are in stock; a notice names the missing ones."""
        merges = prefix == "MERGE"
        if not self.is_for_sale(variant):
            cart.gone.append("MERGE_DROPPED" if merges else "REORDER_UNAVAILABLE")
            return
        left = self.goods[variant].left
        most = MAX_QUANTITY if left is None else min(left, MAX_QUANTITY)
        before = cart.lines[variant].quantity if variant in cart.lines else 0
        after = max(before, min(before + units, most))
        if variant in cart.lines:
            cart.lines[variant].quantity = after
            if not merges:
                cart.lines[variant].seen = seen
        elif after:
            cart.lines[variant] = InCart(after, seen)
        if after == before:
            cart.gone.append("MERGE_DROPPED" if merges else "REORDER_OUT_OF_STOCK")
        elif after < before + units:
            cart.gone.append(f"{prefix}_REDUCED")

    def _check(
        self, errors: dict[tuple[int, str], str], index: int, variant: int, units: int
    ) -> None:
        goods = self.goods[variant]
        if goods.price is None:
            errors.setdefault((index, "variant"), "NOT_PURCHASABLE")
        elif units > MAX_QUANTITY:
            errors.setdefault((index, "quantity"), "INVALID_QUANTITY")
        elif goods.lacks(units):
            errors.setdefault((index, "quantity"), "OUT_OF_STOCK")

    def _store(self, cart: Cart, totals: Mapping[int, int]) -> None:
        for variant, units in totals.items():
            if variant in cart.lines:
                cart.lines[variant].quantity = units
                cart.lines[variant].seen = self.goods[variant].price
            else:
                cart.lines[variant] = InCart(units, self.goods[variant].price)
