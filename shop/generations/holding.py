"""How long answers hold while nobody writes."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from shop.models import Product, ProductStatus

# Seconds. Stock is written by every order, and no event tells of each: should a process die just
# after such a commit, before it could drop the generation, this is how long nobody knows.
STOCK = 10.0


class _Known:
    """The next publication, as long as nobody has written to products."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation: str | None = None
        self._at: float | None = None

    def seconds(self, generation: str) -> float | None:
        """Until the next product is published; None when none waits.

        Args:
            generation: of products, read before.
        """
        with self._lock:
            is_over = self._at is not None and self._at <= time.monotonic()
            if not generation or generation != self._generation or is_over:
                self._at = _next_publication()
                self._generation = generation
            return None if self._at is None else self._at - time.monotonic()


_known = _Known()


def lifetimes(generations: Mapping[str, str]) -> dict[str, float]:
    """Seconds for which an answer holds by the tables that it is read from after this call.

    Args:
        generations: as they were before.

    Returns:
        "" stands for all tables.
    """
    found = {"": float(settings.ANSWER_CACHE_SECONDS), "stock": STOCK}
    waits = _known.seconds(generations.get("product", ""))
    return found if waits is None else found | {"product": waits}


def _next_publication() -> float | None:
    """When it is, by this machine's own clock: the moments are told by the database's."""
    began = time.monotonic()
    rows: Any = Product.objects.filter(
        status=ProductStatus.PUBLISHED, published_at__gt=Now()
    ).order_by("published_at")
    found = rows.values_list("published_at", Now())[:1]
    for published_at, now in found:
        return began + (published_at - now).total_seconds()
    return None
