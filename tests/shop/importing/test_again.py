"""Importing again: only what has changed in the file reaches the shop."""

import csv
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.actions import importing
from shop.actions.catalog import categories, media, products, taxonomy, variants
from shop.actions.importing import Code, Report
from shop.models import (
    AttributeValue,
    Brand,
    Category,
    Collection,
    ImportRecord,
    Media,
    Product,
    Stock,
    Variant,
)

pytestmark = pytest.mark.django_db

A, B, C = (f"https://pictures.example.org/{name}.jpg" for name in "abc")
SMALL = {
    "Handle": "mug",
    "Title": "Mug",
    "Body (HTML)": "<p>Holds tea.</p>",
    "Vendor": "Ladlemoor",
    "Product Category": "Kitchen > Mugs",
    "Tags": "tea, big",
    "Published": "true",
    "Option1 Name": "Size",
    "Option1 Value": "S",
    "Variant SKU": "MUG-S",
    "Variant Grams": "300",
    "Variant Inventory Tracker": "shopify",
    "Variant Inventory Qty": "10",
    "Variant Inventory Policy": "deny",
    "Variant Price": "12.50",
    "Variant Compare At Price": "",
    "Variant Barcode": "",
    "Image Src": A,
    "Image Alt Text": "A mug",
    "SEO Title": "",
    "Variant Image": "",
    "Status": "active",
    "Collection": "Gifts",
    "Colour (product.metafields.custom.colour)": "Red",
}
MEDIUM = dict.fromkeys(SMALL, "") | {
    "Handle": "mug",
    "Option1 Value": "M",
    "Variant SKU": "MUG-M",
    "Variant Inventory Tracker": "shopify",
    "Variant Inventory Qty": "5",
    "Variant Price": "13.50",
    "Image Src": B,
}
COLOUR = "Colour (product.metafields.custom.colour)"


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """`load(row, ...)`: imports these rows as one file; missing columns are not in it."""

    def run(*rows: dict[str, str], **options: Any) -> Report:
        path = tmp_path / "catalog.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), restval="")
            writer.writeheader()
            writer.writerows(rows)
        return importing.run([path], **options)

    return run


@pytest.fixture
def mug(load: Any) -> Product:
    load(SMALL, MEDIUM)
    return Product.objects.get(slug="mug")


def small() -> Variant:
    return Variant.objects.select_related("stock").get(options__0__value="S")


def results(report: Report) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.skipped


def writes(queries: CaptureQueriesContext) -> list[str]:
    """Statements that could change anything or hold a lock."""
    reading = ("SELECT", "SAVEPOINT", "RELEASE SAVEPOINT")
    return [query["sql"] for query in queries if not query["sql"].startswith(reading)]


def test_an_unchanged_file_writes_nothing_and_says_so(load: Any, mug: Product) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        report = load(SMALL, MEDIUM)
    assert results(report) == (0, 0, 1, 0)
    assert len(queries) == 1
    assert writes(queries) == []


def test_an_unchanged_file_tells_its_problems_again(load: Any) -> None:
    rows = [SMALL | {"Variant Compare At Price": "1"}, MEDIUM | {"Variant SKU": "MUG-S"}]
    first, again = load(*rows), load(*rows)
    assert [problem.code for problem in first.problems] == [Code.COMPARE_AT_DROPPED, Code.SKU_TAKEN]
    assert again.problems == first.problems
    assert results(again) == (0, 0, 1, 0)


def test_rows_that_moved_in_the_file_are_unchanged(load: Any, mug: Product) -> None:
    cup = SMALL | {"Handle": "cup", "Variant Price": "0", "Variant SKU": ""}
    report = load(cup, SMALL, MEDIUM)
    assert results(report) == (1, 0, 1, 0)
    assert results(load(SMALL, MEDIUM, cup)) == (0, 0, 2, 0)


def test_another_layout_of_the_same_catalog_is_unchanged(load: Any, mug: Product) -> None:
    names = {
        "Handle": "URL handle",
        "Body (HTML)": "Description",
        "Published": "Published on online store",
        "Variant SKU": "SKU",
        "Variant Price": "Price",
        "Variant Inventory Qty": "Inventory quantity",
        "Image Src": "Product image URL",
    }
    before = Product.objects.values().get()
    columns = [name for name in reversed(SMALL) if name not in ("Status", "SEO Title", COLOUR)]
    rows = [{names.get(name, name): row[name] for name in columns} for row in (SMALL, MEDIUM)]
    assert results(load(*rows)) == (0, 0, 1, 0)
    assert Product.objects.values().get() == before


