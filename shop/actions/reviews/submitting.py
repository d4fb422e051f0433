"""Customers write, change and delete their reviews: one for each product."""

from collections import defaultdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop import events, throttling
from shop.actions import audit
from shop.actions.customers.holding import hold
from shop.actions.reviews import ratings
from shop.actions.reviews.texts import checked
from shop.errors import IllegalMove, NotFound
from shop.models import (
    OrderLine,
    OrderStatus,
    Product,
    Review,
    ReviewStatus,
    User,
    WebhookDelivery,
)

_BOUGHT = (OrderStatus.CONFIRMED, OrderStatus.COMPLETED)


def own(user: User, pk: int) -> Review:
    """The review of `user` with this key, also when they may see those of others.

    Raises:
        NotFound: it is another's, or there is none; the answer does not tell which.
    """
    review = Review.objects.filter(user=user.pk, pk=pk).first()
    if review is None:
        raise NotFound("There is no such Review.", field=["id"])
    return review


def submit(
    user: User,
    product: Product,
    *,
    rating: int,
    title: str = "",
    body: str = "",
    author: str = "",
    address: str,
) -> Review:
    """Writes what `user` thinks of `product`, in place of what they wrote before.

    It waits for staff, and what was shown of it is not shown any more. It must not run inside a
    transaction, because tries are counted.

    Args:
        rating: 1 to 5.
        author: the name to show.
        address: of the client, whose tries are counted.

    Raises:
        Several: Invalid, each at its field, as `texts.checked`.
        NotFound: the product is not on sale, or the account has just been erased.
        Throttled, Busy: too many tries.
    """
    values = checked(rating=rating, title=title, body=body, author=author)
    throttling.check(throttling.REVIEW, str(user.pk), address)
    return _write(user, product, values)


@transaction.atomic
@audit.recorded("review.delete")
def delete(review: Review) -> None:
    """Deletes a review, and what webhooks keep of it in their own words.

    Raises:
        NotFound: it has been deleted meanwhile.
    """
    ratings.hold([review.product_id])
    audit.held(review)
    row = fresh(review)
    if not audit.is_somebody_acting():
        # No entry of the deletion will tell an erasure that this was a review of theirs.
        audit.scrub(object_ids={"Review": [row.pk]})
    WebhookDelivery.objects.filter(event__aggregate=events.aggregate_of(row)).delete()
    events.emit("review.deleted", row, **told(row))
    _guarded(row).delete()
    if row.status == ReviewStatus.APPROVED:
        ratings.add([row.product_id], stars=-row.rating, count=-1)


def forget(user: User) -> None:
    """Deletes what `user` has written, for the end of their account, which is held."""
    rows = Review.objects.filter(user=user.pk)
    ratings.hold(rows.values_list("product_id", flat=True))
    by_rating: dict[int, list[int]] = defaultdict(list)
    for product_id, rating in rows.shown().values_list("product_id", "rating"):
        by_rating[rating].append(product_id)
    events.emit_keys("review.deleted", Review, rows.values_list("pk", flat=True))
    rows.delete()
    for rating, product_ids in by_rating.items():
        ratings.add(product_ids, stars=-rating, count=-1)


def fresh(review: Review) -> Review:
    """The row as it is now that nobody else changes it. Raises NotFound when it is gone."""
    row = Review.objects.select_related("product").filter(pk=review.pk).first()
    if row is None:
        raise NotFound("There is no such Review.", field=["id"])
    return row


def changed(review: Review, **values: Any) -> None:
    """Writes columns of a review, and what that means for its product, which is held.

    Raises:
        IllegalMove: it is not as it was read, in spite of that.
    """
    if not _guarded(review).update(**values):
        raise IllegalMove("The review was changed at the same moment.")
    before = review.rating if review.status == ReviewStatus.APPROVED else None
    status, rating = values.get("status", review.status), values.get("rating", review.rating)
    after = rating if status == ReviewStatus.APPROVED else None
    if before != after:
        count = (after is not None) - (before is not None)
        ratings.add([review.product_id], stars=(after or 0) - (before or 0), count=count)


def told(review: Review) -> dict[str, Any]:
    """What events tell of a review: nothing that its author wrote."""
    return {
        "product": review.product.slug,
        "rating": review.rating,
        "status": str(review.status),
    }


@transaction.atomic
def _write(user: User, product: Product, values: dict[str, Any]) -> Review:
    hold(user)
    ratings.hold_published(product)
    values["is_verified"] = _has_bought(user, product)
    review = Review.objects.filter(user=user.pk, product=product.pk).first()
    if review is None:
        review = Review.objects.create(user_id=user.pk, product_id=product.pk, **values)
        audit.created("review.create", review)
    else:
        _rewrite(review, values)
    review = fresh(review)
    events.emit("review.submitted", review, **told(review))
    return review


@audit.recorded("review.update")
def _rewrite(review: Review, values: dict[str, Any]) -> None:
    audit.held(review)
    changed(review, **values, status=ReviewStatus.PENDING, updated_at=timezone.now())


def _has_bought(user: User, product: Product) -> bool:
    lines = OrderLine.objects.filter(variant__product=product.pk)
    return lines.filter(order__user=user.pk, order__status__in=_BOUGHT).exists()


def _guarded(review: Review) -> Any:
    """The row, as long as it counts in the rating of its product as it did when it was read."""
    return Review.objects.filter(pk=review.pk, status=review.status, rating=review.rating)
