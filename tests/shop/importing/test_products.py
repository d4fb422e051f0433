"""Importing: what the rows of a file become, rule by rule."""

import csv
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.actions import importing
from shop.actions.catalog import taxonomy
from shop.actions.importing import Code, Report, Severity, runner
from shop.models import Brand, Category, ImportRecord, Media, Product, Stock, Variant

pytestmark = pytest.mark.django_db

COLUMNS = {
    "Handle": "mug",
    "Title": "Mug",
    "Body (HTML)": "",
    "Vendor": "",
    "Product Category": "",
    "Type": "",
    "Tags": "",
    "Published": "true",
    "Option1 Name": "Title",
    "Option1 Value": "Default Title",
    "Option2 Name": "",
    "Option2 Value": "",
    "Variant SKU": "",
    "Variant Grams": "",
    "Variant Inventory Tracker": "shopify",
    "Variant Inventory Qty": "",
    "Variant Inventory Policy": "deny",
    "Variant Price": "12.50",
    "Variant Compare At Price": "",
    "Variant Barcode": "",
    "Image Src": "",
    "Image Position": "",
    "Image Alt Text": "",
    "Gift Card": "false",
    "SEO Title": "",
    "SEO Description": "",
    "Variant Image": "",
    "Status": "active",
    "Collection": "",
    "Colour (product.metafields.custom.colour)": "",
}


def product_row(**cells: str) -> dict[str, str]:
    return COLUMNS | {_header(name): value for name, value in cells.items()}


def more_row(**cells: str) -> dict[str, str]:
    """A row after a product's first: everything is empty but the handle and `cells`."""
    empty = dict.fromkeys(COLUMNS, "")
    return empty | {"Handle": "mug"} | {_header(name): value for name, value in cells.items()}


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """`load(row, ...)`: imports these rows as one file."""

    def run(*rows: dict[str, str], **options: Any) -> Report:
        path = tmp_path / "catalog.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(COLUMNS))
            writer.writeheader()
            writer.writerows(rows)
        return importing.run([path], **options)

    return run


def codes(report: Report) -> list[tuple[Code, int]]:
    """Kind and row of every problem."""
    return [(problem.code, problem.row) for problem in report.problems]


def test_a_product_arrives_whole(load: Any) -> None:
    report = load(
        product_row(
            body_html="<p>Holds tea.</p>",
            vendor="Ladlemoor",
            product_category="Kitchen > Mugs",
            tags="tea, big, Tea",
            variant_sku="MUG-1",
            variant_grams="300",
            variant_inventory_qty="7",
            variant_compare_at_price="15",
            variant_barcode="4006381333931",
            image_src="https://pictures.example.org/mug.jpg",
            image_alt_text="A mug",
            seo_title="Mugs",
            seo_description="A mug for tea.",
            collection="Gifts",
            colour="Red; Blue",
        )
    )
    assert (report.created, report.problems) == (1, [])
    product = Product.objects.get(slug="mug")
    assert (product.name, product.name_key, product.description) == (
        *("Mug", "mug"),
        "<p>Holds tea.</p>",
    )
    assert (product.brand.name, product.category.name, product.category.parent.name) == (
        *("Ladlemoor", "Mugs"),
        "Kitchen",
    )
    assert (product.status, product.min_price, product.max_price) == ("published", 1250, 1250)
    assert product.published_at is not None
    assert product.search_text == "mug ladlemoor mug-1"
    assert (product.seo_title, product.seo_description) == ("Mugs", "A mug for tea.")
    values = product.attribute_values.values_list("attribute__slug", "name")
    assert set(values) == {
        ("tag", "tea"),
        ("tag", "big"),
        ("colour", "Red"),
        ("colour", "Blue"),
    }
    assert [row.name for row in product.collections.all()] == ["Gifts"]
    variant = product.variants.get()
    assert (variant.sku, variant.price, variant.compare_at) == ("MUG-1", 1250, 1500)
    assert (variant.weight_grams, variant.barcode) == (300, "4006381333931")
    assert (variant.options, variant.name, variant.currency) == ([], "", "USD")
    assert (variant.stock.on_hand, variant.stock.backorder) == (7, False)
    picture = product.media.get()
    assert (picture.position, picture.alt) == (1, "A mug")
    assert picture.url == "https://pictures.example.org/mug.jpg"


def test_names_are_single_lines(load: Any) -> None:
    load(product_row(title=" Big\u2029 tea\u00a0mug\x07\n(blue) ", vendor="Ladle\u2028moor"))
    product = Product.objects.get()
    assert product.name == "Big tea mug (blue)"
    assert product.brand.name == "Ladle moor"


def test_nul_characters_are_dropped(load: Any) -> None:
    load(product_row(title="Mu\x00g", body_html="a\x00b"))
    assert Product.objects.values_list("name", "description").get() == ("Mug", "ab")


def test_bodies_are_cleaned_of_scripts(load: Any) -> None:
    report = load(product_row(body_html="<p onclick='x()'>Tea</p><script>alert(1)</script>"))
    assert Product.objects.get().description == "<p>Tea</p>"
    assert codes(report) == [(Code.BODY_CLEANED, 2)]