def test_a_changed_price_updates(load: Any, mug: Product) -> None:
    report = load(SMALL | {"Variant Price": "9.99"}, MEDIUM)
    assert results(report) == (0, 1, 0, 0)
    assert small().price == 999
    mug.refresh_from_db()
    assert (mug.min_price, mug.max_price) == (999, 1350)
    assert results(load(SMALL | {"Variant Price": "9.99"}, MEDIUM)) == (0, 0, 1, 0)


def test_every_changed_cell_reaches_the_shop(load: Any, mug: Product) -> None:
    load(
        SMALL
        | {
            "Title": "Tea Mug 9",
            "Body (HTML)": "New",
            "Vendor": "Croft",
            "Product Category": "Garden",
            "Tags": "big, green",
            "Variant SKU": "MUG-1",
            "Variant Grams": "301",
            "Variant Inventory Policy": "continue",
            "Variant Compare At Price": "20",
            "Variant Barcode": "123",
            "Image Alt Text": "The mug",
            "SEO Title": "Mugs",
            "Variant Image": C,
            "Status": "archived",
            "Collection": "Summer",
            COLOUR: "Blue",
        },
        MEDIUM,
    )
    mug.refresh_from_db()
    assert (mug.name, mug.name_key, mug.slug) == ("Tea Mug 9", "tea mug 0000000009", "mug")
    assert (mug.description, mug.brand.name, mug.category.name) == ("New", "Croft", "Garden")
    assert (mug.status, mug.seo_title) == ("archived", "Mugs")
    assert mug.search_text == "tea mug 9 croft mug-1 mug-m"
    values = set(mug.attribute_values.values_list("name", flat=True))
    assert values == {"big", "green", "Blue"}
    assert [row.name for row in mug.collections.all()] == ["Summer"]
    variant = small()
    assert (variant.sku, variant.weight_grams, variant.barcode) == ("MUG-1", 301, "123")
    assert (variant.price, variant.compare_at) == (1250, 2000)
    assert (variant.stock.backorder, variant.media.url) == (True, C)
    pictures = mug.media.order_by("position").values_list("position", "url", "alt")
    assert list(pictures) == [(1, A, "The mug"), (2, B, ""), (3, C, "")]


def test_only_the_changed_cell_is_applied_over_staff_edits(load: Any, mug: Product) -> None:
    tea = taxonomy.create_attribute(name="Use", values=["Tea"])
    products.update(
        mug,
        name="Staff's mug",
        description="<p>Ours.</p>",
        status="archived",
        brand=None,
        attribute_values=[*mug.attribute_values.all(), tea.values.get()],
    )
    variants.update(small(), price=500, barcode="staff", sku="STAFF")
    picture = media.add_url(mug, "/staff.webp", alt="Staff's")
    media.update(picture, position=1)
    load(SMALL | {"Variant Grams": "400", COLOUR: "Red; Blue"}, MEDIUM)
    mug.refresh_from_db()
    assert (mug.name, mug.description, mug.status) == ("Staff's mug", "<p>Ours.</p>", "archived")
    assert mug.brand is None
    variant = small()
    assert (variant.price, variant.barcode, variant.sku) == (500, "staff", "STAFF")
    assert variant.weight_grams == 400
    values = set(mug.attribute_values.values_list("name", flat=True))
    assert values == {"tea", "big", "Red", "Blue", "Tea"}
    urls = mug.media.order_by("position").values_list("url", flat=True)
    assert list(urls) == ["/staff.webp", A, B]


def test_overwrite_lets_the_file_win(load: Any, mug: Product) -> None:
    products.update(mug, name="Staff's mug", status="archived", brand=None, attribute_values=[])
    variants.update(small(), price=500, sku="STAFF")
    Stock.objects.update(on_hand=1)
    upload = Media.objects.create(product=mug, position=9, file="staff.webp")
    Media.objects.filter(url=A).delete()
    assert results(load(SMALL, MEDIUM)) == (0, 0, 1, 0)
    assert results(load(SMALL, MEDIUM, overwrite=True)) == (0, 1, 0, 0)
    mug.refresh_from_db()
    assert (mug.name, mug.status, mug.brand.name) == ("Mug", "published", "Ladlemoor")
    assert (mug.min_price, mug.attribute_values.count()) == (1250, 3)
    assert (small().sku, small().stock.on_hand) == ("MUG-S", 10)
    order = mug.media.order_by("position").values_list("position", "url", "file")
    assert list(order) == [(1, A, ""), (2, B, ""), (3, "", upload.file.name)]


