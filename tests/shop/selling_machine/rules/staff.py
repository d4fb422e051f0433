"""What staff do to what is sold."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from shop.actions import inventory, promotions
from shop.actions.catalog import products, variants
from shop.models import Product, Voucher
from tests.shop.selling_machine.rules.both import WHICH, Both, pick, variant_row

PRICES = st.sampled_from([1250, 999, 33, 100, 2049, 4999, 7, 1, 0, None])


class StaffRules(Both):
    """Stock, prices, what is on sale, vouchers."""

    @rule(
        which=WHICH,
        how=st.sampled_from(["import", "add", "set", "backorder", "no backorder"]),
        units=st.integers(-4, 12),
    )
    def count(self, which: int, how: str, units: int) -> None:
        key = self.variant(which)
        if how == "import":
            self.same(
                "import stock",
                lambda: self.shop.import_(key, units),
                lambda: inventory.adjust({key: units}),
            )
        elif how in ("add", "set"):
            named = {"delta": units} if how == "add" else {"on_hand": units}
            self.same(
                "adjust stock",
                lambda: self.shop.correct(key, **{"delta": None, "on_hand": None, **named}),
                lambda: inventory.correct(variant_row(key), by=self.staff, **named),
            )
        else:
            flag = how == "backorder"
            self.same(
                "turn backorder on or off",
                lambda: self.shop.configure(key, backorder=flag),
                lambda: inventory.configure(variant_row(key), backorder=flag),
            )

    @rule(which=WHICH, price=PRICES)
    def reprice(self, which: int, price: int | None) -> None:
        key = self.variant(which)
        self.same(
            "change a price",
            lambda: self.shop.reprice(key, price),
            lambda: variants.reprice(variant_row(key), price=price),
        )

    @rule(which=WHICH, what=st.sampled_from(["publish", "unpublish", "voucher on", "voucher off"]))
    def switch(self, which: int, what: str) -> None:
        if what.startswith("voucher"):
            code = pick(list(self.shop.vouchers), which)
            active = what == "voucher on"
            self.same(
                f"switch a {what}",
                lambda: self.shop.switch_voucher(code, active=active),
                lambda: promotions.vouchers.update(
                    Voucher.objects.get(code=code), is_active=active
                ),
            )
            return
        name = self.shop.goods[self.variant(which)].product
        status = "published" if what == "publish" else "draft"
        self.same(
            what,
            lambda: self.shop.publish(name, what == "publish"),
            lambda: products.set_status(Product.objects.get(name=name), status),
        )
