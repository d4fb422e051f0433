"""Exporting: what the importer reads again without a difference, and what it cannot."""

import csv
import gzip
import io
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from shop.actions import exporting, importing, inventory
from shop.actions.catalog import categories, media, products, taxonomy, variants
from shop.actions.exporting import Exported, Progress, runner
from shop.models import (
    Attribute,
    AttributeValue,
    Brand,
    Category,
    Collection,
    CollectionItem,
    ImportRecord,
    Media,
    Product,
    ProductAttribute,
    Stock,
    Variant,
)

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
# With the lines of each that the suite takes; `make prove` takes all.
FILES = {
    **{f"shopify/{name}.csv": 100 for name in ("apparel", "home-and-garden", "jewelery")},
    **{f"shopify/partners2017_{name}.csv": 700 for name in ("bicycles", "fashion")},
    "catalog/electronics_3k.csv.gz": 400,
}
A, B, C = (f"https://pictures.example.org/{name}.jpg" for name in "abc")

pytestmark = pytest.mark.django_db


def export(**options: Any) -> tuple[str, Exported]:
    file = io.StringIO(newline="")
    exported = exporting.run(file, **options)
    return file.getvalue(), exported


def load(text: str, **options: Any) -> importing.Report:
    return importing.run([io.BytesIO(text.encode())], **options)


def outcome(report: importing.Report) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.skipped


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def tables(dump: Any) -> Callable[[], Any]:
    """`tables()`: all rows of the shop but the importer's memory."""

    def read() -> Any:
        rows = dump()
        del rows["shop.ImportRecord"]
        return rows

    return read


def catalog() -> dict[str, Any]:
    """The shop without keys and times: what two shops can have in common."""
    paths: dict[int | None, tuple[str, ...]] = {None: ()}
    for row in Category.objects.order_by("path"):
        paths[row.pk] = (*paths[row.parent_id], row.name)
    rows = Product.objects.select_related("brand").prefetch_related(
        "variants__stock", "variants__media", "media", "attribute_values__attribute", "collections"
    )
    fields = "name name_key description status seo_title seo_description options search_text"
    return {
        row.slug: {
            **{name: getattr(row, name) for name in fields.split()},
            "prices": (row.currency, row.min_price, row.max_price),
            "on sale": row.is_published and row.published_at is not None,
            "brand": row.brand and row.brand.name,
            "category": paths[row.category_id],
            "values": sorted(
                (value.attribute.slug, value.attribute.name, value.name)
                for value in row.attribute_values.all()
            ),
            "collections": sorted(collection.name for collection in row.collections.all()),
            "media": [
                (address(picture), picture.alt)
                for picture in sorted(row.media.all(), key=lambda picture: picture.position)
            ],
            "variants": [
                offer(variant)
                for variant in sorted(row.variants.all(), key=lambda v: (v.position, v.pk))
            ],
        }
        for row in rows
    }


def address(picture: Media) -> str:
    return picture.url or default_storage.url(str(picture.file))


def offer(variant: Variant) -> tuple[Any, ...]:
    stock = getattr(variant, "stock", None)
    fields = "sku name options options_key position price compare_at weight_grams barcode currency"
    return (
        *(getattr(variant, name) for name in fields.split()),
        # No stock and a stock that is not counted are sold alike.
        (stock.on_hand, stock.backorder) if stock else (0, True),
        variant.media and address(variant.media),
    )


def empty_the_shop() -> None:
    order = (ImportRecord, Stock, CollectionItem, ProductAttribute, Variant, Media, Product)
    for model in (*order, AttributeValue, Attribute, Brand, Category, Collection):
        rows = model._base_manager.all()
        rows._raw_delete(rows.db)


def assert_changes_nothing(text: str, tables: Any, *, overwrite: bool = True) -> None:
    before, count = tables(), len({row["Handle"] for row in cells(text)})
    assert outcome(load(text)) == (0, 0, count, 0)
    if overwrite:
        assert outcome(load(text, overwrite=True)) == (0, 0, count, 0)
    assert tables() == before


def assert_round_trip(tables: Any) -> str:
    """Into this shop, into an empty one, and out of that again; returns the file."""
    text, exported = export()
    assert exported.problems == []
    assert_changes_nothing(text, tables)
    # A shop with nothing that the layout cannot say gives one file for both ends.
    assert export(elsewhere=True) == (text, exported)
    before = catalog()
    empty_the_shop()
    assert outcome(load(text)) == (exported.products, 0, 0, 0)
    assert catalog() == before
    assert export() == (text, exported)
    return text


def add(**fields: Any) -> Product:
    """A mug of 10 dollars, on sale, with its stock."""
    row = products.create(
        **{"name": "Mug", "variants": [{"price": 1000}], "status": "published", **fields}
    )
    open_stock(row)
    return row


def open_stock(product: Product, on_hand: int = 5, **fields: Any) -> None:
    rows = product.variants.order_by("pk")
    inventory.open_stock(Stock(variant=row, on_hand=on_hand, **fields) for row in rows)


def upload(product: Product) -> Media:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    return media.add_upload(product, ContentFile(buffer.getvalue(), "mug.png"), alt="Our own")


