"""The model's payments: what a provider says becomes true in the shop, once."""

from datetime import datetime, timedelta

from tests.shop.selling_machine.model import provider
from tests.shop.selling_machine.model.orders import Orders
from tests.shop.selling_machine.model.rows import (
    AUTHORIZED,
    CANCELLED,
    CAPTURED,
    CREATED,
    ENDED,
    EXPIRED,
    FAILED,
    GIVEN_UP,
    OPEN,
    PENDING,
    REFUNDED,
    REQUIRES_ACTION,
    TAKEN,
    VOIDED,
    Order,
    Payment,
    Refund,
    Refused,
)

# After which an answer that did not come is asked for; when a customer is first looked after.
PATIENCE = timedelta(seconds=30)
FIRST_LOOK = timedelta(seconds=60)


def gap(attempts: int) -> timedelta:
    """Between two questions: half a minute, then twice as long each time, up to an hour."""
    return timedelta(seconds=min(30 * 2**attempts, 3600))


class Payments(Orders):
    """Asked for, answered, settled. `line` says where a provider's answer is lost, if it is:

    "before" the provider has done anything, or "after" it.
    """

    def pay(self, order: Order, *, line: str = "") -> None:
        """Asks the provider. Some methods of the demo one lose the answer by themselves."""
        payment = order.payment
        if payment is None or payment.state != CREATED or order.status != PENDING:
            return
        if payment.provider == "demo" and payment.method == "never":
            line = "before"
        elif payment.provider == "demo" and payment.method == "timeout":
            line = line or "after"
        if line == "before":
            return
        said = provider.pay(payment)
        if not line:
            self.hear(order, said)

    def hear(self, order: Order, said: str) -> None:
        """What the provider says; again, or too late, it changes nothing."""
        payment = order.payment
        assert payment is not None
        state = payment.state
        if said == CAPTURED and state in (*OPEN, *ENDED, AUTHORIZED):
            self._take(order, payment, CAPTURED)
        elif said == AUTHORIZED and state in OPEN:
            self._take(order, payment, AUTHORIZED)
        elif said == "declined" and state in OPEN:
            self._end(order, payment, FAILED)
        elif said == VOIDED and state in (*OPEN, AUTHORIZED):
            self._end(order, payment, VOIDED)
        elif said == REQUIRES_ACTION and state == CREATED:
            payment.state, payment.attempts = REQUIRES_ACTION, 0
            payment.due = self.now()
            if order.status == PENDING:
                payment.due = min(self.now() + FIRST_LOOK, order.expires_at)
        else:
            self._stay(order, payment, said)

    def capture(self, order: Order, *, line: str) -> None:
        """Staff take money that is promised."""
        payment = order.payment
        if payment is None or payment.state != AUTHORIZED or order.status in GIVEN_UP:
            raise Refused("ILLEGAL_MOVE")
        self._ask_later(payment)
        if line != "before":
            said = provider.capture(payment, min(payment.amount, order.price.total))
            if not line:
                self.hear(order, said)

    def void(self, order: Order, *, line: str) -> None:
        """Staff give up a payment of which nothing was captured."""
        payment = order.payment
        if payment is None or payment.state not in (*OPEN, AUTHORIZED):
            raise Refused("ILLEGAL_MOVE")
        if not self._close(order, payment):
            self._ask_later(payment)
        self._void(order, payment, line)

    def settle(self, *, only: Order | None = None, line: str = "") -> int:
        """Asks about what is due, until an answer is lost, and tells how much that was."""
        now = self.now()
        orders = self.orders if only is None else [only]
        payments = [(order, order.payment) for order in orders if order.payment]
        due = [(order, payment) for order, payment in payments if _is_due(payment.due, now)]
        due.sort(key=lambda pair: pair[1].due or now)
        count = 0
        for order, payment in due:
            self._claim(payment)
            if payment.state == REQUIRES_ACTION and order.status == PENDING:
                # Asked once more when the order expires.
                last = order.expires_at if order.expires_at > now else payment.due
                payment.due = min(payment.due or last, last)
            count += 1
            if not self._ask(order, payment, line):
                return count
        owed = [
            (payment, refund)
            for _, payment in payments
            for refund in payment.refunds
            if _is_due(refund.due, now)
        ]
        owed.sort(key=lambda pair: pair[1].due or now)
        for payment, refund in owed:
            self._claim(refund)
            count += 1
            if not self._ask_again(payment, refund, line):
                return count
        return count

    def expire(self) -> int:
        """Gives up orders whose time is over, unless a payment may yet come to something."""
        count = 0
        for order in self.orders:
            payment = order.payment
            waits = payment is not None and (payment.state not in ENDED or payment.due is not None)
            if order.status == PENDING and order.expires_at <= self.now() and not waits:
                self.give_up(order, EXPIRED)
                count += 1
        return count

    def send_back(self, payment: Payment, refund: Refund, *, line: str = "") -> bool:
        """The provider has the money, so it does not refuse. False when its answer is lost."""
        if line != "before":
            provider.refund(payment, refund)
        if line:
            return False
        refund.state, refund.due = "succeeded", None
        return True

    def _ask_again(self, payment: Payment, refund: Refund, line: str) -> bool:
        """First it is looked up; who moves money by hand says then that it was done."""
        known = refund.there or provider.is_by_hand(payment)
        return self.send_back(payment, refund, line="" if known else line)

    def _take(self, order: Order, payment: Payment, after: str) -> None:
        before = payment.state
        payment.state, payment.due = after, None
        amount = payment.amount
        if after == CAPTURED and payment.charge is not None:
            amount = payment.charge.captured
        elif after == CAPTURED:
            amount = min(amount, order.price.total)
        payment.authorized = amount
        payment.captured = amount if after == CAPTURED else 0
        status = AUTHORIZED
        if after == CAPTURED:
            status = "paid" if amount >= order.price.total else "partially_paid"
        if before != AUTHORIZED and order.status == PENDING:
            self.confirm(order, status)
            return
        revived = before != AUTHORIZED and self.revive(order)
        if not revived and order.status in GIVEN_UP:
            self._unwanted(payment)
        self.derive(order)

    def _unwanted(self, payment: Payment) -> None:
        """Money that comes for an order that is no more goes back."""
        if payment.state == AUTHORIZED:
            payment.due = self.now()
            return
        payment.state, payment.refunded = REFUNDED, payment.captured
        payment.refunds.append(Refund(payment.captured, due=self.now()))

    def _end(self, order: Order, payment: Payment, after: str) -> None:
        payment.state, payment.authorized, payment.attempts = after, 0, 0
        # What was declined is closed at the provider, too.
        payment.due = None if after == VOIDED else self.now()
        if order.status == PENDING:
            self.give_up(order, self._end_of(order, payment))
        else:
            self.derive(order)

    def _stay(self, order: Order, payment: Payment, said: str) -> None:
        """Nothing moves; but a question may be answered."""
        answers: tuple[str, ...] = ()
        if payment.state in ENDED:
            answers = (VOIDED, CAPTURED)
        elif payment.state == AUTHORIZED and order.status not in GIVEN_UP:
            answers = (AUTHORIZED,)
        if payment.state in TAKEN or said in answers:
            payment.due = None
        if payment.state in ENDED and said == AUTHORIZED:
            payment.due = self.now()
        if payment.state in ENDED and said == VOIDED:
            if order.status == PENDING:
                self.give_up(order, self._end_of(order, payment))
            elif order.payment_status == "pending":
                self.derive(order)

    def _ask(self, order: Order, payment: Payment, line: str) -> bool:
        """False when an answer is lost."""
        promised_in_vain = payment.state == AUTHORIZED and order.status in GIVEN_UP
        if payment.state in ENDED or promised_in_vain:
            return self._void(order, payment, line)
        said = provider.look_up(payment)
        # It never got there, or the customer did not do their part in time.
        waits = order.status == PENDING and order.expires_at > self.now()
        if said == "unknown" or (said == REQUIRES_ACTION and not waits):
            self._close(order, payment)
            return self._void(order, payment, line)
        self.hear(order, said)
        return True

    def _void(self, order: Order, payment: Payment, line: str) -> bool:
        """Has the provider close it, and hears what it says. False when the answer is lost."""
        if line != "before":
            said = provider.void(payment)
            if not line:
                self.hear(order, said)
        return not line

    def _close(self, order: Order, payment: Payment) -> bool:
        """An open payment is given up before its provider is told, who may yet have got money."""
        if payment.state not in OPEN:
            return False
        payment.state, payment.due = VOIDED, self.now() + PATIENCE
        if order.status != PENDING:
            self.derive(order)
        return True

    def _end_of(self, order: Order, payment: Payment) -> str:
        late = order.expires_at <= self.now() and payment.state != FAILED
        return EXPIRED if late else CANCELLED

    def _ask_later(self, payment: Payment) -> None:
        payment.due, payment.attempts = self.now() + PATIENCE, 0

    def _claim(self, row: Payment | Refund) -> None:
        row.due = self.now() + gap(row.attempts)
        row.attempts += 1


def _is_due(due: datetime | None, now: datetime) -> bool:
    return due is not None and due <= now
