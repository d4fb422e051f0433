"""What can be told: every event of the shop that is meant for others.

A topic stays in the registry as long as deliveries of it are kept.
"""

from collections.abc import Iterable

from shop.errors import Invalid, Required
from shop.input_errors import InputErrors

# In an endpoint's topics: whatever there is, and whatever there will be.
ALL = "*"
# Sent when staff ask for it, to one endpoint; nobody subscribes to it.
TEST = "shop.test"

_SUBJECTS = {
    "product": "A product",
    "category": "A category",
    "brand": "A brand",
    "collection": "A collection",
    "attribute": "An attribute",
}
_CHANGES = {"attribute": "changed, or its values did.", "collection": "changed, or its products."}


def _catalog() -> dict[str, str]:
    found = {}
    for name, noun in _SUBJECTS.items():
        found[f"{name}.created"] = f"{noun} was created."
        found[f"{name}.updated"] = f"{noun} {_CHANGES.get(name, 'changed.')}"
        found[f"{name}.deleted"] = f"{noun} was deleted."
    found["product.updated"] = "A product changed, or its variants or pictures did."
    return found


_SELLING = {
    "order.confirmed": "An order was confirmed: its payment is made or promised.",
    "order.cancelled": "An order was called off, or its payment was declined.",
    "order.expired": "An order was not paid in time.",
    "order.updated": "The e-mail address or an address of an order changed: `changed`.",
    "order.fulfilled": "A parcel of an order was shipped: `fulfillment`.",
    "order.delivered": "Lines of an order that are not shipped were delivered.",
    "order.delivery_revoked": "A digital delivery of an order was revoked.",
    "order.fulfillment_updated": "The tracking of a parcel was corrected: `fulfillment`.",
    "order.fulfillment_cancelled": "A parcel recorded by mistake was undone: `fulfillment`.",
    "order.lines_cancelled": "Units were removed from an order before it was paid: `event`.",
    "order.completed": "An order was shipped and paid as a whole.",
    "order.refunded": "Money of an order was paid back: `refund`.",
    "order.disputed": "A bank asks for a payment back, or about it: `dispute`.",
    "order.dispute_closed": "A dispute ended, won, lost or without money: `dispute`.",
    "order.returned": "Something of an order came back: `return`.",
    "stock.low": "Few of a variant are left, or none: `available`.",
}
_REVIEWS = {
    "review.submitted": "A customer wrote or changed a review; it waits for staff.",
    "review.approved": "Staff approved a review: it is shown.",
    "review.rejected": "Staff rejected a review: it is not shown, or no longer.",
    "review.deleted": "A review was deleted by its author, or with their account.",
}

# Descriptions by name. Events of other topics, such as media.uploaded, are the shop's own matter.
TOPICS = {
    **_catalog(),
    **_SELLING,
    **_REVIEWS,
    "job.finished": "An import or export ended, well or not.",
}


def chosen(topics: Iterable[str] | None) -> list[str]:
    """The topics to store, each once, in the order of the registry.

    Raises:
        Required: there are none.
        Invalid: one cannot be asked for.
    """
    asked = list(topics or ())
    if not asked:
        raise Required("An endpoint needs at least one topic.", field=["topics"])
    errors = InputErrors()
    for index, topic in enumerate(asked):
        if topic != ALL and topic not in TOPICS:
            errors.add(Invalid("There is no such topic.", field=["topics", str(index)]))
    errors.raise_any()
    return [ALL] if ALL in asked else [topic for topic in TOPICS if topic in asked]


def wants(topics: Iterable[str], topic: str) -> bool:
    """Whether an endpoint with `topics` is told of `topic`."""
    return topic in TOPICS and not {ALL, topic}.isdisjoint(topics)
