"""Importing: any table reads back alike, however it is written."""

import gzip
import io
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shop.actions import importing
from shop.actions.importing import Source
from shop.models import Product
from tests.shop.importing.test_encodings import MARKS, WESTERN

HEADER = ["Handle", "Title", "Variant SKU", "Variant Price", "Body (HTML)", "Status"]
ENDS = ["\n", "\r\n", "\r"]
CODECS = [*MARKS, "cp1252"]
# No column holds NUL, and no encoding lone surrogates.
CELLS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
# A few letters of Icelandic tell it from Turkish only in a text with others.
WORDS = st.sampled_from(
    [word for text in WESTERN.values() for word in text.split(" ") if not set("ðþÐÞ") & set(word)]
)
SIGNS = st.sampled_from(['"', ",", ";", "\t", "|", "\n", "\r\n", " ", "sep=;"])


@st.composite
def tables(draw: Any) -> tuple[list[list[str]], dict[str, Any]]:
    """Rows of a file, and how it is to be written."""
    codec = draw(st.sampled_from(CODECS))
    words = WORDS.map(" {} ".format) if codec == "cp1252" else st.one_of(CELLS, WORDS)
    cells = st.lists(st.one_of(words, SIGNS), max_size=4).map("".join)
    rows = [
        [
            f"mug-{number}",
            *draw(st.lists(cells, min_size=len(HEADER) - 1, max_size=len(HEADER) - 1)),
        ]
        for number in range(draw(st.integers(1, 5)))
    ]
    how = {
        "codec": codec,
        "marks": draw(st.integers(0, 2)) if codec in MARKS else 0,
        "delimiter": draw(st.sampled_from(list(importing.DELIMITERS))),
        "end": draw(st.sampled_from(ENDS)),
        "states": draw(st.booleans()),
        "quotes_all": draw(st.booleans()),
        "packs": draw(st.booleans()),
        "blanks": draw(st.sampled_from(["", "  ", "\x1a"])),
    }
    return rows, how


def written(rows: list[list[str]], how: dict[str, Any]) -> bytes:
    delimiter, end = how["delimiter"], how["end"]

    def cell(text: str) -> str:
        if how["quotes_all"] or any(sign in text for sign in ('"', delimiter, "\r", "\n")):
            return '"' + text.replace('"', '""') + '"'
        return text

    lines = [delimiter.join(map(cell, row)) for row in (HEADER, *rows)]
    stated = [f"sep={delimiter}"] if how["states"] else []
    text = end.join([*stated, *lines, how["blanks"]])
    content = MARKS.get(how["codec"], b"") * how["marks"] + text.encode(how["codec"])
    return gzip.compress(content, 1) if how["packs"] else content


@given(tables())
@example(
    (
        [["mug-0", "\ufeffMug", "A  B ", "1", "\r\n", "\u2028"]],
        {
            "codec": "utf-16-be",
            "marks": 0,
            "delimiter": "|",
            "end": "\r",
            "states": True,
            "quotes_all": False,
            "packs": False,
            "blanks": "  ",
        },
    )
)
def test_rows_are_read_as_they_were_written(table: tuple[list[list[str]], dict[str, Any]]) -> None:
    rows, how = table
    content = written(rows, how)
    source = Source(io.BytesIO(content))
    assert source.layout.header == tuple(HEADER)
    blocks = list(source.blocks())
    assert [block.rows for block in blocks] == [[row] for row in rows]
    assert [block.fault for block in blocks] == [None] * len(rows)
    # Each row begins on the line after those of the rows before it.
    line = 2 + how["states"]
    for block, row in zip(blocks, rows, strict=True):
        assert block.lines == [line]
        line += 1 + sum(len(ended(text)) for text in row)


def ended(text: str) -> list[str]:
    """The line ends in `text`."""
    return [sign for sign in text.replace("\r\n", "\n") if sign in "\r\n"]


SAMPLE = [
    ["mug", "Krügel, groß", "A  B", "12.50", "<p>Für Tee; 10 €</p>", "active"],
    ["cup", 'Die "Tasse"', " 007 ", "3.00", "Zeile eins\nZeile zwei", "draft"],
    ["pot", "Kännchen | œuf", "'X\ty", "", "<h1>Œuf</h1><script>1</script>", "active"],
    ["jug", "Krug", "A  B", "1,234", "", "active"],
]


@pytest.mark.django_db
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("delimiter", importing.DELIMITERS)
def test_products_are_the_same_however_their_file_is_written(
    codec: str, delimiter: str, dump: Any
) -> None:
    how = {"codec": codec, "delimiter": delimiter, "end": "\r\n", "marks": 0}
    how |= {"states": False, "quotes_all": False, "packs": False, "blanks": ""}
    content = written(SAMPLE, how)
    before = dump()
    rehearsed = importing.run([io.BytesIO(content)], dry_run=True)
    assert dump() == before
    report = importing.run([io.BytesIO(content)])
    assert (report.created, report.skipped) == (3, 1)
    assert (rehearsed.created, rehearsed.skipped) == (3, 1)
    assert rehearsed.problems == report.problems
    found = Product.objects.order_by("pk").values_list(
        "name", "variants__sku", "min_price", "description", "status"
    )
    assert list(found) == [
        ("Krügel, groß", "A  B", 1250, "<p>Für Tee; 10 €</p>", "published"),
        ('Die "Tasse"', " 007 ", 300, "Zeile eins\nZeile zwei", "draft"),
        ("Kännchen | œuf", "X\ty", None, "<h2>Œuf</h2>", "draft"),
    ]
    # The same rows in another file are the same rows.
    again = importing.run([io.BytesIO(written(SAMPLE, how | {"codec": "utf-8", "end": "\r"}))])
    assert (again.unchanged, again.skipped) == (3, 1)
