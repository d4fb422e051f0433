"""Payments and refunds, and what they do to orders.

A provider is called outside transactions, because it may be slow, or gone, and because what it did
is not undone with a transaction. So everything has three steps: the row says what is wanted, and is
committed; the provider is called, with the row's key; the outcome is applied. A process may die
between any two of them: `settle` finds the row, asks the provider, and goes on.

machine       which outcome leads from which state to which
beginning     what is offered; a payment of an order, as a row
holding       a payment in hand, locked with its order
applying      an outcome becomes the payment's state, and the order's
sending_back  money that the shop does not want
paying        asks the provider to pay, capture, void
refunding     money that is paid back
adopting      refunds that were made past the shop
disputing     money that banks take back
settling      what is due: answers that were lost, customers who did not come back
receiving     messages of providers
"""

from shop.actions.payments.applying import apply
from shop.actions.payments.beginning import begin, check, offered, request_of
from shop.actions.payments.paying import ask, capture, is_processing, pay, void
from shop.actions.payments.receiving import receive
from shop.actions.payments.refunding import (
    Part,
    begin_refund,
    carry_out,
    give_back,
    refund,
    request_for,
)
from shop.actions.payments.settling import expire_orders, purge_events, settle

__all__ = [
    "Part",
    "apply",
    "ask",
    "begin",
    "begin_refund",
    "capture",
    "carry_out",
    "check",
    "expire_orders",
    "give_back",
    "is_processing",
    "offered",
    "pay",
    "purge_events",
    "receive",
    "refund",
    "request_for",
    "request_of",
    "settle",
    "void",
]
