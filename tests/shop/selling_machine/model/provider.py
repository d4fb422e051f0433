"""The model's payment providers: the demo one by its books, and people who move money by hand."""

from tests.shop.selling_machine.model.rows import (
    AUTHORIZED,
    CAPTURED,
    REQUIRES_ACTION,
    VOIDED,
    Charge,
    Payment,
    Refund,
)

_BEGINS = {
    "": CAPTURED,
    "ok": CAPTURED,
    "timeout": CAPTURED,
    "authorize": AUTHORIZED,
    "declined": "declined",
    "insufficient_funds": "declined",
    "requires_action": REQUIRES_ACTION,
}


def is_by_hand(payment: Payment) -> bool:
    """Nobody keeps books, and whoever asks is told yes."""
    return payment.provider == "manual"


def look_up(payment: Payment) -> str:
    """What became of it, as the provider says."""
    if is_by_hand(payment):
        return AUTHORIZED
    return payment.charge.state if payment.charge else "unknown"


def pay(payment: Payment) -> str:
    if is_by_hand(payment):
        return AUTHORIZED
    if payment.charge is None:
        state = _BEGINS[payment.method]
        payment.charge = Charge(state, payment.amount if state == CAPTURED else 0)
    return payment.charge.state


def capture(payment: Payment, amount: int) -> str:
    """Takes so much of what is promised; voided, its answer to that was lost before."""
    charge = payment.charge
    if charge is None:
        return CAPTURED
    if charge.state == AUTHORIZED:
        charge.state, charge.captured = CAPTURED, amount
    return charge.state


def capture_part(payment: Payment, amount: int) -> None:
    """Somebody captures part of what is promised at the provider, which releases the rest."""
    assert payment.charge is not None
    payment.charge.state, payment.charge.captured = CAPTURED, amount


def void(payment: Payment) -> str:
    """Closes it; captured, somebody was quicker."""
    if is_by_hand(payment):
        return VOIDED
    if payment.charge is None:
        payment.charge = Charge(VOIDED)
    if payment.charge.state in (REQUIRES_ACTION, AUTHORIZED):
        payment.charge.state = VOIDED
    return CAPTURED if payment.charge.state == CAPTURED else VOIDED


def refund(payment: Payment, asked: Refund) -> None:
    """Once; there is enough, or the shop asked for too much."""
    if not asked.there and payment.charge is not None:
        payment.charge.refunds.append(asked.amount)
        assert sum(payment.charge.refunds) <= payment.charge.captured
    asked.there = True


def confirm(payment: Payment, accept: bool) -> bool:
    """The customer says yes or no to what waits for them. False when nothing does."""
    charge = payment.charge
    if charge is None or charge.state != REQUIRES_ACTION:
        return False
    charge.state = CAPTURED if accept else "declined"
    charge.captured = payment.amount if accept else 0
    return True
