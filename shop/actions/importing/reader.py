"""Reads catalog files: checks them as a whole first, then streams one product's rows at a time."""

import csv
import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from shop.actions.importing import delimiters, encodings
from shop.actions.importing.delimiters import DELIMITERS, HEADER_LINES
from shop.actions.importing.drafts import Skip
from shop.actions.importing.encodings import UTF_8, WESTERN
from shop.actions.importing.layout import Layout, recognise
from shop.actions.importing.report import Code, Problem, printable
from shop.errors import Invalid

# Beyond these a missing quote has swallowed the file, or one handle stands on every row.
MAX_CELL = 4 * 1024 * 1024
MAX_ROWS = 5_000
# Characters of a physical line: one without an end would have to be held whole.
MAX_LINE = 4 * MAX_CELL
# Holds the header in every encoding.
_START = 64 * 1024
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
# DOS ends files with Ctrl-Z.
_END_OF_FILE = "\x1a"


class NotACatalog(Invalid):
    """A file that cannot be imported at all."""


@dataclass(slots=True)
class Block:
    """The rows of one product, as they stand in the file.

    Attributes:
        handle: as it stands in the file, trimmed.
        lines: for each row, the physical line on which it begins, from 1.
        nuls: line and header of each cell that had NUL characters, which no column holds.
        fault: why the rows cannot be trusted; None when they can.
    """

    file: str
    layout: Layout
    handle: str
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    nuls: list[tuple[int, str]] = field(default_factory=list)
    fault: Skip | None = None

    def digest(self) -> str:
        """A digest of everything that is read of the rows, and of the rules that read it."""
        digest = self.layout.digest(self.rows)
        if not self.nuls:
            return digest
        places = [(line - self.lines[0], header) for line, header in self.nuls]
        return hashlib.blake2b(f"{digest}{places}".encode(), digest_size=16).hexdigest()


