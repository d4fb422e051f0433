"""Importing: what the rows of a file become, for variants, their stock and pictures."""

from typing import Any

import pytest

from shop.actions.importing import Code, Severity
from shop.models import Media, Product, Stock, Variant
from tests.shop.importing.sheets import codes, more_row, product_row, size

pytestmark = pytest.mark.django_db


def test_rows_after_the_first_are_variants_and_pictures(load: Any) -> None:
    a, b, c = (f"https://pictures.example.org/{name}.jpg" for name in "abc")
    load(
        product_row(**size("S"), image_src=b, image_position="2", variant_image=c),
        more_row(option1_value=" M ", variant_price="13", image_src=a, image_position="1"),
        more_row(image_src=b, image_position="3"),
    )
    product = Product.objects.get()
    small, medium = product.variants.order_by("position")
    assert small.options == [{"name": "Size", "value": "S"}]
    assert medium.options == [{"name": "Size", "value": "M"}]
    assert product.options == [{"name": "Size", "values": ["S", "M"]}]
    pictures = product.media.order_by("position").values_list("position", "url")
    assert list(pictures) == [(1, a), (2, b), (3, c)]
    assert (small.media.url, medium.media) == (c, None)


def test_a_first_row_without_a_variant_only_describes_the_product(load: Any) -> None:
    load(
        product_row(option1_name="", option1_value="", variant_price=""),
        more_row(option1_name="Size", option1_value="S", variant_price="13"),
    )
    assert Variant.objects.get().options == [{"name": "Size", "value": "S"}]


def test_a_second_variant_with_the_same_options_is_left_out(load: Any) -> None:
    report = load(
        product_row(**size("S")),
        more_row(option1_value="s", variant_price="99"),
        more_row(option1_value="M", variant_price="13"),
    )
    assert list(Variant.objects.order_by("pk").values_list("price", flat=True)) == [1250, 1300]
    assert codes(report) == [(Code.OPTIONS_REPEATED, 3)]
    assert report.problems[0].severity == Severity.ERROR


@pytest.mark.parametrize(
    "cells",
    [
        {"option1_name": "Size", "option2_name": "size", "option2_value": "M"},
        {"option1_name": "x" * 256, "option1_value": "M"},
    ],
)
def test_impossible_options_skip_the_product(load: Any, cells: dict[str, str]) -> None:
    report = load(product_row(**cells), product_row(handle="cup"))
    assert [row.slug for row in Product.objects.all()] == ["cup"]
    assert (report.created, report.skipped) == (1, 1)


def test_skus_lose_the_spreadsheet_apostrophe(load: Any) -> None:
    load(product_row(variant_sku="'12075"))
    assert Variant.objects.get().sku == "12075"


@pytest.mark.parametrize(
    "sku", ["A  B", " A", "A ", "\tA", "A\u00a0B", "a\nb", "É", "x" * 255, " '1", "A\u200b"]
)
def test_skus_are_stored_as_they_stand(load: Any, sku: str) -> None:
    report = load(product_row(variant_sku=sku))
    assert Variant.objects.get().sku == sku
    blanks = [(Code.SKU_BLANKS, 2)] if sku != sku.strip() else []
    assert codes(report) == blanks
    assert load(product_row(variant_sku=sku)).unchanged == 1


def test_skus_that_differ_in_blanks_or_case_only_are_several(load: Any) -> None:
    skus = ["A", "A ", " A", "a", "Á", "A  B", "A B"]
    report = load(*(product_row(handle=f"mug-{n}", variant_sku=s) for n, s in enumerate(skus)))
    assert list(Variant.objects.order_by("pk").values_list("sku", flat=True)) == skus
    assert Code.SKU_TAKEN not in dict(codes(report))


def test_missing_skus_are_null(load: Any) -> None:
    load(product_row(), product_row(handle="cup", variant_sku=" ' "))
    assert set(Variant.objects.values_list("sku", flat=True)) == {None}


