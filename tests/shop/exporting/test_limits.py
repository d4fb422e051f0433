"""Exporting: what the layout cannot say is told, and comes to no harm."""

from typing import Any

import pytest

from shop.actions import inventory
from shop.actions.catalog import categories, media, products, slugs, taxonomy, variants
from shop.models import Product, Stock, Variant
from tests.shop.exporting.round_trips import (
    A,
    B,
    add,
    assert_changes_nothing,
    catalog,
    cells,
    empty_the_shop,
    export,
    load,
    option,
    upload,
)

pytestmark = pytest.mark.django_db


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
def test_uploads_are_neither_lost_nor_doubled(
    tables: Any, imported: bool, own_first: bool, settings: Any
) -> None:
    settings.SITE_URL = "https://shop.example.org"
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
    slugs.release(tea, ["tea"])
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
