"""Exporting: what the importer reads again without a difference."""

import gzip
import io
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shop.actions import importing, inventory
from shop.actions.catalog import categories, media, products, taxonomy, variants
from shop.models import AttributeValue, Category, Collection, Product, Stock
from tests.shop.exporting.round_trips import (
    A,
    B,
    C,
    add,
    assert_changes_nothing,
    assert_round_trip,
    cells,
    export,
    load,
    open_stock,
    option,
)

pytestmark = pytest.mark.django_db

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
# With the lines of each that the suite takes; `make prove` takes all.
FILES = {
    **{f"shopify/{name}.csv": 100 for name in ("apparel", "home-and-garden", "jewelery")},
    **{f"shopify/partners2017_{name}.csv": 320 for name in ("bicycles", "fashion")},
    "catalog/electronics_3k.csv.gz": 160,
}


def test_what_staff_made_reads_back_the_same(world: SimpleNamespace, tables: Any) -> None:
    text, exported = export()
    # Staff's variants have no stock, which an import would open.
    assert [handle for handle, _ in exported.problems] == [""]
    assert_changes_nothing(text, tables)
    Product.objects.filter(pk=world.products[2].pk).update(status="archived")
    Product.objects.filter(pk=world.products[3].pk).update(status="draft", published_at=None)
    for product in world.products:
        open_stock(product)
    again = cells(assert_round_trip(tables))
    assert (exported.products, exported.rows, len(again)) == (4, 16, 16)
    assert again[0] == {
        **dict.fromkeys(again[0], ""),
        "Handle": "mug-1",
        "Title": "Mug 1",
        "Vendor": "Ladlemoor",
        "Product Category": "Kitchen > Drinkware > Mugs",
        "Collection": "Gifts",
        "Published": "true",
        "Status": "active",
        "Option1 Name": "Size",
        "Option1 Value": "S",
        "Variant SKU": "MUG-1-S",
        "Variant Grams": "300",
        "Variant Requires Shipping": "true",
        "Variant Price": "1.00",
        "Variant Inventory Tracker": "shopify",
        "Variant Inventory Policy": "deny",
        "Variant Inventory Qty": "5",
        "Image Position": "1",
        "Image Alt Text": "A mug",
        "Image Src": "https://pictures.example.org/1-0.jpg",
        "Material (product.metafields.custom.material)": "Clay",
    }


@pytest.mark.parametrize("delimiter", importing.DELIMITERS)
def test_every_delimiter_reads_back_the_same(
    world: SimpleNamespace, tables: Any, delimiter: str
) -> None:
    for product in world.products:
        open_stock(product)
    text, exported = export(delimiter=delimiter)
    assert text.startswith(f"Handle{delimiter}Title{delimiter}")
    assert exported.problems == []
    before = tables()
    for overwrite in (False, True):
        report = load(text, overwrite=overwrite)
        assert (report.unchanged, report.problems) == (4, [])
    assert tables() == before
    assert (export(), export(delimiter=delimiter)) == (export(delimiter=","), (text, exported))


@pytest.mark.prove
@pytest.mark.skipif(not DATA.is_dir(), reason="the shared sample data is not here")
@pytest.mark.parametrize("name", FILES)
def test_what_was_imported_reads_back_the_same(
    name: str, tables: Any, request: pytest.FixtureRequest
) -> None:
    lines = None if request.config.option.markexpr == "prove" else FILES[name]
    path = DATA / name
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        start = io.BytesIO(b"".join(islice(file, lines)))
    assert importing.run([start]).created > 10
    assert_round_trip(tables)


