"""Payment providers behind one interface. They know nothing of orders, and never see card data.

base      what a gateway does, and how it answers
registry  which there are
bulkhead  so many calls at once, so that one that hangs does not take the shop with it
manual    bank transfer, cash
demo      moves no money, for development and tests
stripe    cards and wallets
"""

from shop.gateways.base import (
    DisputeOutcome,
    DisputeReason,
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
from shop.gateways.registry import gateway_of, names, offered

__all__ = [
    "DisputeOutcome",
    "DisputeReason",
    "Failure",
    "Gateway",
    "Notification",
    "Outcome",
    "PaymentRequest",
    "RefundOutcome",
    "Refused",
    "Result",
    "Unavailable",
    "gateway_of",
    "names",
    "offered",
]