def test_overwrite_writes_nothing_when_the_shop_is_as_the_file_says(
    load: Any, mug: Product
) -> None:
    before = Product.objects.values().get()
    rows = [SMALL, MEDIUM | {"Variant SKU": "MUG-S"}]
    load(*rows)
    with CaptureQueriesContext(connection) as queries:
        report = load(*rows, overwrite=True)
    assert results(report) == (0, 0, 1, 0)
    assert [problem.code for problem in report.problems] == [Code.SKU_TAKEN]
    assert writes(queries) == []
    assert Product.objects.values().get()["created_at"] == before["created_at"]


def test_a_product_that_staff_made_takes_what_the_file_says(load: Any) -> None:
    mine = products.create(
        name="Mine",
        slug="mug",
        seo_title="Staff's",
        variants=[
            {"sku": "MUG-S", "options": [{"name": "size", "value": "s"}], "price": 100},
            {"sku": "STAFF", "options": [{"name": "Size", "value": "L"}], "price": 900},
        ],
    )
    assert results(load(SMALL, MEDIUM)) == (0, 1, 0, 0)
    mine.refresh_from_db()
    assert (mine.name, mine.status, mine.min_price) == ("Mug", "published", 900)
    # An empty cell says nothing about what staff wrote.
    assert mine.seo_title == "Staff's"
    assert set(mine.variants.values_list("sku", "price", "stock__on_hand")) == {
        *(("MUG-S", 1250, 10), ("MUG-M", 1350, 5)),
        ("STAFF", 900, None),
    }
    assert results(load(SMALL, MEDIUM)) == (0, 0, 1, 0)


def test_a_deleted_product_comes_back(load: Any, mug: Product) -> None:
    products.delete(mug)
    assert results(load(SMALL, MEDIUM)) == (1, 0, 0, 0)


@pytest.mark.parametrize(("quantity", "left"), [("10", 7), ("14", 11), ("4", 1), ("0", 0)])
def test_a_changed_quantity_is_applied_as_a_difference(
    load: Any, mug: Product, quantity: str, left: int
) -> None:
    Stock.objects.filter(variant=small()).update(on_hand=7)
    report = load(SMALL | {"Variant Inventory Qty": quantity}, MEDIUM)
    assert small().stock.on_hand == left
    expected = [Code.QUANTITY_RESERVED] if quantity == "0" else []
    assert [problem.code for problem in report.problems] == expected


def test_reserved_units_are_not_taken_away(load: Any, mug: Product) -> None:
    Stock.objects.filter(variant=small()).update(reserved=6)
    report = load(SMALL | {"Variant Inventory Qty": "2"}, MEDIUM)
    assert small().stock.on_hand == 6
    assert [(problem.code, problem.row) for problem in report.problems] == [
        (Code.QUANTITY_RESERVED, 2)
    ]
    # It was a matter of the moment, so it is not told again.
    assert load(SMALL | {"Variant Inventory Qty": "2"}, MEDIUM).problems == []


def test_backordered_stock_may_fall_below_what_is_reserved(load: Any, mug: Product) -> None:
    Stock.objects.filter(variant=small()).update(reserved=6)
    changed = {"Variant Inventory Qty": "2", "Variant Inventory Policy": "continue"}
    assert load(SMALL | changed, MEDIUM).problems == []
    assert small().stock.on_hand == 2
    # Nor does it stop being sold so while it is short.
    report = load(SMALL | {"Variant Inventory Qty": "2"}, MEDIUM)
    assert [problem.code for problem in report.problems] == [Code.QUANTITY_RESERVED]
    assert small().stock.backorder is True


def test_a_zero_price_never_replaces_a_price(load: Any, mug: Product) -> None:
    unpriced = [SMALL | {"Variant Price": "0"}, MEDIUM | {"Variant Price": ""}]
    report = load(*unpriced)
    assert (small().price, Product.objects.get().status) == (1250, "published")
    assert [problem.code for problem in report.problems] == [Code.NOT_PRICED] * 2


