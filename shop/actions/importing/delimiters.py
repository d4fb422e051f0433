"""Delimiter of a product file, detected by the names of its columns.

`csv.Sniffer` counts characters, and descriptions have more commas than the file has columns.
"""

import csv
import re
from collections.abc import Iterator, Sequence

from shop.actions.importing.layout import known_columns

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
# Excel's way of saying it, on a line before the header.
_STATED = re.compile(r'"?sep=(.)"?[ \t;,|]*[\r\n]*', re.IGNORECASE)
# Lines in which the header ends; a cell of it may have line breaks.
HEADER_LINES = 50


def is_statement(line: str) -> bool:
    """Whether `line` is no row but says what separates the columns, such as "sep=;"."""
    return _STATED.fullmatch(line) is not None


def detect(lines: Sequence[str]) -> str:
    """The delimiter by which the header at the start of `lines` has the most known columns.

    A statement such as "sep=;" on the first line decides between two that have as many. Where no
    delimiter finds any, it is a comma.
    """
    stated = ""
    if lines and (found := _STATED.fullmatch(lines[0])):
        stated, lines = found[1], lines[1:]
    candidates = sorted(DELIMITERS, key=lambda delimiter: delimiter != stated)
    return max(candidates, key=lambda delimiter: known_columns(_first_row(lines, delimiter)))


def is_header(text: str) -> bool:
    """Whether `text` begins with the header of a product CSV."""
    lines = clean_start(text).splitlines(keepends=True)[:HEADER_LINES]
    if lines and is_statement(lines[0]):
        lines = lines[1:]
    return any(known_columns(_first_row(lines, delimiter), needed=True) for delimiter in DELIMITERS)


def clean_start(text: str) -> str:
    """`text`, the start of a file, without byte order marks. Some tools add a second one."""
    return text.lstrip("\ufeff")


def _first_row(lines: Sequence[str], delimiter: str) -> list[str]:
    rows: Iterator[list[str]] = csv.reader(lines, delimiter=delimiter)
    try:
        return next(rows, [])
    except csv.Error:
        return []
