"""The encoding of a product file: found by rules, never by a guess between two that both fit.

1. A byte order mark decides.
2. UTF-16 and UTF-32 without a mark: the header reads as one in no other encoding.
3. UTF-8, when every byte of the file fits.
4. Windows-1252, or its relative ISO-8859-15, when every byte is defined there and every word looks
   like one of a Western European language (`western`).

Everything else is refused. Files in ISO-8859-2 or Windows-1251 may have no byte that Windows-1252
lacks, so that "it decodes" proves nothing: Cyrillic words become rows of accented letters, and it
is those that give it away.
"""

import codecs
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

UTF_8, WESTERN, LATIN_9 = "utf-8", "cp1252", "iso-8859-15"
NAMES = {
    UTF_8: "UTF-8",
    WESTERN: "Windows-1252",
    LATIN_9: "ISO-8859-15",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
}
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_CHUNK = 64 * 1024

_UPPER = "À-ÖØ-ÞŠŒŽŸ"
_LOWER = "ß-öø-ÿšœž"
_HIGH = _UPPER + _LOWER
_LETTER = f"A-Za-z{_HIGH}"
_WORD = re.compile(f"[{_LETTER}]*[{_HIGH}][{_LETTER}]*")
# Letters outside ASCII that words of one Western language have; those that loan words bring too.
_ALPHABETS = [
    frozenset(letters)
    for letters in (
        "àâæçéèêëîïôœùûüÿ",
        "äöüßéèêàáçñ",
        "áéíñóúüçïàèò",
        "áàâãçéêíóôõúü",
        "àâèéìíîòóùú",
        "åäöæøéèêüàóòô",
        "áðéíóúýþæöø",
        "àáâäçèéêëíïîóôöúûü",
        "åäõöüšž",
        "áäéíóôúýšž",
        "çëâêîôû",
        "àáèéìíòóùú",
        "àáâäèéêëìíîïòóôöùúûü",
        "âçîöûü",
    )
]
_IMPLAUSIBLE = re.compile(
    # Symbols inside of words: "Gro§e" was saved on an old Mac, "¿ó³w" in Poland.
    f"(?<=[{_LETTER}])[‚„†‡ˆ‰‹›€¡¢£¥§¬¯±¹¶¿](?=[{_LETTER}])"
    # "m²K" is a unit and "Nº" a number.
    f"|(?<=[{_LETTER}])(?<!m)[²³](?=[{_LETTER}])|(?<=[{_LETTER}])(?<![nN])[ºª](?=[{_LETTER}])"
    f"|(?<=[{_HIGH}])[¢¥§¬¯±²³¶¹](?![a-z])|[¢¥¬¯±²³¶¹](?=[{_HIGH}])"
    r"|ƒ(?=\S)(?![0-9])"
    # Capitals after small letters.
    f"|(?<=[a-z{_LOWER}])[{_UPPER}]"
    f"|(?<![{_LETTER}])ÿ"
)
# Letters in ISO-8859-15, symbols in Windows-1252 that stand in no word. An acute accent does: it is
# often an apostrophe.
_LATIN_9_ONLY = re.compile(f"¤|(?<=[{_LETTER}])[¦¨¸¼½¾](?=[{_LETTER}])")
_C1 = re.compile("[€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")
_ICELANDIC, _ACUTE = re.compile("[ðþÐÞ]"), re.compile("[áéíóúÁÉÍÓÚ]")
# Whole characters of UTF-8, as bytes.
_UTF_8_CHARACTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")


def by_start(start: bytes, is_header: Callable[[str], bool]) -> tuple[str, bool]:
    """The encoding that the first bytes of a file decide for, UTF-8 when they decide for none.

    Args:
        is_header: whether a text begins with the header of a product CSV.

    Returns:
        The codec, and whether nothing else comes into question.
    """
    for mark, codec in _MARKS:
        if start.startswith(mark):
            return codec, True
    if b"\x00" in start:
        for codec in _WIDE:
            try:
                text = codecs.getincrementaldecoder(codec)().decode(start)
            except UnicodeDecodeError:
                continue
            if is_header(text):
                return codec, True
    return UTF_8, False


