"""Codes and searches as people paste them."""

import importlib
import sys
import unicodedata
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from shop.models import Voucher, VoucherKind
from shop.text import fold_search, normalize_code, strip_invisible

PASTED = [
    "WELCOME-10",
    "welcome-10",
    " Welcome-10\n",
    "\u200bWELCOME-10",
    "\ufeffWELCOME-10",
    "WELCOME-10\u202c",
    "WEL\u00adCOME-\u206010",
    "\u2068WELCOME-10\u2069",
    "\ufeff \u200b WELCOME-10 \u200b",
    "WELCOME\u201110",
    "WELCOME\u201310",
    "ＷＥＬＣＯＭＥ－１０",
    "WELCOME-10\ufe0f",
    "WELCOME\u200d-10",
]


@pytest.mark.parametrize("pasted", PASTED, ids=ascii)
def test_a_code_is_the_same_however_it_is_pasted(pasted: str) -> None:
    assert normalize_code(pasted) == "WELCOME-10"


@pytest.mark.parametrize("pasted", ["straße", "STRASSE", "STRAẞE", "Strasse"])
def test_a_sharp_s_is_two_letters(pasted: str) -> None:
    assert normalize_code(pasted) == "STRASSE"


def test_visible_characters_stay_apart() -> None:
    codes = ["ÄB", "AB", "A B", "A.B", "A-B", "A_B", "IB", "İB", "0B", "OB"]
    assert [normalize_code(code) for code in codes] == codes


def test_normalizing_twice_changes_nothing() -> None:
    changed = [
        hex(point)
        for point in range(sys.maxunicode + 1)
        if not 0xD800 <= point <= 0xDFFF
        and (once := normalize_code(f"A{chr(point)}A")) != normalize_code(once)
    ]
    assert changed == []


def test_no_format_character_without_a_glyph_is_left() -> None:
    # Those of category Cf that are drawn: Arabic, Syriac, Kaithi, annotations, hieroglyphs.
    drawn = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0xFFF9, 0xFFFA, 0xFFFB}
    drawn |= {0x110BD, 0x110CD, *range(0x13430, 0x13440)}
    formats = {p for p in range(sys.maxunicode + 1) if unicodedata.category(chr(p)) == "Cf"}
    left = {point for point in formats if normalize_code(f"A{chr(point)}A") != "AA"}
    assert left <= drawn


def test_searches_keep_what_joins_letters() -> None:
    assert strip_invisible("\ufeffمی\u200cخواهم\u200b") == "می\u200cخواهم"
    assert fold_search("\u200bÉmile\u202c ") == "emile"


@pytest.mark.django_db
def test_stored_voucher_codes_are_normalized() -> None:
    for code in ("STRAẞE", "GROẞ", "GROSS", "A\u2013B", "PLAIN"):
        Voucher.objects.create(code=code, kind=VoucherKind.FREE_SHIPPING)
    migration = importlib.import_module("shop.migrations.0016_normalize_voucher_codes")
    migration.normalize(apps, SimpleNamespace(connection=connection))
    codes = list(Voucher.objects.order_by("pk").values_list("code", flat=True))
    assert codes == ["STRASSE", "GROẞ", "GROSS", "A-B", "PLAIN"]
