"""What shoppers do to carts."""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from hypothesis import strategies as st
from hypothesis.stateful import rule

from shop.actions import carts
from tests.shop.selling_machine.figures import figures
from tests.shop.selling_machine.rules.both import (
    ADDRESSES,
    ANY,
    VARIANTS,
    WHICH,
    Both,
    cart_row,
    has_carts,
    pick,
)

# None stands for all that can be had.
UNITS = st.sampled_from([1, 2, 1, 3, 2, None, None, 0, -1, 9999, 10_000])
CODES = st.sampled_from(["TENOFF", "FIVER", "FREESHIP", "ALLFREE", "NOSUCH"])
DETAILS = st.one_of(
    st.tuples(st.just("e-mail"), st.sampled_from(["eve@example.org", "ANN@example.org", ""])),
    st.tuples(st.just("address"), st.sampled_from(["DE", "DE", "AT"])),
    st.tuples(st.just("shipping"), st.integers(0, 4)),
    st.tuples(st.just("voucher"), CODES),
    st.tuples(st.just("voucher"), CODES),
    st.tuples(st.sampled_from(["no voucher", "dismiss", "look"]), st.none()),
)


class CartRules(Both):
    """Carts of guests and of accounts."""

    def create(self, who: int) -> int:
        user = [None, *self.people][who]
        cart, token = carts.create(user or AnonymousUser())
        known = self.shop.active_of(user.pk) if user else None
        if known is None:
            self.shop.create(cart.pk, user.pk if user else None, token)
        else:
            assert (cart.pk, token) == (known, None)
        figures.ends["make a cart", "done"] += 1
        return cart.pk

    @rule(
        which=WHICH,
        lines=st.lists(st.tuples(WHICH, UNITS), min_size=1, max_size=3),
        stale=st.sampled_from([None, None, 0, 1]),
        new=st.sampled_from([None, None, 0, 1, 2]),
    )
    def add(
        self, which: int, lines: list[tuple[int, int | None]], stale: int | None, new: int | None
    ) -> None:
        """With the version that the client has seen, if it says so; maybe an old one.

        Or to a new cart, of a guest or an account.
        """
        none = not self.shop.carts
        key = self.create(new or 0) if none or new is not None else self.cart(which)
        self.put(key, lines, stale)

    def put(
        self,
        key: int,
        lines: list[tuple[int, int | None]],
        stale: int | None = None,
        *,
        sold: bool = False,
    ) -> None:
        """Lines of any variants, or of those that are `sold`, if there are any."""
        goods = self.shop.goods
        among = [key for key in goods if self.shop.is_for_sale(key) and goods[key].left != 0]
        among = among if sold and among else list(goods)
        wanted = [(pick(among, which), units) for which, units in lines]
        wanted = [(variant, self.units(variant, units)) for variant, units in wanted]
        version = None if stale is None else self.shop.carts[key].version - stale
        self.same(
            "add to a cart",
            lambda: self.shop.add(key, wanted, version),
            lambda: carts.add(cart_row(key), wanted, version=version),
        )

    def units(self, variant: int, asked: int | None) -> int:
        if asked is not None:
            return asked
        return (self.shop.goods[variant].left if variant in self.shop.goods else None) or 4

    @has_carts
    @rule(
        which=WHICH,
        lines=st.dictionaries(st.integers(0, VARIANTS), UNITS, min_size=1, max_size=3),
        removes=st.booleans(),
    )
    def change_lines(self, which: int, lines: dict[int, int | None], removes: bool) -> None:
        key = self.cart(which, filled=True)
        there = dict(cart_row(key).lines.order_by("pk").values_list("variant_id", "pk"))
        # One line more than there are: it is not in the cart.
        asked = {pick([*there, -1], place): units for place, units in lines.items()}
        wanted = {variant: self.units(variant, units) for variant, units in asked.items()}
        keys = {there.get(variant, 0): units for variant, units in wanted.items()}
        if removes:
            self.same(
                "remove from a cart",
                lambda: self.shop.remove(key, list(wanted)),
                lambda: carts.remove(cart_row(key), list(keys)),
            )
            return
        self.same(
            "change quantities",
            lambda: self.shop.update(key, wanted),
            lambda: carts.update(cart_row(key), keys),
        )

    @has_carts
    @rule(which=WHICH, detail=DETAILS)
    def change_details(self, which: int, detail: tuple[str, str | int | None]) -> None:
        key, (what, value) = self.cart(which), detail
        changes: dict[str, Callable[[int, str], object]] = {
            "e-mail": self.name,
            "address": self.send_to,
            "voucher": self.use,
        }
        if what in changes:
            changes[what](key, str(value))
        elif what == "shipping":
            self.ship_by(key, [*self.shop.rates, None, 987_654][int(value or 0)])
        elif what == "no voucher":
            self.same(
                "remove the voucher",
                lambda: self.shop.remove_voucher(key),
                lambda: carts.remove_voucher(cart_row(key)),
            )
        elif what == "dismiss":
            self.same(
                "dismiss notices",
                lambda: self.shop.dismiss(key),
                lambda: carts.dismiss_notices(cart_row(key)),
            )
        else:
            self.look(key)

    def name(self, key: int, email: str) -> None:
        self.same(
            "set the e-mail",
            lambda: self.shop.set_email(key, email),
            lambda: carts.set_email(cart_row(key), email),
        )

    def send_to(self, key: int, country: str) -> None:
        self.same(
            "set the address",
            lambda: self.shop.set_country(key, country),
            lambda: carts.set_addresses(cart_row(key), shipping=ADDRESSES[country], billing=None),
        )

    def ship_by(self, key: int, rate: int | None) -> None:
        self.same(
            "choose the shipping",
            lambda: self.shop.set_rate(key, rate),
            lambda: carts.set_shipping(cart_row(key), rate),
        )

    def use(self, key: int, code: str) -> None:
        """As a shopper may type it."""
        self.same(
            "apply a voucher",
            lambda: self.shop.apply_voucher(key, code),
            lambda: carts.apply_voucher(cart_row(key), f" {code.lower()} "),
        )

    def look(self, key: int) -> None:
        """The cart tells what the model does."""
        found, price = carts.priced(cart_row(key)), self.shop.price(key)
        assert [notice.code for notice in found.notices] == self.shop.notices(key)
        assert [rate.key for rate in found.rates] == price.rates
        told = found.price
        assert (told.subtotal, told.discount, told.shipping_price, told.tax, told.total) == (
            price.subtotal, price.discount, price.shipping, price.tax, price.total,
        )  # fmt: skip
        figures.ends["look at a cart", "done"] += 1

    @has_carts
    @rule(which=WHICH, who=st.integers(0, 1))
    def merge(self, which: int, who: int) -> None:
        """Carts that a guest began, usually open; an account's have no token that anybody has."""
        tokens = {key: cart.token for key, cart in self.shop.carts.items() if cart.token}
        open_ = [key for key in tokens if self.shop.carts[key].status == "active"]
        if not tokens:
            return
        key = pick(open_ if open_ and which < ANY else list(tokens), which)
        user = self.people[who]
        self.same(
            "merge at sign-in",
            lambda: self.shop.merge(user.pk, key),
            lambda: carts.merge(user, tokens[key]).pk,
        )
