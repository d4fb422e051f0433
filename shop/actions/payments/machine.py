"""Which outcome leads from which state to which.

An outcome that is not named for a state changes nothing: it came twice, or too late.
"""

from shop.gateways import Result
from shop.models import PaymentState

S = PaymentState
OPEN = (S.CREATED, S.REQUIRES_ACTION)
ENDED = (S.FAILED, S.VOIDED)
# Money came, whatever became of it since.
TAKEN = (S.CAPTURED, S.PARTIALLY_REFUNDED, S.REFUNDED)

_MOVES = {
    Result.REQUIRES_ACTION: {S.CREATED: S.REQUIRES_ACTION},
    # Not from those that have ended: what was authorized before it was voided may be told later.
    Result.AUTHORIZED: dict.fromkeys(OPEN, S.AUTHORIZED),
    # Also from those that have ended: money that came is there, whatever we thought.
    Result.CAPTURED: dict.fromkeys((*OPEN, *ENDED, S.AUTHORIZED), S.CAPTURED),
    Result.DECLINED: dict.fromkeys(OPEN, S.FAILED),
    Result.VOIDED: dict.fromkeys((*OPEN, S.AUTHORIZED), S.VOIDED),
}


def after(state: str, result: Result) -> PaymentState | None:
    """The state that `result` leads to from `state`; None when it changes nothing."""
    return _MOVES.get(result, {}).get(PaymentState(state))
