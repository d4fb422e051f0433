"""Generated orders, and every move that shoppers, staff, providers and banks make with them.

The same seed makes the same moves. A move that the shop refuses with a code is counted by its code;
any other exception fails the replay.
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser

from shop.actions import aftersales, audit, carts, checkout, inventory, payments, promotions
from shop.actions.aftersales import Back, Wanted
from shop.actions.catalog import variants
from shop.actions.payments.disputing import dispute_within
from shop.actions.rows import atomically
from shop.errors import Busy, ShopError
from shop.gateways import DisputeOutcome, DisputeReason, demo
from shop.models import (
    AuditSource,
    Cart,
    DemoCharge,
    Dispute,
    DisputeState,
    Order,
    Payment,
    PaymentState,
    ShippingRate,
    User,
    Variant,
    Voucher,
)
from tests.shop.selling import BERLIN
from tests.shop.selling_machine.world import Clock

METHODS = (
    "", "ok", "ok", "authorize", "authorize", "authorize", "requires_action", "requires_action",
    "timeout", "never", "declined",
)  # fmt: skip
CODES = ("TENOFF", "FIVER", "FREESHIP", "ALLFREE")
# Orders that may still be moved; the oldest leave the pool.
POOL = 20


class Replay:
    """One shop that sells for a while.

    Attributes:
        done: how often each move ended in which way: "done", or an error's code.
        staff_moves: successful audited moves of staff, by action.
    """

    def __init__(self, seed: int, clock: Clock, people: list[User], staff: User) -> None:
        self.random = random.Random(seed)
        self.clock, self.people, self.staff = clock, people, staff
        self.done: Counter[tuple[str, str]] = Counter()
        self.staff_moves: Counter[str] = Counter()
        self.pool: list[int] = []
        self.keys = 0
        self.on_the_banks_page: list[tuple[str, Callable[[Order], Any]]] = [
            ("pay another way", self.pay_another_way),
            ("customer decides", self.decide),
            ("cancel by the customer", self.customer_cancels),
        ]
        self.moves: list[tuple[str, Callable[[Order], Any]]] = [
            ("customer decides", self.decide),
            ("customer decides", self.decide),
            ("provider tells", self.provider_tells),
            ("pay another way", self.pay_another_way),
            ("cancel by the customer", self.customer_cancels),
            ("cancel", self.staff_cancel),
            ("capture", self.capture),
            ("capture", self.capture),
            ("capture a part at the provider", self.capture_part),
            ("void a payment", self.void),
            ("remove units", self.remove_units),
            ("remove units", self.remove_units),
            ("remove units", self.remove_units),
            ("ship", self.ship),
            ("ship", self.ship),
            ("ship", self.ship),
            ("undo a parcel", self.undo),
            ("correct the tracking", self.track),
            ("correct the order", self.correct),
            ("take back", self.take_back),
            ("take back", self.take_back),
            ("refund an amount", self.refund_amount),
            ("refund an amount", self.refund_amount),
            ("refund lines", self.refund_lines),
            ("refund the shipping", self.refund_shipping),
            ("take units out", self.take_out),
            ("money comes late", self.late_money),
            ("dispute", self.dispute),
            ("dispute", self.dispute),
            ("note", self.note),
            ("order again", self.again),
        ]

    # --- One order after the other ----------------------------------------------------------------

    def run(self, orders: int) -> None:
        """Sells until there are so many orders, with moves and time in between."""
        while Order.objects.count() < orders:
            self.buy()
            newest = Order.objects.order_by("-pk").first()
            if newest is not None and newest.status == "pending":
                name, work = self.random.choice(self.on_the_banks_page)
                self.count(name, partial(work, newest))
            for _ in range(self.random.randint(4, 8)):
                self.move()
            if self.random.random() < 0.3:
                self.change_the_shop()
            self.clock.time += timedelta(seconds=self.random.choice([1, 40, 400, 1900]))
            if self.random.random() < 0.5:
                self.look_after()
        # Every provider tells what it knows in the end.
        for payment in Payment.objects.filter(state=PaymentState.AUTHORIZED):
            payments.ask(payment.pk)
        for _ in range(10):
            self.clock.time += timedelta(seconds=3700)
            self.look_after()

    def look_after(self) -> None:
        payments.settle()
        payments.expire_orders()

    def move(self) -> None:
        """One move of one order; another one where it does not fit, a few times."""
        for _ in range(4):
            name, work = self.random.choice(self.moves)
            order = Order.objects.get(pk=self.random.choice(self.pool)) if self.pool else None
            if order is None or self.count(name, partial(work, order)):
                return

    def count(self, name: str, work: Callable[[], Any]) -> bool:
        """Whether it was done, in the audit of a member of staff.

        Args:
            work: returns "" where it does not fit the order.
        """
        is_done = False
        try:
            with audit.acting(self.staff, AuditSource.API, None):
                if work() == "":
                    return False
            self.done[name, "done"] += 1
            is_done = True
        except Busy:
            self.done[name, "BUSY"] += 1
        except ShopError as error:
            for code in dict.fromkeys(one.code.value for one in error.each):
                self.done[name, code] += 1
        self._bind()
        return is_done

    def _bind(self) -> None:
        newest = list(Order.objects.order_by("-pk").values_list("pk", flat=True)[:POOL])
        self.pool = newest[::-1]

    def staff_move(self, action: str, work: Callable[[], Any]) -> None:
        work()
        self.staff_moves[action] += 1

    def key(self) -> str:
        self.keys += 1
        return f"request {self.keys}"

    # --- Shoppers ---------------------------------------------------------------------------------

    def buy(self) -> None:
        user = self.random.choice([None, *self.people])
        cart, _ = carts.create(user or AnonymousUser())
        rows = self.random.sample(list(Variant.objects.order_by("pk")), self.random.randint(1, 4))
        wanted = [(row.pk, self.random.randint(1, 4)) for row in rows]
        self.count("add to a cart", lambda: carts.add(cart, wanted))
        carts.set_addresses(cart, shipping=BERLIN, billing=None)
        if not cart.email:
            carts.set_email(cart, f"guest{self.random.randint(0, 30)}@example.org")
        if self.random.random() < 0.5:
            code = self.random.choice(CODES)
            self.count("apply a voucher", lambda: carts.apply_voucher(cart, code))
        rates = [None, *ShippingRate.objects.order_by("pk").values_list("pk", flat=True)]
        rate = self.random.choice(rates)
        self.count("choose the shipping", lambda: carts.set_shipping(cart, rate))
        self.order(cart, user)

    def order(self, cart: Cart, user: User | None, *, total: int | None = None) -> None:
        cart = Cart.objects.get(pk=cart.pk)
        if total is None:
            total = carts.priced(cart).price.total
        wish = checkout.Wish(
            cart=cart,
            user=user or AnonymousUser(),
            provider=self.random.choice(["demo"] * 5 + ["manual"]),
            method=self.random.choice(METHODS),
            expected_total=total,
        )
        key = self.key()
        self.count("check out", lambda: checkout.complete(wish, key=key))
        if self.random.random() < 0.2:
            # An impatient finger.
            self.count("check out again", lambda: checkout.complete(wish, key=key))

    def again(self, order: Order) -> str | None:
        if order.user is None:
            cart, _ = carts.reorder(AnonymousUser(), order)
            carts.set_email(cart, order.email)
        else:
            cart, _ = carts.reorder(order.user, order)
        carts.set_addresses(cart, shipping=BERLIN, billing=None)
        if self.random.random() < 0.5:
            self.order(cart, order.user)
        return None

    def pay_another_way(self, order: Order) -> str | None:
        if order.status != "pending" or order.cart is None:
            return ""
        self.order(order.cart, order.user, total=order.total)
        return None

    def customer_cancels(self, order: Order) -> None:
        key = self.key()
        for _ in range(self.random.choice([1, 1, 2])):
            aftersales.cancel(order, by=order.user, key=key)
        # Also by the customer: the audit context is the request's.
        self.staff_moves["order.cancel"] += 1

    def decide(self, order: Order) -> str | None:
        payment = order.payments.first()
        if payment is None or not demo.confirm(payment.key, accept=self.random.random() < 0.7):
            return ""
        return None

    # --- Providers and banks ----------------------------------------------------------------------

    def provider_tells(self, order: Order) -> str | None:
        payment = order.payments.first()
        if payment is None:
            return ""
        payments.ask(payment.pk)
        return None

    def capture_part(self, order: Order) -> str | None:
        payment = order.payments.first()
        held = DemoCharge.objects.filter(key=payment.key if payment else "", state="authorized")
        part = max(order.total * self.random.randint(1, 99) // 100, 1)
        if not held.update(state="captured", captured=part):
            return ""
        return None

    def late_money(self, order: Order) -> str | None:
        payment = order.payments.filter(
            state__in=(PaymentState.FAILED, PaymentState.VOIDED)
        ).first()
        charges = DemoCharge.objects.filter(key=payment.key if payment else "")
        taken = charges.exclude(state="captured")
        if payment is None or not taken.update(state="captured", captured=payment.amount):
            return ""
        payments.ask(payment.pk)
        return None

    def dispute(self, order: Order) -> str | None:
        """A bank asks for all or a part of the money, and later decides."""
        payment = order.payments.filter(captured__gt=0).first()
        if payment is None:
            return ""
        row = Dispute.objects.filter(payment=payment).first()
        if row is not None and row.closed_at is not None:
            return ""
        amount = self.random.choice([payment.captured, max(payment.captured // 3, 1)])
        state, has_it = DisputeState.NEEDS_RESPONSE, True
        if row is not None:
            amount = row.amount
            state, has_it = self.random.choice(
                [(DisputeState.LOST, True), (DisputeState.WON, False)]
            )
        outcome = DisputeOutcome(
            reference=f"du_{payment.pk}",
            state=state,
            reason=DisputeReason.FRAUDULENT,
            amount=amount,
            currency=payment.currency,
            is_withdrawn=has_it,
            due_at=None,
            opened_at=row.opened_at if row else self.clock.now(),
            told_at=self.clock.now(),
        )
        for _ in range(self.random.choice([1, 2])):
            atomically(lambda: dispute_within(payment.pk, outcome))
        return None

    # --- Staff ------------------------------------------------------------------------------------

    def units(self, order: Order) -> dict[int, int | None]:
        lines = list(order.lines.order_by("position"))
        chosen = self.random.sample(lines, self.random.randint(1, len(lines)))
        return {line.pk: self.random.choice([None, 1, 1, 2]) for line in chosen}

    def twice(self, action: str, work: Callable[[str], Any]) -> None:
        """Some requests come twice under their key, and are done once."""
        key = self.key()
        self.staff_move(action, lambda: work(key))
        if self.random.random() < 0.2:
            work(key)

    def staff_cancel(self, order: Order) -> None:
        restock = self.random.random() < 0.8
        self.twice(
            "order.cancel",
            lambda key: aftersales.cancel(order, restock=restock, by=self.staff, key=key),
        )

    def capture(self, order: Order) -> None:
        aftersales.capture(order, by=self.staff, key=self.key())

    def void(self, order: Order) -> str | None:
        payment = order.payments.first()
        if payment is None:
            return ""
        payments.void(Payment.objects.select_related("order").get(pk=payment.pk), by=self.staff)
        return None

    def remove_units(self, order: Order) -> None:
        units = self.units(order)
        self.twice(
            "order.lines_cancel",
            lambda key: aftersales.cancel_lines(order, units, by=self.staff, key=key),
        )

    def ship(self, order: Order) -> None:
        units = self.random.choice([None, self.units(order)])
        refunded = self.random.random() < 0.2
        self.twice(
            "order.fulfil",
            lambda key: aftersales.fulfil(
                order, units, include_refunded=refunded, carrier="DHL", by=self.staff, key=key
            ),
        )

    def undo(self, order: Order) -> str | None:
        parcel = order.fulfillments.order_by("-pk").first()
        if parcel is None:
            return ""
        self.twice(
            "fulfillment.cancel",
            lambda key: aftersales.cancel_fulfillment(parcel, by=self.staff, key=key),
        )
        return None

    def track(self, order: Order) -> str | None:
        parcel = order.fulfillments.order_by("-pk").first()
        if parcel is None:
            return ""
        number = f"1Z{self.keys}-{self.random.random()}"
        self.staff_move(
            "fulfillment.update",
            lambda: aftersales.update_fulfillment(parcel, by=self.staff, tracking_number=number),
        )
        return None

    def correct(self, order: Order) -> None:
        street = {**BERLIN, "line1": f"Allee {self.random.random()}"}
        self.staff_move(
            "order.update",
            lambda: aftersales.update_order(order, by=self.staff, shipping_address=street),
        )

    def take_back(self, order: Order) -> None:
        restock = self.random.random() < 0.7
        back = {line: Back(units, restock) for line, units in self.units(order).items()}
        self.twice(
            "order.return", lambda key: aftersales.return_(order, back, by=self.staff, key=key)
        )

    def refund(self, order: Order, wanted: Wanted) -> None:
        key = self.key()
        made = aftersales.refund(order, wanted, by=self.staff, key=key)
        # Units that cost nothing are taken out without a refund.
        self.staff_moves["refund.create"] += made is not None
        if self.random.random() < 0.2:
            aftersales.refund(order, wanted, by=self.staff, key=key)

    def refund_amount(self, order: Order) -> None:
        self.refund(order, Wanted(amount=self.random.choice([1, 33, 500, 2500])))

    def refund_lines(self, order: Order) -> None:
        self.refund(order, Wanted(lines=self.units(order), shipping=self.random.random() < 0.3))

    def refund_shipping(self, order: Order) -> None:
        self.refund(order, Wanted(shipping=True))

    def take_out(self, order: Order) -> None:
        self.refund(order, Wanted(lines=self.units(order), restock=True))

    def note(self, order: Order) -> None:
        self.staff_move(
            "orderevent.create", lambda: aftersales.note(order, text="Called.", by=self.staff)
        )

    def change_the_shop(self) -> None:
        row = self.random.choice(list(Variant.objects.select_related("product").order_by("pk")))
        what = self.random.choice(["stock", "price", "voucher"])
        if what == "stock":
            delta = self.random.choice([-3, 5, 40, 80])
            self.count("adjust stock", lambda: inventory.correct(row, by=self.staff, delta=delta))
        elif what == "price":
            price = max((row.price or 100) + self.random.choice([-7, 1, 50]), 1)
            self.count("change a price", lambda: variants.reprice(row, price=price))
        else:
            voucher = self.random.choice(list(Voucher.objects.order_by("pk")))
            active = not voucher.is_active
            self.count(
                "switch a voucher", lambda: promotions.vouchers.update(voucher, is_active=active)
            )
