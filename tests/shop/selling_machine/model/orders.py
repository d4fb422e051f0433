"""The model's orders: where they go, and what goes with them."""

from tests.shop.selling_machine.model.carts import Carts
from tests.shop.selling_machine.model.rows import (
    CANCELLED,
    COMPLETED,
    CONFIRMED,
    EXPIRED,
    FAILED,
    GIVEN_UP,
    LIVING,
    OPEN,
    PARTIALLY_REFUNDED,
    PENDING,
    REFUNDED,
    VOIDED,
    Order,
)


class Orders(Carts):
    """In the order in which they were placed, each with its payment, if it has one."""

    orders: list[Order]

    def why_closed(self, key: int) -> str:
        waits = self.carts[key].status == "ordered" and self.pending_of(key) is not None
        return "PAYMENT_PENDING" if waits else "CART_CLOSED"

    def pending_of(self, key: int) -> Order | None:
        """The order of a cart that waits for its payment."""
        of_cart = (one for one in self.orders if one.cart == key and one.status == PENDING)
        return next(of_cart, None)

    def confirm(self, order: Order, payment_status: str) -> None:
        order.status, order.payment_status = CONFIRMED, payment_status
        order.confirmed = True

    def give_up(self, order: Order, status: str) -> None:
        """Its stock and its voucher are free again; cancelled, its cart is open again."""
        order.status = status
        order.payment_status = FAILED if status == CANCELLED else VOIDED
        self.free(order)
        if status == CANCELLED:
            self.reopen(order)

    def free(self, order: Order) -> None:
        self.release(order.promised)
        order.promised = {}
        if order.redeemed and order.voucher is not None:
            self.vouchers[order.voucher].by.remove(order.customer)
            order.redeemed = False

    def reopen(self, order: Order, *, merges: bool = True) -> None:
        """Opens its cart again, or merges it into the one that the account has begun since."""
        cart = self.carts[order.cart]
        if cart.status != "ordered":
            return
        own = None if cart.owner is None else self.active_of(cart.owner)
        if own is not None and merges:
            cart.status = "merged"
            self.take_over(self.carts[own], cart)
        else:
            cart.status, cart.active_of = "active", None if own is not None else cart.owner

    def revive(self, order: Order) -> bool:
        """An order that had expired gets its stock again, and its voucher if there is one left."""
        units = {line.variant: line.quantity for line in order.lines}
        if order.status != EXPIRED or any(self.goods[key].lacks(n) for key, n in units.items()):
            return False
        self.reserve(units)
        order.promised = units
        order.status, order.confirmed = CONFIRMED, True
        if order.voucher is not None:
            voucher = self.vouchers[order.voucher]
            if voucher.active and (voucher.limit is None or voucher.used < voucher.limit):
                voucher.by.append(order.customer)
                order.redeemed = True
        return True

    def derive(self, order: Order) -> None:
        """Where the money of an order is, by its payment."""
        payment = order.payment
        assert payment is not None
        if payment.refunded:
            whole = payment.refunded == payment.captured
            order.payment_status = REFUNDED if whole else PARTIALLY_REFUNDED
        elif payment.captured:
            whole = payment.captured >= order.price.total
            order.payment_status = "paid" if whole else "partially_paid"
        else:
            order.payment_status = payment.state if payment.state not in OPEN else "pending"
        if payment.refunded and order.status not in GIVEN_UP:
            self.derive_fulfillment(order)
        self.complete_order(order)

    def derive_fulfillment(self, order: Order) -> None:
        """How much of it was shipped, by its lines; without money nothing more is to be."""
        fulfilled = sum(line.fulfilled for line in order.lines)
        is_left = any(line.to_ship for line in order.lines) and order.payment_status != REFUNDED
        if is_left:
            order.fulfillment_status = "partial" if fulfilled else "none"
        elif not fulfilled:
            order.fulfillment_status = "cancelled"
        else:
            is_back = fulfilled == sum(line.returned for line in order.lines)
            order.fulfillment_status = "returned" if is_back else "full"

    def complete_order(self, order: Order) -> None:
        """Once all of it is shipped and the money came, whatever went back since."""
        shipped = order.fulfillment_status in ("full", "returned")
        shipped = shipped and not any(line.unshipped for line in order.lines)
        paid = order.payment_status in ("paid", PARTIALLY_REFUNDED, REFUNDED)
        if order.status == CONFIRMED and shipped and paid:
            order.status = COMPLETED

    def living(self, cart: int) -> list[Order]:
        return [order for order in self.orders if order.cart == cart and order.status in LIVING]
