"""Importing: in which encodings files are read, and how the others are refused."""

import codecs
import io
from collections.abc import Callable
from typing import Any

import pytest

from shop.actions import importing
from shop.actions.importing import Code, NotACatalog
from shop.models import Product

pytestmark = pytest.mark.django_db

# Words of Western European languages that have letters outside ASCII.
WESTERN = {
    "German": "Größe, Überwürfe, süß, Äpfel, ÖL, Maß, äöüß ÄÖÜ",
    "French": "crème brûlée, œuf, garçon, L’été à Noël, naïve, Où, ÉTÉ, CŒUR, N°5",
    "Spanish": "niño, ¿Qué?, ¡Ánimo!, pingüino, acción, 2.º",
    "Portuguese": "botões, coração, maçã, três, você, avô",
    "Italian": "perché, città, più, caffè, così, però",
    "Danish": "smørrebrød, æble, Å, grød, rødgrød med fløde",
    "Swedish": "smörgås, räksmörgås, ÖVRE, köttbullar",
    "Finnish": "hääyöaie, pöytä, šakki, Žižek",
    "Icelandic": "þungur, Alþingi, Það, fjörður, ýsa, blár",
    "Dutch": "coördinatie, geïnteresseerd, één, ideeën",
    "Estonian": "õlu, jäääär, küünal, töö",
    "signs": "12 m², 3 m³/h, W/m²K, 20 °C, ½ l, £5, © 2024 Müller®, “quoted”, it’s, 5–6, 10 €, µm",
}
# Words as they look in an encoding that shares no letters with Windows-1252.
FOREIGN = {
    "cp1251": "Кружка синяя",
    "koi8_r": "Кружка синяя",
    "iso-8859-5": "Кружка синяя",
    "cp866": "Кружка синяя",
    "iso-8859-7": "Κούπα μεγάλη",
    "cp1253": "Κούπα μεγάλη",
    "iso-8859-2": "Łyżka źródło świeży kubek żółty",
    "cp1250": "Łyżka źródło świeży kubek żółty",
    "iso-8859-9": "Başlık kırmızı yağ",
    "cp1254": "Başlık kırmızı yağ",
    "cp1255": "ספל גדול",
    "cp1256": "كوب كبير",
    "mac_roman": "Crème brûlée, Größe",
    "cp850": "Crème brûlée, Größe",
    "cp437": "Crème brûlée, Größe",
    "shift_jis": "マグカップ",
    "gbk": "马克杯子",
    "euc_kr": "머그컵",
    "tis-620": "แก้วน้ำ",
}


def load(content: bytes) -> importing.Report:
    return importing.run([io.BytesIO(content)])


def catalog(title: str, body: str = "") -> str:
    return f'Handle,Title,Body (HTML),Status\r\nmug,"{title}","{body}",draft\r\n'


def refusal(content: bytes) -> str:
    with pytest.raises(NotACatalog) as caught:
        load(content)
    assert not Product.objects.exists()
    return caught.value.message.removeprefix("upload: ")


MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize("codec", MARKS)
@pytest.mark.parametrize("marks", [0, 1, 2])
def test_unicode_is_read_with_and_without_byte_order_marks(codec: str, marks: int) -> None:
    title = "Krügel Кружка 杯 😀"
    report = load(MARKS[codec] * marks + catalog(title).encode(codec))
    assert (report.created, report.problems) == (1, [])
    assert Product.objects.get().name == title


@pytest.mark.parametrize("language", WESTERN)
def test_windows_1252_is_read_and_said_so(language: str) -> None:
    text = WESTERN[language]
    report = load(catalog(text, "ä – ’").encode("cp1252"))
    assert Product.objects.get().name == text
    (problem,) = report.problems
    assert (problem.code, problem.row, problem.severity) == (Code.ENCODING_ASSUMED, 1, "notice")
    assert problem.message == "The text is not UTF-8; it was read as Windows-1252."


@pytest.mark.parametrize("codec", ["iso-8859-1", "iso-8859-15"])
def test_relatives_of_windows_1252_are_read(codec: str) -> None:
    title = {"iso-8859-1": "Größe ½", "iso-8859-15": "Cœur à la crème, 10 €, Šaši"}[codec]
    load(catalog(title).encode(codec))
    assert Product.objects.get().name == title


@pytest.mark.parametrize("codec", FOREIGN)
def test_other_encodings_are_refused(codec: str) -> None:
    message = refusal(catalog(FOREIGN[codec]).encode(codec))
    assert message.startswith("the text is not UTF-8")
    assert 'line 2, column "Title", byte 0x' in message