def test_long_bodies_are_cut(load: Any) -> None:
    report = load(product_row(body_html="<p>" + "tea " * 40_000))
    assert len(Product.objects.get().description) < 100_010
    assert codes(report) == [(Code.TEXT_CUT, 2)]


def test_brands_and_categories_are_matched_whatever_their_case(load: Any) -> None:
    brand = taxonomy.create_brand(name="Café Tools")
    load(
        product_row(vendor="CAFE  tools", product_category="Kitchen>Mugs"),
        product_row(handle="cup", vendor="café tools", product_category="kitchen > MUGS"),
    )
    assert set(Product.objects.values_list("brand", flat=True)) == {brand.pk}
    assert Category.objects.count() == 2


def test_look_alike_letters_are_other_brands(load: Any) -> None:
    load(product_row(vendor="HP"), product_row(handle="cup", vendor="НР"))
    assert Brand.objects.count() == 2


def test_equal_category_names_below_different_parents_are_different(load: Any) -> None:
    load(
        product_row(product_category="Kitchen > Other"),
        product_row(handle="cup", product_category="Garden > Other"),
    )
    assert Category.objects.filter(name="Other").count() == 2


def test_the_type_is_the_category_when_there_is_no_other(load: Any) -> None:
    load(product_row(type="Mugs"), product_row(handle="cup"))
    assert Product.objects.get(slug="mug").category.name == "Mugs"
    assert Product.objects.get(slug="cup").category is None


def test_deep_categories_are_cut(load: Any) -> None:
    path = " > ".join(f"Level {number}" for number in range(25))
    report = load(product_row(product_category=path))
    assert Product.objects.get().category.depth == 19
    assert codes(report) == [(Code.CATEGORY_TOO_DEEP, 2)]


def test_names_with_the_same_slug_stay_different_values(load: Any) -> None:
    load(product_row(colour="Black/Grey"), product_row(handle="cup", colour="Black,Grey"))
    names = Product.objects.values_list("attribute_values__name", flat=True)
    assert set(names) == {"Black/Grey", "Black,Grey"}


def test_long_attribute_values_are_left_out(load: Any) -> None:
    report = load(product_row(colour=f"Red; {'x' * 256}"))
    assert [row.name for row in Product.objects.get().attribute_values.all()] == ["Red"]
    assert codes(report) == [(Code.VALUE_TOO_LONG, 2)]


@pytest.mark.parametrize(
    ("published", "status", "expected"),
    [
        ("true", "active", "published"),
        ("TRUE", "", "published"),
        ("", "", "published"),
        ("false", "active", "draft"),
        ("false", "", "draft"),
        ("true", "draft", "draft"),
        ("true", "Archived", "archived"),
        ("true", "unlisted", "draft"),
    ],
)
def test_status(load: Any, published: str, status: str, expected: str) -> None:
    report = load(product_row(published=published, status=status))
    assert Product.objects.get().status == expected
    assert report.problems == []


def test_an_unknown_status_makes_a_draft(load: Any) -> None:
    report = load(product_row(status="sleeping"))
    assert Product.objects.get().status == "draft"
    assert codes(report) == [(Code.STATUS_UNKNOWN, 2)]


def test_gift_cards_become_drafts(load: Any) -> None:
    report = load(product_row(gift_card="TRUE"))
    assert Product.objects.get().status == "draft"
    assert codes(report) == [(Code.GIFT_CARD, 2)]


