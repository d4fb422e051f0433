"""What clients may spend: each operation is charged its cost before it runs.

The engine asks; whose budget it is, where it is kept and how large it is, the meter knows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from django.http import HttpRequest

from schema.engine.errors import RateLimited

# What an operation costs at least: one that comes to nothing has been read and validated as well.
MIN_CHARGE = 1
# Bytes of a new text for which a client must have one point, before the text is parsed.
BYTES_OF_A_POINT = 8


@dataclass(frozen=True, slots=True)
class Budget:
    """What a client may spend, and what it has left.

    Attributes:
        maximum: points that it can have at once.
        available: points that it has now.
        restore_rate: points that it gets back in a second.
    """

    maximum: int
    available: int
    restore_rate: int

    @property
    def status(self) -> dict[str, int]:
        """As it is told in `extensions.cost`."""
        return {
            "maximumAvailable": self.maximum,
            "currentlyAvailable": self.available,
            "restoreRate": self.restore_rate,
        }

    @property
    def headers(self) -> dict[str, str]:
        """As it is told in headers: those of the IETF's draft, which say what their figures mean.

        The older X-RateLimit-Reset is a time for some servers, and a number of seconds for others.
        https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
        """
        window = math.ceil(self.maximum / self.restore_rate)
        until_full = math.ceil((self.maximum - self.available) / self.restore_rate)
        return {
            "RateLimit-Policy": f'"cost";q={self.maximum};qu="points";w={window}',
            "RateLimit": f'"cost";r={self.available};t={until_full}',
        }


class Meter(Protocol):
    """Keeps budgets."""

    def charge(
        self, request: HttpRequest, cost: int, *, drain: bool = False
    ) -> tuple[Budget, float] | None:
        """Takes `cost` points from the budget of the client; 0 points take none.

        Args:
            drain: whether a client with fewer points loses them: for work that is done already.

        Returns:
            what is left, and the seconds until there are enough points: 0 when they were taken,
            and otherwise nothing was. None for a client without a limit.
        """


def charge(request: Any, cost: int, *, drain: bool = False) -> None:
    """Charges an operation, where its service has a meter, and notes what is left.

    Args:
        drain: whether a client with fewer points loses them: for work that is done already.

    Raises:
        RateLimited: the client has to wait, for the seconds in `retryAfter`.
    """
    meter: Meter | None = getattr(request, "graphql_meter", None)
    if meter is None:
        return
    request.graphql_charged = True
    cost = max(cost, MIN_CHARGE)
    charged = meter.charge(request, cost, drain=drain)
    if charged is None:
        return
    request.graphql_budget, wait = charged
    if wait > 0:
        raise _limited(request.graphql_budget, cost, wait)


def check_budget(request: Any, size: int) -> None:
    """Refuses a new text of a client that has too little left, before the text is parsed.

    Parsing and refusing a text takes time that an empty budget would not pay.

    Args:
        size: bytes of the text.

    Raises:
        RateLimited: the client has to wait, for the seconds in `retryAfter`.
    """
    meter: Meter | None = getattr(request, "graphql_meter", None)
    charged = meter.charge(request, 0) if meter else None
    if charged is None:
        return
    budget, _ = charged
    points = min(MIN_CHARGE + size // BYTES_OF_A_POINT, budget.maximum)
    if budget.available < points:
        request.graphql_charged, request.graphql_budget = True, budget
        wait = (points - budget.available) / budget.restore_rate
        raise _limited(budget, points, wait)


def _limited(budget: Budget, cost: int, wait: float) -> RateLimited:
    # A whole number: one second earlier there would not be enough.
    seconds = math.ceil(wait)
    return RateLimited(
        f"Too much was asked for within a short time. Try again in {seconds} s.",
        retryAfter=seconds,
        cost={"requested": cost, "throttleStatus": budget.status},
    )
