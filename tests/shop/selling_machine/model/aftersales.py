"""The model of what comes after a sale."""

from collections.abc import Callable, Mapping

from tests.shop.selling_machine.model.checkout import Checkout
from tests.shop.selling_machine.model.payments import PATIENCE
from tests.shop.selling_machine.model.prices import HOME
from tests.shop.selling_machine.model.rows import (
    AUTHORIZED,
    CANCELLED,
    COMPLETED,
    CONFIRMED,
    OPEN,
    PARTIALLY_REFUNDED,
    PENDING,
    REFUNDED,
    Line,
    Order,
    Payment,
    Refund,
    RefusedAmong,
)

MAX_QUANTITY = 9999
# Units by the line's place in the order; None stands for all that are left.
Units = Mapping[int, int | None]


class Aftersales(Checkout):
    """Ship, call off, pay back, take back."""

    def fulfil(self, order: Order, asked: Units | None, *, refunded: bool) -> None:
        """Ships units; those that were refunded only when it says so."""
        payable = (AUTHORIZED, "partially_paid", "paid", PARTIALLY_REFUNDED)
        payable += (REFUNDED,) if refunded else ()
        if order.status != CONFIRMED or order.payment_status not in payable:
            raise RefusedAmong("ILLEGAL_MOVE")
        parcel = _chosen(order, asked, _unshipped if refunded else _to_ship)
        order.parcels.append(parcel)
        order.was_shipped = True
        for line, units in parcel:
            line.fulfilled += units
            order.promised[line.variant] -= units
            self.goods[line.variant].reserved -= units
            self.goods[line.variant].on_hand -= units
        self._count(order, ends=not refunded)

    def cancel_parcel(self, order: Order) -> None:
        """The last parcel was recorded by mistake: its units are in the house."""
        if order.status not in (CONFIRMED, COMPLETED):
            raise RefusedAmong("ILLEGAL_MOVE")
        if any(line.fulfilled - units < line.returned for line, units in order.parcels[-1]):
            raise RefusedAmong("ILLEGAL_MOVE")
        order.status = CONFIRMED
        for line, units in order.parcels.pop():
            line.fulfilled -= units
            order.promised[line.variant] = order.promised.get(line.variant, 0) + units
            self.goods[line.variant].reserved += units
            self.goods[line.variant].on_hand += units
        self.derive_fulfillment(order)

    def correct_tracking(self, order: Order, *, is_cancelled: bool) -> None:
        """A parcel that was not undone gets another number; no state follows from it."""
        if is_cancelled or order.status not in (CONFIRMED, COMPLETED):
            raise RefusedAmong("ILLEGAL_MOVE")

    def correct_order(self, order: Order, street: str | None, country: str, email: str) -> None:
        """Its address until something is shipped, its e-mail address while it is open.

        Args:
            street: None leaves the address.
            country: nothing is shipped to any but that of the order.
            email: empty leaves it.
        """
        is_open = order.status in (PENDING, CONFIRMED)
        moves = street is not None and (street, country) != (order.street, HOME)
        renames = bool(email) and email != order.email
        refused = []
        if moves and not (is_open and order.fulfillment_status in ("none", "cancelled")):
            refused.append("ILLEGAL_MOVE")
        if renames and not is_open:
            refused.append("ILLEGAL_MOVE")
        if moves and country != HOME:
            refused.append("TOTAL_WOULD_CHANGE")
        if refused:
            raise RefusedAmong(*refused)
        order.street = order.street if street is None else street
        if renames:
            before, order.email = order.customer, email
            if order.redeemed and order.voucher is not None:
                used = self.vouchers[order.voucher].by
                used[used.index(before)] = order.customer

    def return_(self, order: Order, asked: Units | None, *, restock: bool) -> None:
        if order.status not in (CONFIRMED, COMPLETED):
            raise RefusedAmong("ILLEGAL_MOVE")
        for line, units in _chosen(order, asked, lambda line: line.fulfilled - line.returned):
            line.returned += units
            if restock:
                self.goods[line.variant].on_hand += units
        self._count(order)

    def refund_amount(self, order: Order, amount: int, *, line: str) -> None:
        if amount <= 0:
            raise RefusedAmong("INVALID")
        if order.status == PENDING:
            raise RefusedAmong("ILLEGAL_MOVE")
        self._pay_back(order, amount, 0, line)

    def refund_parts(
        self, order: Order, asked: Units, *, shipping: bool, restock: bool, line: str
    ) -> None:
        """Money for units, for the shipping; the units are not shipped any more with `restock`."""
        if not asked and not shipping:
            raise RefusedAmong("REQUIRED")
        if restock and not asked:
            raise RefusedAmong("INVALID")
        if order.status == PENDING or (restock and order.status != CONFIRMED):
            raise RefusedAmong("ILLEGAL_MOVE")
        most = _unshipped if restock else _unrefunded
        chosen = _chosen(order, asked, most) if asked else []
        fee = _shipping_left(order) if shipping else 0
        # What was paid back before, or never paid, is taken out for nothing.
        free = restock and _is_spent(order)
        paid = {id(row): 0 if free else min(units, _unrefunded(row)) for row, units in chosen}
        amount = fee + sum(_price(row, paid[id(row)]) for row, _ in chosen)
        if amount:
            self._check_left(order, amount)
        elif not restock:
            raise RefusedAmong("INVALID")
        for row, units in chosen:
            row.refunded += paid[id(row)] if amount else 0
            if restock:
                row.cancelled += units
                order.promised[row.variant] -= units
                self.goods[row.variant].reserved -= units
        if amount:
            self._pay_back(order, amount, fee, line)
        if restock:
            self._count(order, ends=True)

    def cancel_lines(self, order: Order, asked: Units) -> None:
        """Units that are not paid yet are removed, and cost no more."""
        payment = order.payment
        if order.status != CONFIRMED or order.payment_status != AUTHORIZED:
            raise RefusedAmong("ILLEGAL_MOVE")
        assert payment is not None
        if payment.due is not None:
            raise RefusedAmong("ILLEGAL_MOVE")
        chosen = _chosen(order, asked, _unshipped)
        if sum(line.quantity - line.cancelled for line in order.lines) == sum(
            units for _, units in chosen
        ):
            raise RefusedAmong("LAST_UNIT")
        off = sum(_first(line.total, line.quantity, units) for line, units in chosen)
        if off == order.price.total:
            raise RefusedAmong("LAST_UNIT")
        for line, units in chosen:
            self._remove(order, line, units)
            order.promised[line.variant] -= units
            self.goods[line.variant].reserved -= units
        order.lines = [line for line in order.lines if line.quantity]
        self._count(order)

    def _remove(self, order: Order, line: Line, units: int) -> None:
        """The units cost what a refund of them would come to."""
        price = order.price
        tax, total = (_first(of, line.quantity, units) for of in (line.tax, line.total))
        subtotal = line.unit_price * units
        discount = subtotal - total + (0 if self.tax_included else tax)
        for row in (line, price):
            row.subtotal -= subtotal
            row.discount -= discount
            row.tax -= tax
            row.total -= total
        line.quantity -= units

    def cancel(self, order: Order, *, restock: bool, line: str, turns: int) -> None:
        """Its stock and voucher are free, all its money goes back.

        Args:
            turns: how often its payment is settled, which is all that is done when it comes again.
        """
        if order.status not in (PENDING, CONFIRMED) or order.fulfillment_status not in (
            "none",
            "cancelled",
        ):
            raise RefusedAmong("ILLEGAL_MOVE")
        was_pending = order.status == PENDING
        order.status = CANCELLED
        payment = order.payment
        if payment is None:
            order.payment_status = "voided"
        if payment is not None:
            if payment.captured > payment.refunded:
                rest = payment.captured - payment.refunded
                payment.refunds.append(Refund(rest, due=self.now()))
                payment.refunded, payment.state = payment.captured, REFUNDED
                self.derive(order)
            if payment.state in (*OPEN, AUTHORIZED):
                payment.due, payment.attempts = self.now(), 0
        lost = {} if restock else dict(order.promised)
        self.free(order)
        for variant, units in lost.items():
            self.import_(variant, -min(units, max(self.goods[variant].on_hand, 0)))
        # Units that are lost cannot be merged into another cart.
        if was_pending:
            self.reopen(order)
        for _ in range(turns):
            self.settle(only=order, line=line)

    def _pay_back(self, order: Order, amount: int, shipping: int, line: str) -> None:
        payment = self._check_left(order, amount)
        payment.refunded += amount
        whole = payment.refunded == payment.captured
        payment.state = REFUNDED if whole else PARTIALLY_REFUNDED
        order.shipping_refunded += shipping
        refund = Refund(amount, due=self.now() + PATIENCE)
        payment.refunds.append(refund)
        self.derive(order)
        self.send_back(payment, refund, line=line)

    def _check_left(self, order: Order, amount: int) -> Payment:
        payment = order.payment
        if payment is None or payment.captured - payment.refunded < amount:
            raise RefusedAmong("EXCEEDS_PAYMENT")
        return payment

    def _count(self, order: Order, *, ends: bool = False) -> None:
        """How much of it was shipped; with the last unit it is completed, if it is paid.

        Args:
            ends: cancels refunded units when nothing else is left to ship.
        """
        self.derive_fulfillment(order)
        shipped = order.fulfillment_status in ("full", "returned")
        if ends and shipped and order.payment_status == PARTIALLY_REFUNDED:
            for line in order.lines:
                order.promised[line.variant] -= line.unshipped
                self.goods[line.variant].reserved -= line.unshipped
                line.cancelled += line.unshipped
        self.complete_order(order)