def option(*pairs: str) -> list[dict[str, str]]:
    return [dict(zip(("name", "value"), pair.split(":"), strict=True)) for pair in pairs]


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
        "Variant Price": "1.00",
        "Variant Inventory Tracker": "shopify",
        "Variant Inventory Policy": "deny",
        "Variant Inventory Qty": "5",
        "Image Position": "1",
        "Image Alt Text": "A mug",
        "Image Src": "https://pictures.example.org/1-0.jpg",
        "Material (product.metafields.custom.material)": "Clay",
    }


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
        variants=[
            {"sku": "'-1", "barcode": "0012", "options": option("Size:=1", "Colour:Red")},
            {"sku": "1E5", "barcode": "4006381333931", "options": option("Colour:Red", "Size:2")},
            {"sku": "12-05", "price": 1050, "compare_at": 1051, "weight_grams": 7},
        ],
    )
    Product.objects.filter(pk=first.pk).update(description="=1+1 " + html)
    taxonomy.set_products(taxonomy.create_collection(name="@home"), [first])
    media.add_url(first, "/static/mug, big.jpg".replace(" ", ""), alt="=A mug")
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


def test_what_cannot_be_said_is_told_and_left_alone(tables: Any) -> None:
    colour = taxonomy.create_attribute(name="Colour", values=["Red; dark", "Blue"])
    odd = taxonomy.create_attribute(name="Odd", slug="odd_one", values=["x"])
    top = categories.create(name="Kitchen")
    twin = [taxonomy.create_brand(name="Croft") for _ in range(2)][1]
    mug = add(
        category=categories.create(name="Cups > Mugs", parent=top),
        brand=twin,
        attribute_values=[*colour.values.all(), *odd.values.all()],
        variants=[
            {"sku": "A", "price": 0, "compare_at": 5},
            {"price": 5, "options": option("S:1")},
        ],
    )
    Variant.objects.filter(sku="A").update(position=1)
    taxonomy.set_products(taxonomy.create_collection(name="Big, bold"), [mug])
    Variant.objects.exclude(sku="A").update(position=0)
    Stock.objects.filter(variant__sku="A").update(on_hand=-2, backorder=True)
    text, exported = export()
    told = [message for handle, message in exported.problems if handle in ("", "mug")]
    for part in (
        *('attribute "Odd"', "Two brands", "Kitchen > Cups > Mugs", "Red; dark", "Big, bold"),
        *("below zero", "price of zero"),
    ):
        assert len([message for message in told if part in message]) == 1, part
    assert_changes_nothing(text, tables, overwrite=False)


def test_units_sold_since_the_import_are_not_taken_again(tables: Any) -> None:
    load("Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty\nmug,Mug,A,1,10\n")
    inventory.adjust({Variant.objects.get().pk: -3})
    text, exported = export()
    assert cells(text)[0]["Variant Inventory Qty"] == ""
    assert [(handle, "moved" in message) for handle, message in exported.problems] == [
        ("mug", True)
    ]
    assert_changes_nothing(text, tables)
    moved, exported = export(elsewhere=True)
    assert exported.problems == []
    empty_the_shop()
    load(moved)
    assert Stock.objects.get().on_hand == 7


@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize("own_first", [False, True])
def test_uploads_are_neither_lost_nor_doubled(tables: Any, imported: bool, own_first: bool) -> None:
    if imported:
        load(f"Handle,Title,Variant Price,Image Src,Variant Image\nmug,Mug,1,{A},{A}\nmug,,,{B},\n")
        mug = Product.objects.get()
    else:
        mug = add()
        media.add_url(mug, A)
        media.add_url(mug, B)
    own = upload(mug)
    if own_first:
        media.update(own, position=1)
    variants.update(mug.variants.get(), media=own)
    text, exported = export()
    assert ("mug", "Pictures uploaded to the shop are not in the file: 1.") in exported.problems
    assert_changes_nothing(text, tables, overwrite=False)
    before = catalog()
    moved, exported = export(elsewhere=True)
    assert exported.problems == []
    empty_the_shop()
    load(moved)
    assert catalog() == before
    assert export()[0] == moved


def test_products_that_an_import_would_mistake_are_left_out(tables: Any) -> None:
    header = "Handle,Title,Option1 Name,Option1 Value,Variant Price"
    load(f"{header}\nmug,Mug,Size,S,1\nmug,,,M,2\ntea,Tea,,,1\n")
    mug, tea = Product.objects.order_by("pk")
    products.update(tea, slug="tea-2")
    namesake = add(name="Another tea", slug="tea")
    products.create(name="No variants yet")
    foreign = add(name="Foreign")
    Product.objects.filter(pk=foreign.pk).update(currency="EUR")
    small, medium = mug.variants.order_by("pk")
    variants.update(small, options=option("Size:L"))
    variants.update(medium, options=option("Size:S"))
    variants.update(small, options=option("Size:M"))
    text, exported = export()
    assert [row["Handle"] for row in cells(text)] == ["tea"]
    assert exported.products == 1
    out = [handle for handle, message in exported.problems if "left out" in message]
    assert out == ["mug", "tea", "no-variants-yet", "foreign"]
    assert_changes_nothing(text, tables)
    foreign.delete()
    before = catalog()
    moved, exported = export(elsewhere=True)
    assert [handle for handle, _ in exported.problems] == ["no-variants-yet"]
    empty_the_shop()
    load(moved)
    assert before.pop("no-variants-yet")["status"] == "draft"
    after = catalog()
    assert after.pop("no-variants-yet")["prices"] == ("USD", None, None)
    assert after == before
    assert namesake.slug in after


