"""Importing again: only what has changed in the file reaches the shop."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.actions.catalog import categories, media, products, taxonomy, variants
from shop.actions.importing import Code
from shop.models import (
    AttributeValue,
    Brand,
    Category,
    Collection,
    ImportRecord,
    Media,
    Product,
    Stock,
)
from tests.shop.importing.mugs import COLOUR, MEDIUM, SMALL, A, B, C, results, small, writes

pytestmark = pytest.mark.django_db


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
            "Variant Tax Code": "Mugs",
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
    assert mug.tax_category == "mugs"
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
    picture = media.add_url(mug, "https://img.example.org/staff.webp", alt="Staff's")
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
    assert list(urls) == ["https://img.example.org/staff.webp", A, B]


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


def test_columns_that_a_file_lacks_are_left_alone(load: Any, mug: Product) -> None:
    load({"Handle": "mug", "Title": "Tea Mug"})
    mug.refresh_from_db()
    assert (mug.name, mug.brand.name, mug.status) == ("Tea Mug", "Ladlemoor", "published")
    assert (mug.variants.count(), mug.media.count(), mug.attribute_values.count()) == (2, 2, 3)


def test_a_product_in_another_currency_is_skipped(load: Any, mug: Product, settings: Any) -> None:
    settings.SHOP_CURRENCY = "EUR"
    report = load(SMALL, MEDIUM)
    assert (report.skipped, small().price) == (1, 1250)
    assert "USD" in report.problems[0].message


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