def test_repeated_skus_get_a_number(load: Any) -> None:
    report = load(
        product_row(variant_sku="A"),
        product_row(handle="cup", variant_sku="A-2"),
        product_row(handle="pot", variant_sku="A"),
        product_row(handle="pan", variant_sku="a"),
        product_row(handle="jug", variant_sku="A"),
    )
    skus = Variant.objects.order_by("pk").values_list("product__slug", "sku")
    assert list(skus) == [
        *(("mug", "A"), ("cup", "A-2"), ("pot", "A-3")),
        *(("pan", "a"), ("jug", "A-4")),
    ]
    assert codes(report) == [(Code.SKU_TAKEN, 4), (Code.SKU_TAKEN, 6)]
    assert 'this one is "A-3"' in report.problems[0].message


def test_a_sku_of_another_product_in_the_shop_is_taken(load: Any, world: Any) -> None:
    load(product_row(handle="cup", variant_sku="MUG-1-S"))
    assert Variant.objects.get(product__slug="cup").sku == "MUG-1-S-2"


def test_long_codes_are_left_out(load: Any) -> None:
    report = load(product_row(variant_sku="x" * 256, variant_barcode="1" * 65))
    assert Variant.objects.values_list("sku", "barcode").get() == (None, "")
    assert codes(report) == [(Code.VALUE_TOO_LONG, 2)] * 2


@pytest.mark.parametrize("price", ["0", "0.00", ""])
def test_a_zero_price_means_not_priced(load: Any, price: str) -> None:
    report = load(product_row(variant_price=price, variant_compare_at_price="9"))
    assert Variant.objects.values_list("price", "compare_at").get() == (None, None)
    assert Product.objects.values_list("status", "published_at").get() == ("draft", None)
    assert codes(report) == [(Code.NOT_PRICED, 2), (Code.NOT_PUBLISHED, 2)]


def test_one_price_is_enough_to_be_published(load: Any) -> None:
    report = load(product_row(**size("S")), more_row(option1_value="M", variant_price="0"))
    assert Product.objects.get().status == "published"
    assert codes(report) == [(Code.NOT_PRICED, 3)]


@pytest.mark.parametrize("price", ["abc", "-5", "12.505", "1,299", "1,29.00", "$10", "1" * 30])
def test_a_senseless_price_skips_the_product(load: Any, price: str) -> None:
    report = load(product_row(variant_price=price), product_row(handle="cup"))
    assert [row.slug for row in Product.objects.all()] == ["cup"]
    assert codes(report) == [(Code.PRICE_INVALID, 2)]


def test_prices_have_the_decimals_of_the_currency(load: Any, settings: Any) -> None:
    settings.SHOP_CURRENCY = "JPY"
    report = load(product_row(variant_price="1250"), product_row(handle="cup"))
    assert Variant.objects.values_list("price", "currency").get() == (1250, "JPY")
    assert codes(report) == [(Code.PRICE_INVALID, 3)]


@pytest.mark.parametrize(
    ("compare_at", "stored", "expected"),
    [
        ("15", 1500, []),
        ("0", None, []),
        ("12.50", None, [(Code.COMPARE_AT_DROPPED, 2)]),
        ("9", None, [(Code.COMPARE_AT_DROPPED, 2)]),
        ("abc", None, [(Code.COMPARE_AT_INVALID, 2)]),
        ("-9", None, [(Code.COMPARE_AT_INVALID, 2)]),
    ],
)
def test_compare_at(load: Any, compare_at: str, stored: int | None, expected: Any) -> None:
    report = load(product_row(variant_compare_at_price=compare_at))
    assert Variant.objects.get().compare_at == stored
    assert codes(report) == expected


@pytest.mark.parametrize(
    ("cell", "stored"),
    [("true", True), ("FALSE", False), ("no", False), ("", True), ("maybe", True)],
)
def test_whether_it_is_shipped(load: Any, cell: str, stored: bool) -> None:
    load(product_row(variant_requires_shipping=cell))
    assert Variant.objects.get().requires_shipping == stored


def test_whether_it_is_shipped_is_changed_by_a_later_file(load: Any) -> None:
    load(product_row())
    load(product_row(variant_requires_shipping="false"))
    variant = Variant.objects.get()
    assert not variant.requires_shipping
    # Changes by staff stay, unless the file differs from the former file.
    Variant.objects.update(requires_shipping=True)
    load(product_row(variant_requires_shipping="false"))
    assert Variant.objects.get().requires_shipping


