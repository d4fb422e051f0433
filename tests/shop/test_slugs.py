"""Slugs: made from names of every script."""

import sys

import pytest

from shop.actions.catalog.naming import slug_from
from shop.models.catalog import SLUG_LENGTH


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Smørrebrød", "smorrebrod"),
        ("Łódź", "lodz"),
        ("Große Straße", "grosse-strasse"),
        ("Ürün İğne ılık", "urun-igne-ilik"),
        ("Œuvre d'Ångström", "oeuvre-dangstrom"),
        ("Đà Nẵng", "da-nang"),
        ("Борщ и щи", "borshch-i-shchi"),
        ("Αθήνα", "athina"),
        ("東京", "dongjing"),
        ("한국", "hangug"),
        ("Ｔ－Ｓｈｉｒｔ", "t-shirt"),
        ("Mug", "mug"),
        ("!?", "item"),
        ("\u200b", "item"),
    ],
)
def test_slugs_are_transliterated(name: str, slug: str) -> None:
    assert slug_from(name) == slug


def test_a_slug_of_any_character_is_a_slug() -> None:
    for point in range(0x20, min(sys.maxunicode, 0x2FFFF), 7):
        slug = slug_from(chr(point) * 3)
        assert slug.isascii()
        assert slug.replace("-", "").replace("_", "").isalnum()
        assert slug_from(slug) == slug


def test_a_long_name_makes_a_slug_with_room_for_a_number() -> None:
    assert len(slug_from("щ" * 400)) <= SLUG_LENGTH - 10
