"""Text as it stands in a cell: safe in a spreadsheet, and read back as it is."""

import re

from shop.actions.importing.drafts import clean

_FORMULA = ("=", "+", "-", "@")
# What a spreadsheet shows as it is: a whole number without a leading zero, not too long.
_PLAIN_NUMBER = re.compile(r"0|[1-9]\d{0,10}", re.ASCII)
# Also "1.50", "1E5", "12-05" and "3/4": other numbers, and dates.
_LIKE_A_NUMBER = re.compile(r"[\d\s.,:/-]*\d[\d\s.,:/-]*|\d+[eE]\d+", re.ASCII)


def guarded(text: str) -> str:
    """`text` with a space in front if a spreadsheet would run it; the importer trims cells."""
    return f" {text}" if text.startswith(_FORMULA) else text


def code(text: str) -> str:
    """A SKU or barcode with an apostrophe in front if a spreadsheet would run or change it.

    The importer takes one apostrophe off, so one that is part of the code gets a second.
    """
    changes = _LIKE_A_NUMBER.fullmatch(text) and not _PLAIN_NUMBER.fullmatch(text)
    # Blanks in front are a part of a SKU, and some spreadsheets take them off.
    runs = text.lstrip().startswith(_FORMULA)
    return f"'{text}" if changes or runs or text.startswith("'") else text


def fits_list(name: str, separator: str, length: int) -> bool:
    """Whether `name` reads back as one value of a list with this separator."""
    return separator not in name and len(name) <= length and clean(name) == name != ""
