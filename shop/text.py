"""Text as the shop compares and sorts it. Pure Python."""

import re
import unicodedata

SORT_KEY_LENGTH = 150
# Unicode's Default_Ignorable_Code_Point: no glyph is drawn for these. The first set holds
# what joins or selects letters of some scripts; names need those, codes do not.
_JOINERS = "\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
_NO_GLYPH = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{_NO_GLYPH}]")
_INVISIBLE_OR_JOINER = re.compile(f"[{_NO_GLYPH}{_JOINERS}]")
# Drawn as nothing, although no format character: control characters and the empty Braille cell.
_BLANK = re.compile(f"[{_NO_GLYPH}{_JOINERS}\\s\x00-\x1f\x7f-\x9f\u2800]*")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Word processors and phones put these in place of a hyphen.
_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2043, 0x2212, 0x02D7, 0xFE58, 0xFE63], "-")
# Letters that Unicode does not decompose, as they are written without their sign.
_LETTERS = str.maketrans("ıłøđðħŧ", "iloddht") | {
    ord("æ"): "ae",
    ord("œ"): "oe",
    ord("þ"): "th",
    # Arabic keyboards have another yeh and kaf than Persian ones; a tatweel only stretches.
    **str.maketrans("يىكة", "ییکه", "ـ"),
    # The traditional and the usual character in names of places of Taiwan.
    ord("臺"): "台",
}
# Decomposition tags of full-width and half-width characters. NFKC as a whole would also make a
# fraction such as "12½" another number.
_WIDTHS = ("<wide>", "<narrow>")


def strip_invisible(text: str) -> str:
    """Removes invisible characters, such as a byte order mark or marks of the writing direction.

    Joiners and variation selectors stay: Persian, Indic scripts and emoji are written with them.
    """
    return text if text.isascii() else _INVISIBLE.sub("", text)


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen: only whitespace, control and invisible characters."""
    return not text.strip() or (not text.isascii() and _BLANK.fullmatch(text) is not None)


def one_line(text: str) -> str:
    """Returns text with single spaces; empty when nothing of it can be seen."""
    return "" if is_blank(text) else " ".join(text.replace("\x00", "").split())


def ascii_digits(text: str) -> str:
    """Replaces the decimal digits of every script by 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)


def normalize_line(text: str) -> str:
    """Returns a name or a line of an address as it is stored.

    Full-width and half-width characters become plain, digits ASCII, dashes hyphens; invisible
    characters are removed, control characters and runs of whitespace become one space. Letters,
    accents and fractions stay (NFC).
    """
    if not text.isascii():
        visible = ascii_digits(strip_invisible(text)).translate(_DASHES)
        text = unicodedata.normalize("NFC", "".join(map(_plain_width, visible)))
    return one_line(_CONTROL.sub(" ", text))


def _plain_width(char: str) -> str:
    if unicodedata.decomposition(char).startswith(_WIDTHS):
        return unicodedata.normalize("NFKC", char)
    return char


def normalize_code(text: str) -> str:
    """Returns a voucher code, an order number or the like as it is stored and compared.

    Full-width characters become plain (NFKC), digits of every script ASCII, letters capital ("ß"
    becomes "SS"), dashes hyphens; invisible characters and surrounding whitespace are removed.
    """
    if text.isascii():
        return text.upper().strip()
    visible = unicodedata.normalize("NFKC", _INVISIBLE_OR_JOINER.sub("", text))
    # Case folding knows the capital sharp s. The second NFKC composes what folding decomposed.
    capitals = ascii_digits(visible).translate(_DASHES).casefold().upper()
    return unicodedata.normalize("NFKC", capitals).strip()


def fold(text: str) -> str:
    """`text` without case, accents and surplus space, for comparing and searching.

    Decomposition is Unicode's NFKD with combining marks dropped, then `str.casefold`.
    """
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(text.casefold().split())


def fold_search(text: str) -> str:
    """Folds text that somebody searches for: as `fold`, without invisible characters."""
    return fold(strip_invisible(text))


def fold_name(text: str) -> str:
    """Returns a key by which spellings of a place name are compared.

    As `fold`, without punctuation and spaces; letters that have no decomposition, such as the
    Turkish dotless i, become their usual replacement ("Łódź" becomes "lodz").
    """
    folded = fold(_INVISIBLE_OR_JOINER.sub("", text)).replace("&", "and").translate(_LETTERS)
    return "".join(char for char in folded if unicodedata.category(char)[0] not in "PSZC")


def sort_key(text: str) -> str:
    """The stored key by which a name sorts: folded, with numbers by value.

    "Émile 10" and "emile 9" become "emile 0000000010" and "emile 0000000009": an approximation of
    the Unicode collation that every database engine orders alike.
    """
    padded = re.sub(r"\d{1,10}", lambda match: match[0].zfill(10), fold(text), flags=re.ASCII)
    return padded[:SORT_KEY_LENGTH].rstrip()