def _chosen(
    order: Order, asked: Units | None, left: Callable[[Line], int]
) -> list[tuple[Line, int]]:
    if asked is None:
        found = [(line, left(line)) for line in order.lines if left(line)]
        if not found:
            raise RefusedAmong("EXCEEDS_ORDER")
        return found
    if not asked:
        raise RefusedAmong("REQUIRED")
    found = []
    for place, units in asked.items():
        if place >= len(order.lines):
            raise RefusedAmong("NOT_FOUND")
        if units is not None and not 1 <= units <= MAX_QUANTITY:
            raise RefusedAmong("INVALID_QUANTITY")
        most = left(order.lines[place])
        if not most or (units or 0) > most:
            raise RefusedAmong("EXCEEDS_ORDER")
        found.append((order.lines[place], units or most))
    return found


def _shipping_left(order: Order) -> int:
    """What was paid for the shipping, and not paid back."""
    paid = order.price.total - sum(line.total for line in order.lines)
    if paid == order.shipping_refunded:
        raise RefusedAmong("EXCEEDS_ORDER")
    return paid - order.shipping_refunded


def _unrefunded(line: Line) -> int:
    return line.quantity - line.refunded


def _unshipped(line: Line) -> int:
    return line.unshipped


def _to_ship(line: Line) -> int:
    return line.to_ship


def _is_spent(order: Order) -> bool:
    """Whether no money is left that could go back, nor promised."""
    payment = order.payment
    if payment is None:
        return True
    return payment.captured == payment.refunded and payment.state != AUTHORIZED


def _first(amount: int, quantity: int, units: int) -> int:
    """Amount of the first units, which are the dearer ones."""
    each, dearer = divmod(amount, quantity)
    return sum(each + (place < dearer) for place in range(units))


def _price(line: Line, units: int) -> int:
    """What was paid for the next units; of the line's units the first are a cent dearer."""
    each, dearer = divmod(line.total, line.quantity)
    places = range(line.refunded, line.refunded + units)
    return sum(each + (place < dearer) for place in places)
