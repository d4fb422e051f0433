"""Hands out SKUs: who comes first keeps it, later ones get a number."""

from collections.abc import Collection

from django.db.models import QuerySet

from shop.models import Variant
from shop.models.catalog import SKU_LENGTH

# Holds a SKU in place of a variant that is not saved yet.
_UNSAVED = 0


class Skus:
    """The SKUs of one batch.

    SKUs are compared by code point, here and in the database's unique index.

    Args:
        wanted: every SKU that the batch's files name.
        spoken_for: SKUs that are taken although no row has them: in a dry run, those of earlier
            batches.
    """

    def __init__(self, wanted: Collection[str], spoken_for: Collection[str] = ()) -> None:
        self._spoken_for = spoken_for
        self._holders: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self.given: set[str] = set()
        if wanted:
            self._learn(Variant.objects.filter(sku__in=wanted))

    def release(self, sku: str | None, holder: int) -> None:
        """The variant `holder` is about to get another SKU than `sku`."""
        if sku is not None and self._holders.get(sku) == holder:
            del self._holders[sku]

    def give(
        self, sku: str | None, holder: int = _UNSAVED, *, current: str | None = None
    ) -> str | None:
        """`sku`, or `sku-2`, `sku-3`, ... whichever nobody else has.

        Args:
            holder: primary key of the variant, when it has one.
            current: the SKU it has; a number that it was given before stays.
        """
        if sku is None:
            return None
        given = sku
        if not self._is_free(sku, holder):
            if current is not None and is_numbered(sku, current):
                return current
            given = self._numbered(_stem(sku))
        self._holders[given] = holder
        self.given.add(given)
        return given

    def _numbered(self, stem: str) -> str:
        if stem not in self._numbers:
            self._learn(Variant.objects.filter(sku__startswith=f"{stem}-"))
        # From where the last search ended: some shops write "N/A" for every SKU.
        number = self._numbers.get(stem, 2)
        while not self._is_free(f"{stem}-{number}", _UNSAVED):
            number += 1
        self._numbers[stem] = number
        return f"{stem}-{number}"

    def _learn(self, rows: QuerySet[Variant]) -> None:
        for sku, pk in rows.values_list("sku", "pk"):
            self._holders.setdefault(sku or "", pk)

    def _is_free(self, sku: str, holder: int) -> bool:
        owner = self._holders.get(sku)
        if owner is None:
            return sku not in self._spoken_for
        return owner == holder != _UNSAVED


def is_numbered(sku: str, current: str) -> bool:
    """Whether `current` is what a variant got because `sku` was taken."""
    stem, _, number = current.rpartition("-")
    return stem == _stem(sku) and number.isdecimal()


def _stem(sku: str) -> str:
    return sku[: SKU_LENGTH - 10]
