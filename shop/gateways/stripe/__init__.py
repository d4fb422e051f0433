"""Cards and wallets by Stripe, with its official library.

gateway   payments, refunds and signed messages
calling   the library's client, and what its errors mean to us
reading   payment intents, refunds and disputes, in words of ours
amounts   minor units as Stripe counts them
"""

from shop.gateways.stripe.gateway import Stripe

__all__ = ["Stripe"]
