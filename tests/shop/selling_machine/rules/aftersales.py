"""What comes after a sale."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from shop.actions import aftersales
from shop.actions.aftersales import Back, Wanted
from tests.shop.selling_machine.model import rows
from tests.shop.selling_machine.model.aftersales import Units
from tests.shop.selling_machine.rules.both import (
    ADDRESSES,
    LINES,
    WHICH,
    Both,
    cut,
    order_row,
    pick,
    there_is,
)

# Units by line: all that are left, some, too many, or what cannot be.
UNITS = st.dictionaries(
    st.integers(0, 6), st.sampled_from([None, None, 1, 1, 1, 2, 3, 0]), max_size=2
)
# That of a line that there is not.
_NO_LINE = 6
AMOUNTS = st.sampled_from([1, 33, 500, 1000, 2500, 10**6, 0, -1])


def is_confirmed(order: rows.Order) -> bool:
    return order.status == rows.CONFIRMED


def was_shipped(order: rows.Order) -> bool:
    return any(line.fulfilled > line.returned for line in order.lines)


def has_money(order: rows.Order) -> bool:
    return order.payment is not None and order.payment.captured > order.payment.refunded


def is_unpaid(order: rows.Order) -> bool:
    return is_confirmed(order) and order.payment_status == rows.AUTHORIZED


def has_parcel(order: rows.Order) -> bool:
    return bool(order.parcels)


def can_be_cancelled(order: rows.Order) -> bool:
    return order.status in (rows.PENDING, rows.CONFIRMED) and order.fulfillment_status in (
        "none",
        "cancelled",
    )


def had_parcel(order: rows.Order) -> bool:
    return order.was_shipped


def is_unpaid_or_pending(order: rows.Order) -> bool:
    return can_be_cancelled(order) and order.payment_status in ("pending", rows.AUTHORIZED)


class AftersalesRules(Both):
    """Ship, call off, pay back, take back."""

    @there_is(is_confirmed)
    @rule(
        which=WHICH,
        asked=UNITS | st.none(),
        refunded=st.sampled_from([False, False, True]),
        twice=st.booleans(),
    )
    def fulfil(self, which: int, asked: Units | None, refunded: bool, twice: bool) -> None:
        order = self.order(which, is_confirmed)
        units, lines = self.lines(order, asked)
        key = self.key()
        self.same(
            "ship",
            lambda: self.shop.fulfil(order, units, refunded=refunded),
            lambda: aftersales.fulfil(
                order_row(order), lines, include_refunded=refunded, by=self.staff, key=key
            ),
            twice=twice,
        )

    @there_is(was_shipped)
    @rule(which=WHICH, asked=UNITS | st.none(), restock=st.booleans(), twice=st.booleans())
    def take_back(self, which: int, asked: Units | None, restock: bool, twice: bool) -> None:
        order = self.order(which, was_shipped)
        units, lines = self.lines(order, asked)
        key = self.key()
        back = None
        if lines is not None:
            back = {line: Back(number, restock) for line, number in lines.items()}
        self.same(
            "take back",
            lambda: self.shop.return_(order, units, restock=restock or units is None),
            lambda: aftersales.return_(order_row(order), back, by=self.staff, key=key),
            twice=twice,
        )

    @there_is(has_money)
    @rule(which=WHICH, amount=AMOUNTS, line=LINES, twice=st.booleans())
    def refund_amount(self, which: int, amount: int, line: str, twice: bool) -> None:
        order = self.order(which, has_money)
        wanted, key = Wanted(amount=amount), self.key()
        with cut(line, "refund"):
            self.same(
                "refund an amount",
                lambda: self.shop.refund_amount(order, amount, line=line),
                lambda: aftersales.refund(order_row(order), wanted, by=self.staff, key=key),
                twice=twice and not line,
            )

    @there_is(has_money)
    @rule(
        which=WHICH,
        asked=UNITS,
        shipping=st.booleans(),
        restock=st.booleans(),
        line=LINES,
        twice=st.booleans(),
    )
    def refund_parts(
        self,
        which: int,
        asked: Units,
        shipping: bool,
        restock: bool,
        line: str,
        twice: bool,
    ) -> None:
        order = self.order(which, has_money)
        units, lines = self.lines(order, asked)
        key = self.key()
        wanted = Wanted(lines=lines or {}, shipping=shipping, restock=restock)
        with cut(line, "refund"):
            self.same(
                "take units out" if restock else "refund lines",
                lambda: self.shop.refund_parts(
                    order, units or {}, shipping=shipping, restock=restock, line=line
                ),
                lambda: aftersales.refund(order_row(order), wanted, by=self.staff, key=key),
                twice=twice and not line,
            )

    @there_is(is_unpaid)
    @rule(which=WHICH, asked=UNITS, twice=st.booleans())
    def cancel_lines(self, which: int, asked: Units, twice: bool) -> None:
        order, key = self.order(which, is_unpaid), self.key()
        units, lines = self.lines(order, asked)
        self.same(
            "remove units",
            lambda: self.shop.cancel_lines(order, units or {}),
            lambda: (
                aftersales.cancel_lines(order_row(order), lines or {}, by=self.staff, key=key)
                and None
            ),
            twice=twice,
        )

    @there_is(has_parcel)
    @rule(which=WHICH, twice=st.booleans())
    def undo_a_parcel(self, which: int, twice: bool) -> None:
        order, key = self.order(which, has_parcel, has_parcel), self.key()
        parcel = order_row(order).fulfillments.filter(cancelled_at=None).order_by("-pk").first()
        self.same(
            "undo a parcel",
            lambda: self.shop.cancel_parcel(order),
            lambda: aftersales.cancel_fulfillment(parcel, by=self.staff, key=key) and None,
            twice=twice,
        )

    @there_is(had_parcel)
    @rule(which=WHICH, place=st.integers(0, 3), number=st.sampled_from(["", "1Z", "2Z"]))
    def correct_the_tracking(self, which: int, place: int, number: str) -> None:
        """Corrects any parcel, also a cancelled one."""
        order = self.order(which, has_parcel, had_parcel)
        parcel = pick(list(order_row(order).fulfillments.order_by("pk")), place)
        self.same(
            "correct the tracking",
            lambda: self.shop.correct_tracking(order, is_cancelled=parcel.cancelled_at is not None),
            lambda: (
                aftersales.update_fulfillment(parcel, by=self.staff, tracking_number=number)
                and None
            ),
        )

    @there_is(bool)
    @rule(
        which=WHICH,
        street=st.sampled_from(["Allee 2", "Allee 3", "Allee 4", None]),
        country=st.sampled_from(["DE", "DE", "AT"]),
        email=st.sampled_from(["", "eve@example.org", "guest0@example.org"]),
    )
    def correct_the_order(self, which: int, street: str | None, country: str, email: str) -> None:
        order = self.order(which, can_be_cancelled)
        changes: dict[str, Any] = {"email": email} if email else {}
        if street is not None:
            changes["shipping_address"] = {**ADDRESSES[country], "line1": street}
        self.same(
            "correct the order",
            lambda: self.shop.correct_order(order, street, country, email),
            lambda: aftersales.update_order(order_row(order), by=self.staff, **changes) and None,
        )

    @there_is(is_unpaid_or_pending)
    @rule(which=WHICH, line=LINES, twice=st.booleans())
    def customer_cancels(self, which: int, line: str, twice: bool) -> None:
        """From the bank's page back to the cart, or before anything was shipped."""
        order, key = self.order(which, is_unpaid_or_pending, can_be_cancelled), self.key()
        by = next((one for one in self.people if one.pk == order.user), None)
        twice = twice and not line
        with cut(line, "void", "refund"):
            self.same(
                "cancel by the customer",
                lambda: self.shop.cancel(order, restock=True, line=line, turns=1 + twice),
                lambda: aftersales.cancel(order_row(order), by=by, key=key),
                twice=twice,
            )

    @there_is(can_be_cancelled)
    @rule(which=WHICH, restock=st.booleans(), line=LINES, twice=st.booleans())
    def cancel(self, which: int, restock: bool, line: str, twice: bool) -> None:
        order, key = self.order(which, can_be_cancelled), self.key()
        twice = twice and not line
        with cut(line, "void", "refund"):
            self.same(
                "cancel",
                lambda: self.shop.cancel(order, restock=restock, line=line, turns=1 + twice),
                lambda: aftersales.cancel(
                    order_row(order), restock=restock, by=self.staff, key=key
                ),
                twice=twice,
            )

    def lines(self, order: rows.Order, asked: Units | None) -> tuple[Units | None, Units | None]:
        """What is asked for, by the place of the line, and by its primary key."""
        if asked is None:
            return None, None
        keys = list(order_row(order).lines.order_by("position").values_list("pk", flat=True))
        places = {
            len(keys) if which == _NO_LINE else which % len(keys): units
            for which, units in asked.items()
        }
        return places, {[*keys, 0][place]: units for place, units in places.items()}
