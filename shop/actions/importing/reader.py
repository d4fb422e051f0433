"""Reads catalog files: checks them as a whole first, then streams one product's rows at a time."""

import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

from shop.actions.importing.drafts import Skip
from shop.actions.importing.layout import Layout, recognise
from shop.actions.importing.report import Code
from shop.errors import Invalid

# Beyond these a missing quote has swallowed the file, or one handle stands on every row.
MAX_CELL = 4 * 1024 * 1024
MAX_ROWS = 5_000
_START = 4096
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class NotACatalog(Invalid):
    """A file that cannot be imported at all."""


@dataclass(slots=True)
class Block:
    """The rows of one product, as they stand in the file.

    Attributes:
        handle: as it stands in the file, trimmed.
        lines: for each row, the physical line on which it begins, from 1.
        fault: why the rows cannot be trusted; None when they can.
    """

    file: str
    layout: Layout
    handle: str
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    fault: Skip | None = None


class Source:
    """A catalog file, plain or gzipped, that has been read through once and found sound.

    Args:
        file: a path, or a seekable binary file, which stays open.

    Raises:
        NotACatalog: missing, unreadable, no text in UTF-8, or no product CSV; says which.

    Attributes:
        name: for people.
        lines: physical lines in the file.
    """

    def __init__(self, file: str | os.PathLike[str] | BinaryIO) -> None:
        self._file = file
        self.name = os.fspath(file) if isinstance(file, str | os.PathLike) else _name_of(file)
        self.lines = 0
        with self._text() as text:
            self.layout = self._header(csv.reader(_lines(text)))
        # All of it, so that a broken archive or a stray byte is found before anything is written.
        with self._text() as text:
            for _ in text:
                self.lines += 1

    def blocks(self) -> Iterator[Block]:
        """The products of the file, in its order.

        Raises:
            NotACatalog: the file has changed for the worse since it was checked.
        """
        with self._text() as text:
            rows = csv.reader(_lines(text))
            self._header(rows)
            block: Block | None = None
            for line, row in _numbered(rows):
                if row is not None and not any(row):
                    continue
                handle = self._handle(row)
                if block is None or handle != block.handle or row is None or self._begins(row):
                    if block is not None:
                        yield block
                    block = Block(self.name, self.layout, handle)
                self._append(block, line, row)
            if block is not None:
                yield block

    def _append(self, block: Block, line: int, row: list[str] | None) -> None:
        width = self.layout.width
        if len(block.rows) >= MAX_ROWS:
            message = f"The product has more than {MAX_ROWS:,} rows."
            block.fault = block.fault or Skip(Code.PRODUCT_TOO_LARGE, message, line)
            return
        block.lines.append(line)
        if row is None:
            message = "The row cannot be read: a closing quote is missing."
            block.fault = Skip(Code.ROW_MALFORMED, message, line)
        elif len(row) < width or any(row[width:]):
            message = (
                f"The row has {len(row)} cells where the header has {width}: "
                "a quote, a comma or a part of the row is missing."
            )
            block.fault = block.fault or Skip(Code.ROW_MALFORMED, message, line)
        else:
            block.rows.append(row)

    def _handle(self, row: list[str] | None) -> str:
        index = self.layout.columns["handle"]
        return row[index].strip() if row is not None and index < len(row) else ""

    def _begins(self, row: list[str]) -> bool:
        """Whether a row without a handle is a product of its own: it has a title."""
        index = self.layout.columns["title"]
        return not self._handle(row) and index < len(row) and bool(row[index].strip())

    def _header(self, rows: Iterator[list[str]]) -> Layout:
        try:
            header = next(rows)
        except StopIteration:
            raise NotACatalog(f"{self.name}: the file is empty.") from None
        except csv.Error:
            raise NotACatalog(f"{self.name}: it is no product CSV.") from None
        try:
            return recognise(header)
        except Invalid as error:
            raise NotACatalog(f"{self.name}: {error.message}.") from None

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        try:
            with ExitStack() as stack:
                if isinstance(self._file, str | os.PathLike):
                    binary: BinaryIO = stack.enter_context(Path(self._file).open("rb"))
                else:
                    binary = self._file
                text = io.TextIOWrapper(self._unpacked(binary), encoding="utf-8-sig", newline="")
                # Else it would close the caller's file with itself.
                stack.callback(text.detach)
                yield text
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise NotACatalog(f"{self.name}: the gzip file is damaged or cut short.") from None
        except UnicodeDecodeError:
            raise NotACatalog(
                f"{self.name}: the text is not UTF-8 (near line {self.lines + 1:,}). "
                'Save it again as "CSV UTF-8".'
            ) from None
        except OSError as error:
            reason = error.strerror or "it cannot be read"
            raise NotACatalog(f"{self.name}: {reason}.") from None

    def _unpacked(self, binary: BinaryIO) -> BinaryIO | gzip.GzipFile:
        binary.seek(0)
        start = binary.read(_START)
        binary.seek(0)
        self._check_start(start)
        if not start.startswith(_GZIP):
            return binary
        unpacked = gzip.GzipFile(fileobj=binary)
        self._check_start(unpacked.read(_START))
        unpacked.seek(0)
        return unpacked

    def _check_start(self, start: bytes) -> None:
        if start.startswith(_ZIP):
            raise NotACatalog(f"{self.name}: it is a workbook or an archive; save it as CSV.")
        if start.startswith(_UTF16):
            raise NotACatalog(f'{self.name}: the text is UTF-16. Save it again as "CSV UTF-8".')
        if start.startswith(_GZIP):
            return
        # A stray NUL in a catalog is no reason to refuse it.
        if b"\x00" in start and b"handle" not in start.lower():
            kind = "gzip" if self.name.endswith(".gz") else "text"
            raise NotACatalog(f"{self.name}: it is not a {kind} file.")


def _numbered(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str] | None]]:
    """Rows with the line on which each begins; None for a row that cannot be read."""
    while True:
        line = rows.line_num + 1  # type: ignore[attr-defined]
        try:
            yield line, next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield line, None


def _lines(text: TextIO) -> Iterator[str]:
    # No database column holds a NUL.
    csv.field_size_limit(MAX_CELL)
    return (line.replace("\x00", "") for line in text)


def _name_of(file: BinaryIO) -> str:
    return str(getattr(file, "name", "") or "upload")