def test_variants_whose_options_cannot_be_said_are_left_out(tables: Any) -> None:
    mug = add(
        variants=[
            {"price": 1, "options": option("Size:S", "Colour:Red")},
            {"price": 2, "options": option("Colour:Red", "Size:M")},
            {"price": 3, "options": option("Material:Clay")},
            {"price": 4, "options": option("Size:Extra\x01large")},
        ]
    )
    only = add(name="Cup", variants=[{"price": 1, "options": option("Title:Default Title")}])
    text, exported = export()
    # "Size" stands in two columns, so that there is none for "Material".
    assert [row["Option3 Name"] for row in cells(text)] == ["Size", ""]
    assert [handle for handle, _ in exported.problems] == [mug.slug, mug.slug, only.slug]
    assert_changes_nothing(text, tables)


def test_gaps_between_variants_are_told_and_their_order_stays() -> None:
    mug = add(variants=[{"sku": sku, "price": 1, "options": option(f"S:{sku}")} for sku in "ABC"])
    variants.delete(mug.variants.get(sku="B"))
    text, exported = export()
    assert ["numbered" in message for _, message in exported.problems] == [True]
    assert load(text).skipped == 0
    assert list(mug.variants.order_by("position").values_list("sku", flat=True)) == ["A", "C"]


def test_a_batch_costs_the_same_however_large(world: SimpleNamespace) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert export()[1].products == len(world.products)
        counts.append(len(queries))
        world.add(4)
    assert counts[0] == counts[1] <= 20


def test_batches_stream_in_the_order_of_ids(
    world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH", 3)
    steps: list[Progress] = []
    whole, _ = export(on_progress=steps.append)
    assert steps == [Progress(3, 4), Progress(4, 4)]
    handles = list(dict.fromkeys(row["Handle"] for row in cells(whole)))
    assert handles == ["mug-1", "mug-2", "mug-3", "mug-4"]
    some = Product.objects.filter(variants__sku__startswith="MUG-2").order_by("-pk")
    text, exported = export(products=some)
    assert {row["Handle"] for row in cells(text)} == {"mug-2"}
    assert exported.products == 1


def test_what_progress_raises_ends_the_run_between_two_batches(
    world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH", 2)
    file = io.StringIO(newline="")

    def stop(step: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exporting.run(file, on_progress=stop)
    assert {row["Handle"] for row in cells(file.getvalue())} == {"mug-1", "mug-2"}


@pytest.mark.parametrize("name", ["catalog.csv", "catalog.csv.gz"])
def test_the_command_writes_a_file_that_can_be_imported(
    world: SimpleNamespace, tmp_path: Path, name: str, tables: Any
) -> None:
    path, out = tmp_path / name, io.StringIO()
    call_command("export_products", str(path), stdout=out)
    first, before = path.read_bytes(), tables()
    assert "4 products in 16 rows, 1 problems." in out.getvalue()
    assert outcome(importing.run([path])) == (0, 0, 4, 0)
    assert tables() == before
    call_command("export_products", str(path), stdout=out)
    assert path.read_bytes() == first
    text = gzip.decompress(first) if name.endswith(".gz") else first
    assert text.startswith("\ufeffHandle,".encode())


def test_an_export_that_is_stopped_leaves_the_old_file(
    world: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: Any) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "catalog.csv"
    path.write_text("old")
    monkeypatch.setattr(runner.loading, "load", stop)
    with pytest.raises(CommandError) as caught:
        call_command("export_products", str(path))
    assert caught.value.returncode == 130
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [
        ("catalog.csv", "old")
    ]


def test_the_command_writes_chosen_products_to_the_output(world: SimpleNamespace) -> None:
    out, err = io.StringIO(newline=""), io.StringIO()
    call_command("export_products", "-", handle=["mug-3", "mug-1"], stdout=out, stderr=err)
    assert {row["Handle"] for row in cells(out.getvalue())} == {"mug-1", "mug-3"}
    assert "2 products in 8 rows" in err.getvalue()


def test_the_command_refuses_what_it_cannot_do(world: SimpleNamespace, tmp_path: Path) -> None:
    missing = tmp_path / "no" / "catalog.csv"
    for file, handles in ((tmp_path, []), (missing, []), (tmp_path / "a.csv", ["mug-1", "nix"])):
        with pytest.raises(CommandError) as caught:
            call_command("export_products", str(file), handle=handles)
        assert caught.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_gets_a_bar(
    world: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    err = Terminal()
    call_command("export_products", str(tmp_path / "a"), stdout=io.StringIO(), stderr=err)
    assert "100%" in err.getvalue()
    assert "4 products" in err.getvalue()
