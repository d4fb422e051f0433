"""The rating of a product: what all reviews of it that are shown come to.

It is kept in the transaction of each change of what is shown. Whoever changes a review holds its
product first (`hold`), so that nobody else changes what is shown of it until the transaction ends,
and so that all take the rows in one order: accounts, products by their keys, reviews.
"""

import logging
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, Case, Count, F, OuterRef, Subquery, Sum, Value, When
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import GreaterThan

from shop import metrics
from shop.actions.reviews.texts import HIGHEST
from shop.actions.rows import locked
from shop.errors import NotFound
from shop.models import Product, Review

logger = logging.getLogger(__name__)

_BATCH = 500


def hold(product_ids: Collection[int]) -> None:
    """Keeps others from what is shown of these products until the transaction ends."""
    rows = Product.objects.filter(pk__in=product_ids)
    list(locked(rows).values_list("pk", flat=True))


def hold_published(product: Product) -> None:
    """As `hold`, for one product that must be on sale.

    An UPDATE that changes nothing: it locks the row and looks at it in one statement.

    Raises:
        NotFound: it is not on sale, or has been deleted.
    """
    rows = Product.objects.published().filter(pk=product.pk)
    if not rows.update(rating=F("rating")):
        raise NotFound("There is no such Product.", field=["product"])


def add(product_ids: Collection[int], *, stars: int, count: int) -> None:
    """Adds to the rating of each of these products, in one statement.

    The products are held, and the reviews written already.

    Args:
        stars: ratings that are shown from now on, less those that no longer are.
        count: how many are shown more than before; negative for fewer.
    """
    # Signed: MariaDB refuses to count below zero in unsigned columns, even within a condition.
    total = Cast(F("rating_sum"), BigIntegerField()) + stars
    number = Cast(F("rating_count"), BigIntegerField()) + count
    possible = (
        Product.objects.alias(total=total, number=number)
        .filter(number__gte=0, total__gte=F("number"), total__lte=F("number") * HIGHEST)
        .filter(pk__in=product_ids)
    )
    changed = possible.update(
        # First: MariaDB assigns from left to right, and reads what it has just assigned.
        rating=_rounded(total, number),
        rating_sum=F("rating_sum") + stars,
        rating_count=F("rating_count") + count,
    )
    if changed != len(product_ids):
        # Written past the actions: what the rows say is right in any case.
        logger.error("The rating of one of the products %s had drifted.", sorted(product_ids)[:20])
        _recompute(product_ids)


def repair() -> list[int]:
    """Finds products whose rating is not what their reviews come to, and sets them right.

    There should be none. What is found was written past the actions, or is a fault to look for. It
    looks with one statement for each batch, and writes with two where there is something to write.

    Returns:
        Primary keys of the products that had drifted.
    """
    total, number = _shown()
    rows = (
        Product.objects.order_by("pk")
        .annotate(shown_sum=total, shown_count=number)
        .values_list("pk", "rating", "rating_sum", "rating_count", "shown_sum", "shown_count")
    )
    drifted: list[int] = []
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:_BATCH]):
        last = batch[-1][0]
        found = [pk for pk, *stored, stars, count in batch if stored != _columns(stars, count)]
        if found:
            with transaction.atomic():
                hold(found)
                _recompute(found)
        drifted += found
    if drifted:
        logger.error("Ratings of %d products had drifted: %s", len(drifted), drifted[:20])
    metrics.gauge("reviews.drifted", len(drifted))
    return drifted


def hundredths(stars: int, count: int) -> int:
    """The average of `count` ratings that add up to `stars`, in hundredths, rounded half up."""
    return (200 * stars + count) // (2 * count) if count else 0


def _columns(stars: int, count: int) -> list[int]:
    return [hundredths(stars, count), stars, count]


def _rounded(total: Any, number: Any) -> Any:
    """`hundredths` in SQL. MariaDB divides into decimals: less the remainder, nothing is left."""
    dividend, divisor = total * 200 + number, number * 2
    average = (dividend - dividend % divisor) / divisor
    return Case(When(GreaterThan(number, Value(0)), then=average), default=Value(0))


def _shown() -> tuple[Any, Any]:
    """How many stars the reviews of a product have that are shown, and how many reviews they are.

    For statements over products.
    """
    shown = Review.objects.shown().filter(product=OuterRef("pk")).order_by().values("product")
    found = (
        Subquery(shown.annotate(shown=what).values("shown"), output_field=BigIntegerField())
        for what in (Sum("rating"), Count("pk"))
    )
    total, number = (Coalesce(one, Value(0)) for one in found)
    return total, number


def _recompute(product_ids: Collection[int]) -> None:
    """Sets ratings to what the rows say. The products are held."""
    total, number = _shown()
    Product.objects.filter(pk__in=product_ids).update(
        rating=_rounded(total, number), rating_sum=total, rating_count=number
    )
