"""Staff decide which reviews are shown."""

import datetime

from django.db import transaction

from shop import events
from shop.actions import audit
from shop.actions.reviews import ratings
from shop.actions.reviews.submitting import changed, fresh, told
from shop.errors import IllegalMove, Invalid
from shop.models import Review, ReviewStatus

_TOPICS = {
    ReviewStatus.APPROVED: "review.approved",
    ReviewStatus.REJECTED: "review.rejected",
}


@transaction.atomic
@audit.recorded("review.moderate")
def moderate(review: Review, status: str, *, written_at: datetime.datetime | None = None) -> Review:
    """Shows a review from now on, or not. What has the status already is left as it is.

    Args:
        status: APPROVED or REJECTED.
        written_at: the `updated_at` of what the staff have read; None does not look.

    Raises:
        Invalid: there is no such decision.
        NotFound: it has been deleted meanwhile.
        IllegalMove: its author has changed it since.
    """
    if status not in _TOPICS:
        raise Invalid("A review is approved or rejected.", field=["status"])
    ratings.hold([review.product_id])
    audit.held(review)
    row = fresh(review)
    if written_at is not None and row.updated_at != written_at:
        raise IllegalMove("The review was changed meanwhile. Read it again.", field=["updatedAt"])
    if row.status == status:
        return row
    changed(row, status=status)
    row = fresh(row)
    events.emit(_TOPICS[ReviewStatus(status)], row, **told(row))
    return row
