"""Staff screens. They show rows as they are and write them through actions only."""

from shop.admin import (
    audit,
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
    "audit",
    "catalog",
    "customers",
    "importing",
    "inventory",
    "jobs",
    "mails",
    "outbox",
    "webhooks",
]