def first_fault(binary: BinaryIO, codec: str) -> tuple[int, bytes] | None:
    """Offset and value of the first bytes that `codec` cannot decode, None when it can all."""
    decoder = codecs.getincrementaldecoder(codec)()
    read, chunk = 0, b"\x00"
    while chunk:
        chunk = binary.read(_CHUNK)
        waiting = decoder.getstate()[0]
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            bad = error.object[error.start : error.end]
            return read - len(waiting) + error.start, bytes(bad[:4])
        read += len(chunk)
    return None


def is_mostly_utf_8(binary: BinaryIO) -> bool:
    """Whether as many characters outside ASCII are whole in UTF-8 as there are other such bytes."""
    whole = others = 0
    while chunk := binary.read(_CHUNK):
        found = _UTF_8_CHARACTER.findall(chunk)
        whole += len(found)
        others += len(_HIGH_BYTE.findall(chunk)) - sum(map(len, found))
    return whole >= others


@dataclass(slots=True)
class Western:
    """Checks whether a text reads like one in a Western European language.

    Feed it every line of the file, as Windows-1252 or ISO-8859-15 decodes it.

    Attributes:
        fault: offset of the first character that does not belong, None when all do.
    """

    codec: str = WESTERN
    fault: int | None = None
    has_c1: bool = False
    latin_9: int | None = None
    _offset: int = 0
    _icelandic: int | None = None
    _has_acute: bool = field(default=False)

    def feed(self, line: str) -> None:
        if not line.isascii():
            self._check(line)
        # One byte is one character.
        self._offset += len(line)

    def close(self) -> None:
        """Decides what only the whole file tells."""
        if self._icelandic is not None and not self._has_acute:
            # Icelandic without one á, é, í, ó or ú is Turkish: "ğ" and "ş" stand there.
            self._blame(self._icelandic)

    @property
    def is_latin_9(self) -> bool:
        """Whether ISO-8859-15 fits better: no byte that only Windows has, and its letters."""
        return self.latin_9 is not None and not self.has_c1

    def _check(self, line: str) -> None:
        if self.codec == WESTERN:
            self.has_c1 = self.has_c1 or _C1.search(line) is not None
            if self.latin_9 is None and (found := _LATIN_9_ONLY.search(line)):
                self.latin_9 = self._offset + found.start()
        self._has_acute = self._has_acute or _ACUTE.search(line) is not None
        if self._icelandic is None and (found := _ICELANDIC.search(line)):
            self._icelandic = self._offset + found.start()
        if found := _IMPLAUSIBLE.search(line):
            self._blame(self._offset + found.start())
        for word in _WORD.finditer(line):
            letters = {letter for letter in word[0].lower() if not letter.isascii()}
            if len(letters) > 1 and not any(letters <= known for known in _ALPHABETS):
                high = next(index for index, letter in enumerate(word[0]) if not letter.isascii())
                self._blame(self._offset + word.start() + high)
                break

    def _blame(self, offset: int) -> None:
        self.fault = offset if self.fault is None else min(self.fault, offset)


def western(open_lines: Callable[[str], Iterable[str]]) -> Western:
    """The verdict on a file that is not Unicode.

    Args:
        open_lines: the lines of the file, decoded by a codec; may raise UnicodeDecodeError.

    Raises:
        UnicodeDecodeError: a byte is not defined.
    """
    verdict = _fed(open_lines(WESTERN), WESTERN)
    if verdict.is_latin_9:
        return _fed(open_lines(LATIN_9), LATIN_9)
    if verdict.latin_9 is not None:
        # Both Windows's own bytes and letters where Windows has symbols: neither fits.
        verdict._blame(verdict.latin_9)
    return verdict


def _fed(lines: Iterable[str], codec: str) -> Western:
    verdict = Western(codec)
    for line in lines:
        verdict.feed(line)
    verdict.close()
    return verdict
