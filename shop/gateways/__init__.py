"""Payment providers behind one interface. They know nothing of orders, and never see card data.

base    what a gateway does, and how it answers
"""

from shop.gateways.base import (
    Failure,
    Gateway,
    Notification,
    Outcome,
    PaymentRequest,
    RefundOutcome,
    Refused,
    Result,
    Unavailable,
)

__all__ = [
    "Failure",
    "Gateway",
    "Notification",
    "Outcome",
    "PaymentRequest",
    "RefundOutcome",
    "Refused",
    "Result",
    "Unavailable",
]
