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

    def charge(self, request: HttpRequest, cost: int) -> tuple[Budget, float] | None:
        """Takes `cost` points, at least one, from the budget of whoever asks.

        Returns:
            what is left, and the seconds until there are enough points: 0 when they were taken,
            and otherwise nothing was. None for a client without a limit.
        """


def charge(request: Any, cost: int) -> None:
    """Charges an operation, where its service has a meter, and notes what is left.

    Raises:
        RateLimited: the client has to wait, for the seconds in `retryAfter`.
    """
    meter: Meter | None = getattr(request, "graphql_meter", None)
    if meter is None:
        return
    request.graphql_charged = True
    cost = max(cost, MIN_CHARGE)
    charged = meter.charge(request, cost)
    if charged is None:
        return
    request.graphql_budget, wait = charged
    if wait > 0:
        # A whole number: one second earlier there would not be enough.
        seconds = math.ceil(wait)
        raise RateLimited(
            f"Too much was asked for within a short time. Try again in {seconds} s.",
            retryAfter=seconds,
            cost={"requested": cost, "throttleStatus": request.graphql_budget.status},
        )
