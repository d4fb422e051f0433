"""Staff screens. They show rows as they are and write them through actions only."""

from shop.admin import (
    addresses,
    audit,
    catalog,
    customers,
    importing,
    inventory,
    jobs,
    mails,
    orders,
    outbox,
    promotions,
    reviews,
    second_factor,
    shipping,
    signing_in,
    webhooks,
)

__all__ = [
    "addresses",
    "audit",
    "catalog",
    "customers",
    "importing",
    "inventory",
    "jobs",
    "mails",
    "orders",
    "outbox",
    "promotions",
    "reviews",
    "second_factor",
    "shipping",
    "signing_in",
    "webhooks",
]