def test_a_product_goes_on_sale_when_it_gets_a_price(load: Any) -> None:
    load(SMALL | {"Variant Price": "0"})
    assert Product.objects.get().status == "draft"
    report = load(SMALL)
    product = Product.objects.get()
    assert (product.status, product.min_price, report.problems) == ("published", 1250, [])
    assert product.published_at is not None


def test_a_compare_at_price_that_makes_no_sense_any_more_falls_away(
    load: Any, mug: Product
) -> None:
    variants.update(small(), compare_at=2000)
    report = load(SMALL | {"Variant Price": "30"}, MEDIUM)
    assert (small().price, small().compare_at) == (3000, None)
    assert [problem.code for problem in report.problems] == [Code.COMPARE_AT_DROPPED]


def test_a_variant_that_left_the_file_stays_and_is_reported(load: Any, mug: Product) -> None:
    report = load(SMALL)
    assert mug.variants.count() == 2
    assert [problem.code for problem in report.problems] == [Code.VARIANT_GONE]
    assert results(load(SMALL)) == (0, 0, 1, 0)
    assert load(SMALL).problems == report.problems
    assert load(SMALL, MEDIUM).problems == []


def test_overwrite_removes_variants_that_left_the_file(load: Any, mug: Product) -> None:
    variants.create(mug, sku="STAFF", options=[{"name": "Size", "value": "L"}], price=1)
    load(SMALL, overwrite=True)
    assert set(mug.variants.values_list("sku", flat=True)) == {"MUG-S", "STAFF"}
    assert results(load(SMALL)) == (0, 0, 1, 0)


def test_a_sku_is_free_once_overwrite_removes_its_variant(load: Any, mug: Product) -> None:
    load(SMALL, SMALL | {"Handle": "cup", "Variant SKU": "MUG-M"}, overwrite=True)
    assert Variant.objects.get(product__slug="cup").sku == "MUG-M"


def test_overwrite_keeps_variants_that_are_reserved(load: Any, mug: Product) -> None:
    Stock.objects.update(reserved=1)
    report = load(SMALL, overwrite=True)
    assert mug.variants.count() == 2
    assert [problem.code for problem in report.problems] == [Code.VARIANT_GONE]


def test_a_variant_that_staff_removed_stays_removed(load: Any, mug: Product) -> None:
    variants.delete(Variant.objects.get(sku="MUG-M"))
    report = load(SMALL, MEDIUM | {"Variant Price": "99"})
    assert mug.variants.count() == 1
    assert [problem.code for problem in report.problems] == [Code.VARIANT_REMOVED]
    load(SMALL, MEDIUM | {"Variant Price": "99"}, overwrite=True)
    assert Variant.objects.get(sku="MUG-M").price == 9900


def test_a_variant_is_known_by_its_sku_when_its_options_change(load: Any, mug: Product) -> None:
    before = small().pk
    Stock.objects.filter(variant=before).update(on_hand=3)
    load(SMALL | {"Option1 Name": "Volume", "Option1 Value": "0.2 l"}, MEDIUM)
    variant = Variant.objects.get(pk=before)
    assert variant.options == [{"name": "Volume", "value": "0.2 l"}]
    assert (variant.name, variant.stock.on_hand, mug.variants.count()) == ("0.2 l", 3, 2)


def test_a_new_variant_joins_the_product(load: Any, mug: Product) -> None:
    large = MEDIUM | {"Option1 Value": "L", "Variant SKU": "MUG-L", "Variant Image": A}
    assert results(load(SMALL, large, MEDIUM)) == (0, 1, 0, 0)
    order = mug.variants.order_by("position").values_list("sku", "stock__on_hand", "media__url")
    assert list(order) == [("MUG-S", 10, None), ("MUG-L", 5, A), ("MUG-M", 5, None)]
    mug.refresh_from_db()
    assert mug.options == [{"name": "Size", "values": ["S", "L", "M"]}]


def test_variants_can_swap_their_skus(load: Any, mug: Product) -> None:
    load(SMALL | {"Variant SKU": "MUG-M"}, MEDIUM | {"Variant SKU": "MUG-S"})
    order = mug.variants.order_by("position").values_list("sku", flat=True)
    assert list(order) == ["MUG-M", "MUG-S"]


