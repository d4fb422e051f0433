"""Importing: what the rows of a file become, for products."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.actions.catalog import products, taxonomy
from shop.actions.importing import Code, runner
from shop.models import Attribute, Brand, Category, ImportRecord, Product
from tests.shop.importing.sheets import codes, more_row, product_row

pytestmark = pytest.mark.django_db


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
            variant_tax_code="PC040144",
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
    assert product.tax_category == "pc040144"
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


def test_handles_are_transliterated_and_known_handles_stay(load: Any) -> None:
    row = product_row(handle="", title="Smørrebrød")
    load(row)
    assert Product.objects.get().slug == "smorrebrod"
    # It was imported before letters were transliterated.
    ImportRecord.objects.update(handle="smrrebrd")
    report = load(row)
    assert (report.created, report.unchanged) == (0, 1)
    report = load(product_row(handle="", title="Smørrebrød", vendor="Aamanns"))
    assert (report.created, report.updated) == (0, 1)
    assert ImportRecord.objects.get().handle == "smrrebrd"


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


def test_a_handle_that_is_a_former_slug_finds_the_product(load: Any) -> None:
    mug = products.create(name="Tea Mug", slug="mug")
    products.update(mug, slug="tea-mug")
    report = load(product_row())
    assert (report.created, report.updated) == (0, 1)
    product = Product.objects.get()
    assert (product.pk, product.slug, product.name) == (mug.pk, "tea-mug", "Mug")
    assert load(product_row()).unchanged == 1


def test_a_former_slug_of_another_imported_product_is_not_taken_over(load: Any) -> None:
    load(product_row(handle="cup"))
    cup = Product.objects.get()
    products.update(cup, slug="mug")
    products.update(cup, slug="beaker")
    report = load(product_row())
    assert set(Product.objects.values_list("slug", flat=True)) == {"beaker", "mug-2"}
    assert codes(report) == [(Code.SLUG_TAKEN, 2)]
    assert set(cup.former_slugs.values_list("slug", flat=True)) == {"cup", "mug"}
    # Its own handle finds it under any slug.
    assert load(product_row(handle="cup", vendor="Ladlemoor")).updated == 1
    cup.refresh_from_db()
    assert (cup.slug, cup.brand.name) == ("beaker", "Ladlemoor")


def test_a_column_with_the_former_slug_of_an_attribute_finds_it(load: Any) -> None:
    header = "Colour (product.metafields.custom.colour)"
    load({**product_row(), header: "Red"})
    attribute = Attribute.objects.get(slug="colour")
    taxonomy.update_attribute(attribute, slug="color")
    report = load({**product_row(), header: "Blue"})
    assert (report.updated, codes(report)) == (1, [])
    values = Product.objects.get().attribute_values
    assert list(values.values_list("attribute__slug", "name")) == [("color", "Blue")]
    assert Attribute.objects.filter(slug="colour").count() == 0
    assert load({**product_row(), header: "Blue"}, overwrite=True).unchanged == 1


def test_brands_and_collections_of_a_file_skip_former_slugs(load: Any) -> None:
    brand = taxonomy.create_brand(name="First", slug="ladlemoor")
    taxonomy.update_brand(brand, slug="first")
    load(product_row(vendor="Ladlemoor"))
    assert Product.objects.get().brand.slug == "ladlemoor-2"
