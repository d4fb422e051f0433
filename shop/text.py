"""Text as the shop compares and sorts it. Pure Python."""

import re
import unicodedata

SORT_KEY_LENGTH = 150


def fold(text: str) -> str:
    """`text` without case, accents and surplus space, for comparing and searching.

    Decomposition is Unicode's NFKD with combining marks dropped, then `str.casefold`.
    """
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(text.casefold().split())


def sort_key(text: str) -> str:
    """The stored key by which a name sorts: folded, with numbers by value.

    "Émile 10" and "emile 9" become "emile 0000000010" and "emile 0000000009": an approximation of
    the Unicode collation that every database engine orders alike.
    """
    padded = re.sub(r"\d{1,10}", lambda match: match[0].zfill(10), fold(text), flags=re.ASCII)
    return padded[:SORT_KEY_LENGTH].rstrip()
