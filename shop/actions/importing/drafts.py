"""A product as a file describes it, after the rules, and what is remembered of it."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shop.actions.importing.layout import Layout
from shop.actions.importing.report import Code, Problem, printable
from shop.text import one_line

Option = dict[str, str]
Snapshot = dict[str, Any]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(slots=True)
class VariantDraft:
    """One variant of a file.

    Attributes:
        line: physical line of its row.
        key: digest of its options, by which it is known again.
        units: what the file says of it, and nothing else: options, position, sku, price,
            compare_at (minor units or None), weight_grams, requires_shipping, barcode,
            quantity (not below 0), backorder, image (an address or None).
    """

    line: int
    key: str
    units: dict[str, Any]


@dataclass(slots=True)
class ProductDraft:
    """One product of a file.

    Attributes:
        handle: by which it is known again; a valid slug.
        line: physical line of its first row.
        fields: what the file says of it: name, description, brand, category (names from the top),
            status, seo_title, seo_description, tax_category.
        attributes: slug -> (name, values), for each attribute that the file has a column for.
        collections: names; None when the file has no such column.
        media: [address, alternative text] in order; None when the file has no such columns.
        by_options: the file has option columns.
    """

    handle: str
    line: int
    fields: dict[str, Any]
    attributes: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    collections: list[str] | None = None
    media: list[list[str]] | None = None
    variants: list[VariantDraft] = field(default_factory=list)
    by_options: bool = True


class Skip(Exception):
    """The product at hand cannot be imported."""

    def __init__(self, code: Code, message: str, line: int, column: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.line, self.column = code, message, line, column


class Notes:
    """Collects the problems of one product."""

    def __init__(self, file: str, handle: str, layout: Layout) -> None:
        self.file = file
        self.handle = printable(handle)
        self.layout = layout
        self.problems: list[Problem] = []

    def add(
        self,
        code: Code,
        message: str,
        line: int,
        *,
        column: str | None = None,
        lasting: bool = True,
    ) -> None:
        """Adds a problem; its message ends with the header of its column.

        Args:
            column: name of the column in `Layout`; nothing is told of one that the file lacks.
        """
        title = printable(self.layout.title(column))
        text = printable(message)
        shown = f'{text.removesuffix(".")} (column "{title}").' if title else text
        self.problems.append(
            Problem(self.file, line, self.handle, code, shown, lasting, title, text, column)
        )

    def drop(self, code: Code) -> None:
        """Forgets the problems of this kind, which turned out not to be."""
        self.problems = [problem for problem in self.problems if problem.code != code]

    def kept(self, lines: Sequence[int]) -> list[list[Any]]:
        """The lasting problems as the snapshot keeps them: by row of the product, not of a file."""
        rows = {line: index for index, line in enumerate(lines)}
        return [
            # The header may be another in the next file.
            [rows.get(problem.row, 0), problem.code, problem.text, problem.name]
            for problem in self.problems
            if problem.lasting
        ]

    def recall(self, kept: Sequence[Sequence[Any]], lines: Sequence[int]) -> None:
        """Tells again what `kept` says, of a product whose rows now stand on `lines`."""
        for row, code, message, *name in kept:
            line = lines[min(row, len(lines) - 1)]
            self.add(Code(code), message, line, column=name[0] if name else None)


def clean(text: str) -> str:
    """`text` on one line with single spaces; control characters count as space."""
    return one_line(_CONTROL.sub(" ", text))


def text_digest(text: str) -> str:
    """Stands in the snapshot for a text too long to be kept there."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
