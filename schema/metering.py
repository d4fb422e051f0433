"""Whose budget an operation is charged to: the user's who is signed in, else the address's.

A user has one budget whatever the sessions and devices, so that signing in again gives no second
one. The kinds have buckets of their own sizes (COST_BUCKETS in the settings).
"""

import math

from django.conf import settings
from django.http import HttpRequest

from schema.authentication import address_of
from schema.engine.metering import Budget
from shop import metrics, throttling


class CostMeter:
    """Leaky buckets of query cost."""

    def charge(
        self, request: HttpRequest, cost: int, *, drain: bool = False
    ) -> tuple[Budget, float] | None:
        """See `schema.engine.metering.Meter`."""
        kind = _kind(request)
        size, rate = settings.COST_BUCKETS[kind]
        if not size:
            return None
        bucket, whose = throttling.Bucket(size, rate), _whose(request)
        level = throttling.draw(bucket, cost, "cost", *whose, drain=drain)
        if level.wait:
            metrics.count("cost.refused", client=kind)
        # Rounded, lest 8 points be told as 7 that were 7.999999999 by calculation.
        available = math.floor(round(level.available, 6))
        return Budget(size, available, rate), round(level.wait, 6)


def _kind(request: HttpRequest) -> str:
    if not request.user.is_authenticated:
        return "anonymous"
    return "staff" if request.user.is_staff else "customer"


def _whose(request: HttpRequest) -> tuple[str, str]:
    if request.user.is_authenticated:
        return "user", str(request.user.pk)
    return "address", throttling.network(address_of(request))