class Source:
    """A catalog file, plain or gzipped, that has been read through once and found sound.

    Args:
        file: a path, or a seekable binary file, which stays open.

    Raises:
        NotACatalog: missing, unreadable, no text in a known encoding, or no product CSV; says
            which, and where a text is at fault its line, column and byte.

    Attributes:
        name: for people.
        lines: physical lines in the file.
        codec: the encoding of the text, as Python calls it.
        notices: problems of the file as a whole.
    """

    def __init__(self, file: str | os.PathLike[str] | BinaryIO) -> None:
        self._file = file
        self.name = os.fspath(file) if isinstance(file, str | os.PathLike) else _name_of(file)
        self.lines = 0
        self.notices: list[Problem] = []
        # All of it, so that a broken archive or a stray byte is found before anything is written.
        with self._opened() as binary:
            start = binary.read(_START)
            self._check_start(start)
            self.codec, is_sure = encodings.by_start(start, delimiters.is_header)
            if b"\x00" in start and self.codec == UTF_8 and b"handle" not in start.lower():
                kind = "gzip" if self.name.endswith(".gz") else "text"
                raise NotACatalog(f"{self.name}: it is not a {kind} file.")
            binary.seek(0)
            fault = encodings.first_fault(binary, self.codec)
            if fault is not None:
                self._use_western(binary, fault, is_sure=is_sure)
        with self._text() as text:
            head = list(islice(self._lines(text), HEADER_LINES))
            self._states_delimiter = bool(head) and delimiters.is_statement(head[0])
            self.delimiter = delimiters.detect(head)
        with self._text() as text:
            self.layout = self._header(self._rows(self._lines(text)))
        with self._text() as text:
            for _ in self._lines(text):
                self.lines += 1

    def blocks(self) -> Iterator[Block]:
        """The products of the file, in its order.

        Raises:
            NotACatalog: the file has changed for the worse since it was checked.
        """
        with self._text() as text:
            rows = self._rows(self._lines(text))
            self._header(rows)
            block: Block | None = None
            for line, row in self._numbered(rows):
                if row is not None and _is_blank(row):
                    continue
                nuls = self._drop_nuls(row, line)
                handle = self._handle(row)
                if block is None or handle != block.handle or row is None or self._begins(row):
                    if block is not None:
                        yield block
                    block = Block(self.name, self.layout, handle)
                block.nuls += nuls
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
                f"a quote, a {DELIMITERS[self.delimiter]} or a part of the row is missing."
            )
            block.fault = block.fault or Skip(Code.ROW_MALFORMED, message, line)
        else:
            block.rows.append(row)

    def _drop_nuls(self, row: list[str] | None, line: int) -> list[tuple[int, str]]:
        """Removes the NUL characters of `row`; returns where they were."""
        if row is None or not any("\x00" in cell for cell in row):
            return []
        header, found = self.layout.header, []
        for index, cell in enumerate(row):
            if "\x00" in cell:
                row[index] = cell.replace("\x00", "")
                found.append((line, header[index].strip() if index < len(header) else ""))
        return found

    def _handle(self, row: list[str] | None) -> str:
        index = self.layout.columns["handle"]
        return row[index].strip() if row is not None and index < len(row) else ""

    def _begins(self, row: list[str]) -> bool:
        """Whether a row without a handle is a product of its own: it has a title."""
        index = self.layout.columns["title"]
        return not self._handle(row) and index < len(row) and bool(row[index].strip())

    def _header(self, rows: Iterator[list[str]]) -> Layout:
        try:
            header = [cell.replace("\x00", "") for cell in next(rows)]
        except StopIteration:
            raise NotACatalog(f"{self.name}: the file is empty.") from None
        except csv.Error:
            raise NotACatalog(f"{self.name}: it is no product CSV.") from None
        try:
            return recognise(header, self.delimiter)
        except Invalid as error:
            raise NotACatalog(f"{self.name}: {error.message}.") from None

    def _rows(self, lines: Iterator[str]) -> Iterator[list[str]]:
        # Beyond this a cell is an error, for every reader of this process.
        csv.field_size_limit(MAX_CELL)
        if self._states_delimiter:
            next(lines, None)
        return csv.reader(lines, delimiter=self.delimiter)

    def _numbered(self, rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str] | None]]:
        """Rows with the line on which each begins; None for a row that cannot be read."""
        first = 2 if self._states_delimiter else 1
        while True:
            line = rows.line_num + first  # type: ignore[attr-defined]
            try:
                yield line, next(rows)
            except StopIteration:
                return
            except csv.Error:
                yield line, None

    def _lines(self, text: TextIO) -> Iterator[str]:
        """The physical lines, without byte order marks at the start.

        Raises:
            NotACatalog: a line has no end.
        """
        number, line = 1, delimiters.clean_start(text.readline(MAX_LINE))
        while line:
            if len(line) >= MAX_LINE and not line.endswith(("\n", "\r")):
                raise NotACatalog(
                    f"{self.name}: line {number:,} has more than {MAX_LINE:,} characters."
                )
            yield line
            number, line = number + 1, text.readline(MAX_LINE)

    def _use_western(self, binary: BinaryIO, fault: tuple[int, bytes], *, is_sure: bool) -> None:
        """Settles on Windows-1252 or ISO-8859-15 for a file that is no UTF-8.

        Raises:
            NotACatalog: it is neither.
        """
        if is_sure:
            raise self._unreadable(binary, self.codec, *fault, "")

        def opened(codec: str) -> Iterator[str]:
            binary.seek(0)
            return self._lines(_decoded(binary, codec))

        binary.seek(0)
        if encodings.is_mostly_utf_8(binary):
            # A stray byte, or texts of two encodings in one file.
            raise self._unreadable(binary, UTF_8, *fault, "")
        binary.seek(0)
        undefined = encodings.first_fault(binary, WESTERN)
        if undefined is None:
            verdict = encodings.western(opened)
            if verdict.fault is None:
                self.codec = verdict.codec
                message = f"The text is not UTF-8; it was read as {encodings.NAMES[self.codec]}."
                self.notices.append(Problem(self.name, 1, "", Code.ENCODING_ASSUMED, message))
                return
            binary.seek(verdict.fault)
            undefined = verdict.fault, binary.read(1)
        reason = ", and it does not read like Windows-1252"
        raise self._unreadable(binary, WESTERN, *undefined, reason)

    def _unreadable(
        self, binary: BinaryIO, codec: str, offset: int, value: bytes, reason: str
    ) -> NotACatalog:
        where = self._place(binary, codec, offset)
        shown = " ".join(f"0x{byte:02X}" for byte in value)
        name = encodings.NAMES[codec if codec != WESTERN else UTF_8]
        return NotACatalog(
            f"{self.name}: the text is not {name}{reason}: {where}, byte {shown} "
            f'at offset {offset:,}. Save it again as "CSV UTF-8".'
        )

    def _place(self, binary: BinaryIO, codec: str, offset: int) -> str:
        """Line and column of the byte at `offset`, for people; all before it can be decoded."""
        binary.seek(0)
        head = list(islice(self._lines(_decoded(binary, codec, offset)), HEADER_LINES))
        self._states_delimiter = bool(head) and delimiters.is_statement(head[0])
        self.delimiter = delimiters.detect(head)
        binary.seek(0)
        counted = _Marked(self._lines(_decoded(binary, codec, offset)))
        header: list[str] = []
        place, row = 1, [""]
        # The last row ends where the byte stands.
        for begins, found in self._numbered(self._rows(counted)):
            place, row = begins, found or [""]
            header = header or row
        line = f"line {counted.number:,}"
        if place != counted.number:
            line = f"{line} (of the row that begins on line {place:,})"
        if row is header:
            return f"{line}, in the header"
        if len(row) > len(header):
            return line
        return f'{line}, column "{printable(header[len(row) - 1].strip())}"'

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """The file as bytes, unpacked."""
        try:
            with ExitStack() as stack:
                if isinstance(self._file, str | os.PathLike):
                    binary: BinaryIO = stack.enter_context(Path(self._file).open("rb"))
                else:
                    binary = self._file
                yield self._unpacked(binary)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise NotACatalog(f"{self.name}: the gzip file is damaged or cut short.") from None
        except UnicodeDecodeError:
            raise NotACatalog(f"{self.name}: the file has changed while it was read.") from None
        except OSError as error:
            reason = error.strerror or "it cannot be read"
            raise NotACatalog(f"{self.name}: {reason}.") from None

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        with self._opened() as binary:
            text = io.TextIOWrapper(binary, encoding=self.codec, newline="")
            try:
                yield text
            finally:
                # Else it would close the caller's file with itself.
                text.detach()

    def _unpacked(self, binary: BinaryIO) -> BinaryIO:
        binary.seek(0)
        start = binary.read(len(_GZIP))
        binary.seek(0)
        return cast(BinaryIO, gzip.GzipFile(fileobj=binary)) if start == _GZIP else binary

    def _check_start(self, start: bytes) -> None:
        if start.startswith(_ZIP):
            raise NotACatalog(f"{self.name}: it is a workbook or an archive; save it as CSV.")


