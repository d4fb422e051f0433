"""Staff screens. They show rows as they are and write them through actions only."""

from shop.admin import (
    addresses,
    catalog,
    customers,
    importing,
    inventory,
    jobs,
    mails,
    outbox,
    webhooks,
)

__all__ = [
    "addresses",
    "catalog",
    "customers",
    "importing",
    "inventory",
    "jobs",
    "mails",
    "outbox",
    "webhooks",
]
