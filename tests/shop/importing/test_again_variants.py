"""Importing again: variants, their stock and their pictures."""

from typing import Any

import pytest
from django.db import transaction

from shop.actions import inventory
from shop.actions.catalog import media, variants
from shop.actions.importing import Code
from shop.models import Cart, CartLine, Media, Product, Stock, StockMovement, Variant
from tests.shop.importing.mugs import MEDIUM, SMALL, A, B, C, picture_row, results, small

pytestmark = pytest.mark.django_db


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


def test_carts_are_told_of_variants_that_overwrite_removes(load: Any, mug: Product) -> None:
    gone = Variant.objects.exclude(pk=small().pk).get()
    cart = Cart.objects.create(digest="x")
    CartLine.objects.create(cart=cart, variant=gone, quantity=3)
    load(SMALL, overwrite=True)
    cart.refresh_from_db()
    (notice,) = cart.stored_notices
    assert (notice["code"], notice["quantity"], cart.version) == ("LINE_REMOVED", 3, 2)


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
    media.add_url(mug, "https://img.example.org/staff.webp")
    media.update(Media.objects.get(url=A), alt="Staff's words")
    load(SMALL | {"Image Src": B}, MEDIUM | {"Image Src": C}, MEDIUM | picture_row(A))
    order = mug.media.order_by("position").values_list("position", "url", "alt")
    assert list(order) == [
        *((1, B, "A mug"), (2, C, ""), (3, A, "")),
        (4, "https://img.example.org/staff.webp", ""),
    ]
    load(SMALL | {"Image Src": C}, MEDIUM | {"Image Src": ""})
    order = mug.media.order_by("position").values_list("position", "url")
    assert list(order) == [(1, C), (2, "https://img.example.org/staff.webp")]


def test_a_picture_that_staff_removed_stays_removed(load: Any, mug: Product) -> None:
    media.delete(Media.objects.get(url=A))
    load(SMALL, MEDIUM, MEDIUM | picture_row(C))
    order = mug.media.order_by("position").values_list("url", flat=True)
    assert list(order) == [B, C]


def test_a_file_without_options_changes_the_only_variant(load: Any) -> None:
    load(SMALL)
    load({"Handle": "mug", "Title": "Mug", "Variant Price": "3"})
    variant = Variant.objects.get()
    assert (variant.price, variant.name) == (300, "S")


def test_a_file_without_options_does_not_guess_a_variant(load: Any, mug: Product) -> None:
    report = load({"Handle": "mug", "Title": "Mug", "Variant Price": "3"})
    assert set(mug.variants.values_list("price", flat=True)) == {1250, 1350}
    assert Code.VARIANT_UNKNOWN in [problem.code for problem in report.problems]


def test_options_that_staff_gave_to_another_variant_skip_the_product(
    load: Any, mug: Product
) -> None:
    variants.create(mug, options=[{"name": "Size", "value": "L"}], price=1)
    report = load(SMALL | {"Option1 Value": "L"}, MEDIUM)
    assert (report.skipped, small().options) == (1, [{"name": "Size", "value": "S"}])


def ledger(variant: Variant) -> list[tuple[str, int, str]]:
    rows = StockMovement.objects.filter(stock__variant=variant).order_by("pk")
    return list(rows.values_list("reason", "delta", "reference"))


def test_what_imports_count_stands_in_the_ledger(load: Any) -> None:
    load(SMALL, MEDIUM, reference="job:1")
    load(SMALL | {"Variant Inventory Qty": "4"}, MEDIUM, reference="job:2")
    load(SMALL | {"Variant Inventory Qty": "9"}, MEDIUM, reference="job:3", overwrite=True)
    assert ledger(small()) == [
        ("opening", 10, "job:1"),
        ("imported", -6, "job:2"),
        ("imported", 5, "job:3"),
    ]
    assert ledger(Variant.objects.get(sku="MUG-M")) == [("opening", 5, "job:1")]
    assert inventory.discrepancies() == []


def test_what_is_promised_stays_whatever_the_file_says(load: Any, mug: Product) -> None:
    medium = Variant.objects.get(sku="MUG-M")
    with transaction.atomic():
        inventory.reserve("order:1", {small().pk: 6, medium.pk: 2}, expires_at=None)
    report = load(SMALL | {"Variant Inventory Qty": "1"}, overwrite=True)
    assert [problem.code for problem in report.problems] == [
        Code.VARIANT_GONE,
        Code.QUANTITY_RESERVED,
    ]
    assert small().stock.on_hand == 6
    assert Variant.objects.get(sku="MUG-M").stock.reserved == 2
    assert inventory.discrepancies() == []