def _decoded(binary: BinaryIO, codec: str, size: int | None = None) -> TextIO:
    """A text of the bytes from where `binary` stands, at most `size` of them."""
    part = io.BufferedReader(_Part(binary, size))
    return io.TextIOWrapper(part, encoding=codec, newline="")


class _Part(io.RawIOBase):
    """The bytes of a file from where it stands, at most `size` of them; never closes the file."""

    def __init__(self, binary: BinaryIO, size: int | None = None) -> None:
        self._binary, self._left = binary, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        size = len(buffer) if self._left is None else min(len(buffer), self._left)
        found = self._binary.read(size)
        buffer[: len(found)] = found
        if self._left is not None:
            self._left -= len(found)
        return len(found)


class _Marked:
    """Lines that end in the middle of one, with a letter at their end and counted.

    The letter makes a row of what would be none: a delimiter or a line end may come last.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._next = next(lines, None)
        self._is_done = False
        self.number = 0

    def __iter__(self) -> "_Marked":
        return self

    def __next__(self) -> str:
        if self._is_done:
            raise StopIteration
        self.number += 1
        line = self._next or ""
        self._next = next(self._lines, None)
        if self._next is None:
            if line.endswith(("\n", "\r")):
                self._next = ""
            else:
                self._is_done = True
                line += "x"
        return line


def _is_blank(row: list[str]) -> bool:
    return not any(cell.strip().strip(_END_OF_FILE) for cell in row)


def _name_of(file: BinaryIO) -> str:
    return str(getattr(file, "name", "") or "upload")
