"""What an import did: counts for each file, and every problem by file and row."""

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TextIO


class Severity(StrEnum):
    """How bad a problem is."""

    ERROR = "error"  # The product or variant was left out.
    WARNING = "warning"  # It was imported, but not as the file says; someone should look.
    NOTICE = "notice"  # It was tidied by a rule; nothing needs doing.


class Code(StrEnum):
    """What was wrong, in a form that a program can branch on."""

    ROW_MALFORMED = "ROW_MALFORMED"
    HANDLE_MISSING = "HANDLE_MISSING"
    HANDLE_REPEATED = "HANDLE_REPEATED"
    TITLE_MISSING = "TITLE_MISSING"
    NAME_TOO_LONG = "NAME_TOO_LONG"
    PRICE_INVALID = "PRICE_INVALID"
    OPTIONS_INVALID = "OPTIONS_INVALID"
    OPTIONS_REPEATED = "OPTIONS_REPEATED"
    PRODUCT_TOO_LARGE = "PRODUCT_TOO_LARGE"
    NOT_SAVED = "NOT_SAVED"

    NOT_PRICED = "NOT_PRICED"
    NOT_PUBLISHED = "NOT_PUBLISHED"
    GIFT_CARD = "GIFT_CARD"
    SKU_TAKEN = "SKU_TAKEN"
    VALUE_TOO_LONG = "VALUE_TOO_LONG"
    COMPARE_AT_INVALID = "COMPARE_AT_INVALID"
    QUANTITY_INVALID = "QUANTITY_INVALID"
    QUANTITY_RESERVED = "QUANTITY_RESERVED"
    WEIGHT_INVALID = "WEIGHT_INVALID"
    IMAGE_INVALID = "IMAGE_INVALID"
    STATUS_UNKNOWN = "STATUS_UNKNOWN"
    CATEGORY_TOO_DEEP = "CATEGORY_TOO_DEEP"
    VARIANT_UNKNOWN = "VARIANT_UNKNOWN"
    NUL_REMOVED = "NUL_REMOVED"

    HANDLE_CHANGED = "HANDLE_CHANGED"
    SLUG_TAKEN = "SLUG_TAKEN"
    BODY_CLEANED = "BODY_CLEANED"
    TEXT_CUT = "TEXT_CUT"
    COMPARE_AT_DROPPED = "COMPARE_AT_DROPPED"
    QUANTITY_NEGATIVE = "QUANTITY_NEGATIVE"
    VARIANT_GONE = "VARIANT_GONE"
    VARIANT_REMOVED = "VARIANT_REMOVED"
    SKU_BLANKS = "SKU_BLANKS"
    ENCODING_ASSUMED = "ENCODING_ASSUMED"


_CODES = list(Code)
_SEVERITIES = {
    code: Severity.ERROR
    if position < _CODES.index(Code.NOT_PRICED)
    else Severity.WARNING
    if position < _CODES.index(Code.HANDLE_CHANGED)
    else Severity.NOTICE
    for position, code in enumerate(_CODES)
}
# What spreadsheets run; some take the wide forms of East Asian scripts for it as well.
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Terminals act on control characters, and files hold what they hold.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that was not taken as it stands.

    Attributes:
        row: physical line of the file on which the row at fault begins, from 1.
        handle: of the product, empty when the row has none.
        lasting: told again by later imports while the product's rows stay the same.
        column: header of the column at fault as the file has it, empty for a whole row or product.
        text, name: message and column as `drafts.Notes` got them.
    """

    file: str
    row: int
    handle: str
    code: Code
    message: str
    lasting: bool = True
    column: str = ""
    text: str = field(default="", compare=False, repr=False)
    name: str | None = field(default=None, compare=False, repr=False)

    @property
    def severity(self) -> Severity:
        return _SEVERITIES[self.code]

    def __str__(self) -> str:
        return f"{self.file}:{self.row}: {self.severity}: {self.handle}: {self.message}"


class Result(StrEnum):
    """What became of one product of a file."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


@dataclass(slots=True)
class Report:
    """The account of one import.

    Attributes:
        files: for each file by name, how many products were created, updated, ...
        problems: in the order of the files and rows.
        dry_run: nothing was written.
    """

    dry_run: bool = False
    files: dict[str, Counter[Result]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, file: str, result: Result, problems: Iterable[Problem] = ()) -> None:
        self.files.setdefault(file, Counter())[result] += 1
        self.problems += sorted(problems, key=lambda problem: problem.row)

    def count(self, result: Result) -> int:
        """Products of all files together."""
        return sum(counts[result] for counts in self.files.values())

    @property
    def created(self) -> int:
        return self.count(Result.CREATED)

    @property
    def updated(self) -> int:
        return self.count(Result.UPDATED)

    @property
    def unchanged(self) -> int:
        return self.count(Result.UNCHANGED)

    @property
    def skipped(self) -> int:
        return self.count(Result.SKIPPED)

    def write_csv(self, file: TextIO) -> None:
        """Writes every problem as a row: file, row, handle, severity, code, message, column."""
        writer = csv.writer(file)
        writer.writerow(["file", "row", "handle", "severity", "code", "message", "column"])
        for problem in self.problems:
            place = (problem.file, problem.row, problem.handle)
            texts = (problem.severity, problem.code, problem.message, problem.column)
            writer.writerow([no_formula(str(text)) for text in (*place, *texts)])


def printable(text: str) -> str:
    """`text` without the characters that move a cursor or turn a line around."""
    return _CONTROL.sub(" ", text)


def no_formula(text: str) -> str:
    """`text` as a cell that no spreadsheet runs, though it begins like a formula."""
    return f"'{text}" if text.startswith(_RUN) else text
