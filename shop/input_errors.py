"""Collects the errors of one input, so that all of them are reported together. Pure Python."""

from collections.abc import Iterator
from contextlib import contextmanager

from shop.errors import Several, ShopError


class InputErrors:
    """The errors that were found in an input so far.

    Example:
        errors = InputErrors()
        with errors.collect():
            row.name = clean_name(given["name"])
        with errors.collect():
            row.slug = clean_slug(given["slug"])
        errors.raise_any()
    """

    def __init__(self) -> None:
        self._found: list[ShopError] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, error: ShopError) -> None:
        """Adds an error. Drops it if its input field already has one, because the first error of a
        field often causes the next, and if it was added before."""
        known = {one.field for one in self._found if one.field}
        self._found += [
            one for one in error.each if one.field not in known and one not in self._found
        ]

    @contextmanager
    def collect(self, *path: str) -> Iterator[None]:
        """Collects a ShopError that the block raises; the block ends there.

        Args:
            path: input field that the block reads; it precedes the field of each error.
        """
        try:
            yield
        except ShopError as error:
            for one in error.each:
                one.field = (*path, *one.field)
            self.add(error)

    def error(self) -> ShopError:
        """The error that was found, or Several of them. There must be one."""
        return self._found[0] if len(self._found) == 1 else Several(self._found)

    def raise_any(self) -> None:
        """Raises the error that was found, or Several of them; does nothing without errors."""
        if self._found:
            raise self.error()