def test_bytes_that_windows_1252_lacks_are_refused_with_their_place() -> None:
    content = catalog("Krügel").encode("cp1252") + b'cup,"Cup\r\n\x81",,\r\n'
    assert refusal(content) == (
        "the text is not UTF-8, and it does not read like Windows-1252: "
        'line 4 (of the row that begins on line 3), column "Title", byte 0x81 '
        f'at offset {content.index(0x81)}. Save it again as "CSV UTF-8".'
    )


def test_a_stray_byte_in_utf_8_is_refused_with_its_place() -> None:
    lines = ["Handle; Title ;Body (HTML)", "mug;Krügel;ä", "cup;Größe;", 'pot;"Pot";a']
    content = "\r".join(lines).encode() + b"\xfc;;\r"
    message = refusal(content)
    assert f'line 4, column "Body (HTML)", byte 0xFC at offset {content.index(0xFC)}' in message
    assert message.startswith("the text is not UTF-8: ")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"\xef\xbb\xbfHandle,Title\nmug,M\xfcg\n", 'line 2, column "Title", byte 0xFC'),
        (b"\xef\xbb\xbfHandle,Title\nmug,Mug\n\xfcg,Mug", 'line 3, column "Handle", byte 0xFC'),
        (b"\xef\xbb\xbfHandle,Title,M\xfcg\nmug,Mug,\n", "line 1, in the header, byte 0xFC"),
        (b"\xef\xbb\xbfHandle,Title\nmug,Mug,\xfc\n", "line 2, byte 0xFC"),
        (
            "\ufeffHandle,Title\nmug,Mug".encode("utf-16-le")[:-1],
            'line 2, column "Title", byte 0x67',
        ),
        (
            b"\xfe\xff" + "sep=;\nHandle;Title\nmug;".encode("utf-16-be") + b"\xdc\x00\x00a",
            'line 3, column "Title", byte 0xDC 0x00',
        ),
    ],
)
def test_damaged_unicode_is_refused_with_its_place(content: bytes, place: str) -> None:
    assert f"{place} at offset" in refusal(content)


def test_a_byte_far_down_is_found_at_its_offset() -> None:
    rows = "".join(f"mug-{number},Krügel {number}\n" for number in range(9_000))
    content = f"Handle,Title\n{rows}".encode() + b"last,a\xe9\n"
    assert len(content) > 2 * 65_536
    place = f'line 9,002, column "Title", byte 0xE9 at offset {len(content) - 2:,}'
    assert place in refusal(content)


@pytest.mark.parametrize("end", ["", "\r\n", " \t \r\n", ",,,\r\n", "\x1a", "\u00a0,\r\n\x1a\r\n"])
def test_blank_last_lines_are_no_rows(end: str) -> None:
    report = load((catalog("Mug") + end).encode())
    assert (report.created, report.problems) == (1, [])


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le"])
def test_nul_characters_are_dropped_and_reported(codec: str) -> None:
    text = "Handle,Title,Notes to self,Status\nmu\x00g,Mu\x00g,,draft\ncup,Cup,\x00,draft\n"
    report = load(text.encode(codec))
    assert dict(Product.objects.values_list("slug", "name")) == {"mug": "Mug", "cup": "Cup"}
    found = [(problem.code, problem.row, problem.column) for problem in report.problems]
    assert found == [
        (Code.NUL_REMOVED, 2, "Handle"),
        (Code.NUL_REMOVED, 2, "Title"),
        (Code.NUL_REMOVED, 3, "Notes to self"),
    ]
    again = load(text.encode(codec))
    assert (again.unchanged, again.problems) == (2, report.problems)


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop.actions.importing.reader.MAX_LINE", 100)
    message = refusal(f"Handle,Title\nmug,{'x' * 200}\n".encode())
    assert message == "line 2 has more than 100 characters."


def test_memory_does_not_grow_with_a_file_of_windows_1252(
    peak: Callable[[Callable[[], Any]], int],
) -> None:
    def check(rows: int) -> Callable[[], Any]:
        text = "".join(f"mug-{number},Krügel {number}\r\n" for number in range(rows))
        file = io.BytesIO(f"Handle,Title\r\n{text}".encode("cp1252"))
        return lambda: importing.check([file])

    small, large = peak(check(6_000)), peak(check(18_000))
    assert large < small * 1.5
