"""Who of the staff changed what (docs/audit.md).

    @transaction.atomic
    @audit.recorded("product.update")
    def update(product: Product, **changes: Any) -> Product: ...

Transports say who acts (`acting`). When nobody does, as in commands and workers and for customers,
nothing is recorded, and it costs no statement.

recording  who acts, and what their actions change
values     what entries hold of it
entries    refusals; forgetting what is erased, removing what is old
"""

from shop.actions.audit.entries import purge, refuse, scrub
from shop.actions.audit.recording import (
    acting,
    changing,
    created,
    held,
    is_somebody_acting,
    recorded,
)
from shop.actions.audit.values import columns

__all__ = [
    "acting",
    "changing",
    "columns",
    "created",
    "held",
    "is_somebody_acting",
    "purge",
    "recorded",
    "refuse",
    "scrub",
]