def test_rows_after_the_first_are_variants_and_pictures(load: Any) -> None:
    a, b, c = (f"https://pictures.example.org/{name}.jpg" for name in "abc")
    load(
        product_row(**_size("S"), image_src=b, image_position="2", variant_image=c),
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
        product_row(**_size("S")),
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
    load(product_row(variant_sku=" '12075 "))
    assert Variant.objects.get().sku == "12075"


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
    report = load(product_row(variant_sku="x" * 121, variant_barcode="1" * 65))
    assert Variant.objects.values_list("sku", "barcode").get() == (None, "")
    assert codes(report) == [(Code.VALUE_TOO_LONG, 2)] * 2


@pytest.mark.parametrize("price", ["0", "0.00", ""])
def test_a_zero_price_means_not_priced(load: Any, price: str) -> None:
    report = load(product_row(variant_price=price, variant_compare_at_price="9"))
    assert Variant.objects.values_list("price", "compare_at").get() == (None, None)
    assert Product.objects.values_list("status", "published_at").get() == ("draft", None)
    assert codes(report) == [(Code.NOT_PRICED, 2), (Code.NOT_PUBLISHED, 2)]


def test_one_price_is_enough_to_be_published(load: Any) -> None:
    report = load(product_row(**_size("S")), more_row(option1_value="M", variant_price="0"))
    assert Product.objects.get().status == "published"
    assert codes(report) == [(Code.NOT_PRICED, 3)]


@pytest.mark.parametrize("price", ["abc", "-5", "12.505", "1,299.00", "$10", "1" * 30])
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
    good = ["https://pictures.example.org/a b.jpg".replace(" ", "%20"), "/static/mug.webp"]
    bad = ["javascript:alert(1)", "//pictures.example.org/a.jpg", "mug.jpg"]
    report = load(
        product_row(image_src=good[0], variant_image="data:image/png;base64,AA=="),
        *(more_row(image_src=url) for url in [good[1], *bad]),
    )
    assert list(Media.objects.order_by("position").values_list("url", flat=True)) == good
    assert codes(report) == [(Code.IMAGE_INVALID, row) for row in (2, 4, 5, 6)]
    assert Variant.objects.get().media is None


def test_long_texts_of_pictures_and_searches_are_cut(load: Any) -> None:
    report = load(product_row(image_src="/a.webp", image_alt_text="x" * 500, seo_title="y" * 500))
    assert len(Media.objects.get().alt) == len(Product.objects.get().seo_title) == 400
    assert codes(report) == [(Code.TEXT_CUT, 2)] * 2


@pytest.mark.parametrize(
    ("title", "code"), [(" \u2029", Code.TITLE_MISSING), ("x" * 401, Code.NAME_TOO_LONG)]
)
def test_a_product_without_a_usable_title_is_skipped(load: Any, title: str, code: Code) -> None:
    report = load(product_row(title=title), more_row(image_src="/a.webp"))
    assert not Product.objects.exists()
    assert codes(report) == [(code, 2)]
    assert (report.skipped, report.created) == (1, 0)


def test_a_missing_handle_is_made_from_the_title(load: Any) -> None:
    report = load(product_row(handle="", title="Big Mug"), product_row(handle="", title="Cup"))
    assert {row.slug for row in Product.objects.all()} == {"big-mug", "cup"}
    assert codes(report) == [(Code.HANDLE_CHANGED, 2), (Code.HANDLE_CHANGED, 3)]


def test_a_row_with_neither_handle_nor_title_is_skipped(load: Any) -> None:
    report = load(product_row(), more_row(handle="", image_src="/a.webp"))
    assert (report.created, report.skipped) == (1, 1)
    assert codes(report) == [(Code.HANDLE_MISSING, 3)]


def test_a_handle_that_is_no_slug_becomes_one(load: Any) -> None:
    long = "very-" * 60
    report = load(
        product_row(handle="Big Mug/blue!"),
        product_row(handle=f"{long}a"),
        product_row(handle=f"{long}b"),
        product_row(handle="café"),
    )
    slugs = [row.slug for row in Product.objects.order_by("pk")]
    assert slugs[0] == "big-mugblue"
    assert slugs[3] == "café"
    assert slugs[1] != slugs[2]
    assert max(map(len, slugs)) <= 255
    assert codes(report) == [(Code.HANDLE_CHANGED, row) for row in (2, 3, 4)]


def test_a_handle_that_comes_again_is_skipped(load: Any) -> None:
    report = load(
        product_row(),
        product_row(handle="cup"),
        product_row(title="Another mug"),
        product_row(handle="m ug"),
        product_row(handle="m-ug"),
    )
    assert list(Product.objects.order_by("pk").values_list("slug", "name")) == [
        *(("mug", "Mug"), ("cup", "Mug"), ("m-ug", "Mug"))
    ]
    assert (Code.HANDLE_REPEATED, 4) in codes(report)
    assert (Code.HANDLE_REPEATED, 6) in codes(report)
    assert report.skipped == 2


def test_a_slug_that_staff_moved_to_another_imported_product_is_not_taken_over(load: Any) -> None:
    load(product_row(handle="cup"))
    Product.objects.update(slug="mug")
    report = load(product_row())
    assert set(Product.objects.values_list("slug", flat=True)) == {"mug", "mug-2"}
    assert codes(report) == [(Code.SLUG_TAKEN, 2)]
    assert set(ImportRecord.objects.values_list("handle", "product__slug")) == {
        *(("cup", "mug"), ("mug", "mug-2"))
    }


def _size(value: str) -> dict[str, str]:
    return {"option1_name": "Size", "option1_value": value}


def _header(name: str) -> str:
    """The column whose header begins like the Python name."""
    return next(
        header
        for header in COLUMNS
        if "".join(c if c.isalnum() else " " for c in header)
        .lower()
        .replace("  ", " ")
        .strip()
        .replace(" ", "_")
        .startswith(name)
    )


def test_a_large_import_tells_the_database_how_much_there_is(
    tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(runner, "MANY", 1)
    file = tmp_path / "one.csv"
    file.write_text("Handle,Title,Variant Price\nmug,Mug,10.00\n")
    with CaptureQueriesContext(connection) as captured:
        runner.run([file])
        runner.run([file])
    statements = [query["sql"] for query in captured.captured_queries]
    analysed = sum(sql.startswith('ANALYZE "shop_product"') for sql in statements)
    assert analysed == (0 if connection.vendor == "mysql" else 1)