@pytest.mark.parametrize(
    ("grams", "stored", "expected"),
    [
        ("453.6", 454, []),
        ("-1", 0, [(Code.WEIGHT_INVALID, 2)]),
        ("1 kg", 0, [(Code.WEIGHT_INVALID, 2)]),
        ("1e30", 0, [(Code.WEIGHT_INVALID, 2)]),
    ],
)
def test_weights(load: Any, grams: str, stored: int, expected: Any) -> None:
    report = load(product_row(variant_grams=grams))
    assert Variant.objects.get().weight_grams == stored
    assert codes(report) == expected


@pytest.mark.parametrize(
    ("quantity", "stored", "expected"),
    [
        ("7", 7, []),
        ("7.0", 7, []),
        ("", 0, []),
        ("-103", 0, [(Code.QUANTITY_NEGATIVE, 2)]),
        ("many", 0, [(Code.QUANTITY_INVALID, 2)]),
        ("2.5", 0, [(Code.QUANTITY_INVALID, 2)]),
        ("99999999999", 0, [(Code.QUANTITY_INVALID, 2)]),
    ],
)
def test_quantities(load: Any, quantity: str, stored: int, expected: Any) -> None:
    report = load(product_row(variant_inventory_qty=quantity))
    assert Stock.objects.get().on_hand == stored
    assert codes(report) == expected


@pytest.mark.parametrize(
    ("tracker", "policy", "backorder"),
    [
        *(("shopify", "deny", False), ("shopify", "continue", True)),
        *(("", "deny", True), ("shopify", "", False)),
    ],
)
def test_what_is_not_counted_is_on_backorder(
    load: Any, tracker: str, policy: str, backorder: bool
) -> None:
    load(product_row(variant_inventory_tracker=tracker, variant_inventory_policy=policy))
    assert Stock.objects.get().backorder is backorder


def test_pictures_are_addresses_only(load: Any) -> None:
    good = ["https://pictures.example.org/a b.jpg".replace(" ", "%20"), "/static/sample/mug.webp"]
    bad = [
        "javascript:alert(1)",
        "//pictures.example.org/a.jpg",
        "mug.jpg",
        "http://localhost/a.jpg",
    ]
    report = load(
        product_row(image_src=good[0], variant_image="data:image/png;base64,AA=="),
        *(more_row(image_src=url) for url in [good[1], *bad]),
    )
    assert list(Media.objects.order_by("position").values_list("url", flat=True)) == good
    assert codes(report) == [(Code.IMAGE_INVALID, row) for row in (2, 4, 5, 6, 7)]
    assert Variant.objects.get().media is None


def test_imports_leave_stored_pictures_alone_that_the_rule_refuses(load: Any) -> None:
    rows = (product_row(image_src="/media/old.webp", variant_image="/media/old.webp"),)
    load(*rows)
    assert not Media.objects.exists()
    # Stored before the rule was as strict.
    product = Product.objects.get()
    row = Media.objects.create(product=product, position=1, url="/media/old.webp")
    Variant.objects.update(media=row)
    for _ in range(2):
        load(*rows)
        # With other pictures in the file the rows are compared one by one.
        load(*rows, more_row(image_src="https://pictures.example.org/b.webp"))
    assert Media.objects.order_by("position").first() == row
    assert Variant.objects.get().media == row


def test_long_texts_of_pictures_and_searches_are_cut(load: Any) -> None:
    report = load(
        product_row(
            image_src="https://pictures.example.org/a.webp",
            image_alt_text="x" * 500,
            seo_title="y" * 500,
        )
    )
    assert len(Media.objects.get().alt) == len(Product.objects.get().seo_title) == 400
    assert codes(report) == [(Code.TEXT_CUT, 2)] * 2


def test_a_tax_code_that_is_too_long_is_left_out(load: Any) -> None:
    report = load(product_row(variant_tax_code="x" * 33))
    assert Product.objects.get().tax_category == ""
    assert codes(report) == [(Code.VALUE_TOO_LONG, 2)]