def test_a_numbered_sku_stays_when_something_else_changes(load: Any, mug: Product) -> None:
    cup = SMALL | {"Handle": "cup"}
    load(SMALL, MEDIUM, cup)
    report = load(SMALL, MEDIUM, cup | {"Variant Price": "1"})
    assert Variant.objects.get(product__slug="cup").sku == "MUG-S-2"
    assert [problem.code for problem in report.problems] == [Code.SKU_TAKEN]


def test_pictures_follow_the_file_around_those_of_staff(load: Any, mug: Product) -> None:
    media.add_url(mug, "/staff.webp")
    media.update(Media.objects.get(url=A), alt="Staff's words")
    load(SMALL | {"Image Src": B}, MEDIUM | {"Image Src": C}, MEDIUM | _picture(A))
    order = mug.media.order_by("position").values_list("position", "url", "alt")
    assert list(order) == [
        *((1, B, "A mug"), (2, C, ""), (3, A, "")),
        (4, "/staff.webp", ""),
    ]
    load(SMALL | {"Image Src": C}, MEDIUM | {"Image Src": ""})
    order = mug.media.order_by("position").values_list("position", "url")
    assert list(order) == [(1, C), (2, "/staff.webp")]


def test_a_picture_that_staff_removed_stays_removed(load: Any, mug: Product) -> None:
    media.delete(Media.objects.get(url=A))
    load(SMALL, MEDIUM, MEDIUM | _picture(C))
    order = mug.media.order_by("position").values_list("url", flat=True)
    assert list(order) == [B, C]


def test_columns_that_a_file_lacks_are_left_alone(load: Any, mug: Product) -> None:
    load({"Handle": "mug", "Title": "Tea Mug"})
    mug.refresh_from_db()
    assert (mug.name, mug.brand.name, mug.status) == ("Tea Mug", "Ladlemoor", "published")
    assert (mug.variants.count(), mug.media.count(), mug.attribute_values.count()) == (2, 2, 3)


def test_a_file_without_options_changes_the_only_variant(load: Any) -> None:
    load(SMALL)
    load({"Handle": "mug", "Title": "Mug", "Variant Price": "3"})
    variant = Variant.objects.get()
    assert (variant.price, variant.name) == (300, "S")


def test_a_file_without_options_does_not_guess_a_variant(load: Any, mug: Product) -> None:
    report = load({"Handle": "mug", "Title": "Mug", "Variant Price": "3"})
    assert set(mug.variants.values_list("price", flat=True)) == {1250, 1350}
    assert Code.VARIANT_UNKNOWN in [problem.code for problem in report.problems]


def test_a_product_in_another_currency_is_skipped(load: Any, mug: Product, settings: Any) -> None:
    settings.SHOP_CURRENCY = "EUR"
    report = load(SMALL, MEDIUM)
    assert (report.skipped, small().price) == (1, 1250)
    assert "USD" in report.problems[0].message


def test_options_that_staff_gave_to_another_variant_skip_the_product(
    load: Any, mug: Product
) -> None:
    variants.create(mug, options=[{"name": "Size", "value": "L"}], price=1)
    report = load(SMALL | {"Option1 Value": "L"}, MEDIUM)
    assert (report.skipped, small().options) == (1, [{"name": "Size", "value": "S"}])


def test_what_staff_renamed_is_not_made_again(load: Any, mug: Product) -> None:
    categories.update(mug.category, name="Cups")
    taxonomy.update_brand(mug.brand, name="Ladlemoor & Daughters")
    taxonomy.update_collection(mug.collections.get(), name="Presents")
    AttributeValue.objects.filter(name="Red").update(name="Crimson", name_key="crimson")
    assert results(load(SMALL | {"Title": "Tea Mug", COLOUR: "Red; Blue"}, MEDIUM))[1] == 1
    assert (Category.objects.count(), Brand.objects.count(), Collection.objects.count()) == (
        *(2, 1),
        1,
    )
    assert not AttributeValue.objects.filter(name="Red").exists()


def test_the_memory_names_every_handle_once(load: Any, mug: Product) -> None:
    load(SMALL | {"Title": "Tea Mug"}, MEDIUM)
    assert ImportRecord.objects.get().snapshot["fields"]["name"] == "Tea Mug"


def _picture(url: str) -> dict[str, str]:
    return dict.fromkeys(SMALL, "") | {"Handle": "mug", "Image Src": url}