def test_what_was_imported_and_edited_reads_back_the_same(tables: Any) -> None:
    header = "Handle,Title,Vendor,Product Category,Tags,Option1 Name,Option1 Value,Variant SKU"
    header += ",Variant Price,Variant Inventory Qty,Image Src,Variant Image,Collection"
    lines = [
        f'cup,Cup,Croft,Kitchen > Cups,"tea, big",Size,S,A,1,7,{A},{C},Gifts',
        f"cup,,,,,,M,A,2,8,{B},,",
        "pot,Pot,Croft,Kitchen > Pots,tea,,,,,,,,",
    ]
    assert load("\n".join([header, *lines])).created == 2
    cup = Product.objects.get(slug="cup")
    products.update(cup, name="Tea Cup", brand=taxonomy.create_brand(name="Ladlemoor"))
    categories.update(Category.objects.get(name="Cups"), name="Tea Cups")
    taxonomy.rename_value(AttributeValue.objects.get(name="tea"), "Tea")
    taxonomy.set_products(Collection.objects.get(), [])
    small, medium = cup.variants.order_by("position")
    variants.update(small, price=150, media=cup.media.get(url=A))
    variants.update(medium, options=option("Size:Middle", "Colour:Red"), sku="B")
    added = variants.create(cup, options=option("Colour:Red"), price=3)
    inventory.open_stock([Stock(variant=added, on_hand=3)])
    media.delete(cup.media.get(url=B))
    media.update(cup.media.get(url=C), position=1, alt="By staff")
    assert_round_trip(tables)


def test_hard_cases_read_back_the_same(tables: Any) -> None:
    tag = taxonomy.create_attribute(name="Tag", values=["plain", "salt, pepper", "a; b"])
    size = taxonomy.create_attribute(name="=Size (cm)", slug="größe", values=["1,5", "@x", "C++"])
    deep = categories.create(
        name="-Deep", parent=categories.create(name="+Top, really", slug="top")
    )
    html = '<p>Two\nlines, “quoted” &amp; "quoted"</p>\r<br>'
    first = add(
        name='=HYPERLINK("x"), "Mug"; yes',
        slug="-mug_1",
        description="=1+1 " + html,
        brand=taxonomy.create_brand(name="'@Croft"),
        category=deep,
        attribute_values=[*tag.values.all(), *size.values.all()],
        seo_title="+SEO",
        seo_description="-SEO, too",
        tax_category="=Books & magazines",
        variants=[
            {"sku": "'-1", "barcode": "0012", "options": option("Size:=1", "Colour:Red")},
            {"sku": "1E5", "barcode": "4006381333931", "options": option("Colour:Red", "Size:2")},
            {
                "sku": "12-05",
                "price": 1050,
                "compare_at": 1051,
                "weight_grams": 7,
                "requires_shipping": False,
            },
        ],
    )
    Product.objects.filter(pk=first.pk).update(description="=1+1 " + html)
    taxonomy.set_products(taxonomy.create_collection(name="@home"), [first])
    media.add_url(first, "https://img.example.org/mug, big.jpg".replace(" ", ""), alt="=A mug")
    media.add_url(first, B)
    variants.update(first.variants.get(sku="1E5"), media=first.media.get(url=B))
    # Without SKU or price, between variants with options.
    second = add(
        name="Cup\u2028cup",
        category=categories.create(name="Cups > Mugs"),
        variants=[
            {"options": option("size:S", "Size :M")[:1]},
            {"price": 1, "options": option("Size:S", "Title:Best")[1:]},
            {},
        ],
    )
    Stock.objects.filter(variant__product=second).update(on_hand=4, backorder=True)
    third = add(name="Plate", variants=[{"sku": "=P"}], status="archived")
    Stock.objects.filter(variant__product=third).update(on_hand=0, backorder=True)
    rows = cells(assert_round_trip(tables))
    # Only what cannot be a formula begins like one.
    assert not [text for row in rows for text in row.values() if text[:1] in {*"=+-@"} - {""}]
    codes = [(row["Variant SKU"], row["Variant Barcode"]) for row in rows]
    assert codes[:3] == [("''-1", "'0012"), ("'1E5", "'4006381333931"), ("'12-05", "")]
    assert [row["Option1 Name"] for row in rows if row["Title"]] == ["Size", "size", "Title"]
    assert rows[0]["Tags"] == "a; b, plain"
    assert rows[3]["Type"] == "Cups > Mugs"
