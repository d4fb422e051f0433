"""SKUs are stored byte for byte, up to 255 characters, wherever they go."""

import csv
import io
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from shop.actions import exporting, importing
from shop.actions.catalog import products, variants
from shop.actions.exporting import orders as order_exporting
from shop.models import AuditEntry, OrderLine, Product, Variant
from tests.shop.orders import place, variant

pytestmark = pytest.mark.django_db

# Blanks at both ends and inside, letters outside ASCII; as long as a SKU may be.
LONG = " A  B\t" + "é" * 247 + "\u00a0 "
ODD = [
    LONG,
    "A",
    "A ",
    " A",
    "a",
    "Á",
    "A  B",
    "A B",
    "'A",
    " =1+1",
    "\t-1",
    "007 ",
    "1,5;2|3",
    "a\r\nb",
]
FIND = """query($slug: String!, $sku: [String!]) { product(slug: $slug) {
  variants(filter: {sku: {in: $sku}}) { edges { node { sku } } } } }"""


def test_skus_are_unique_by_byte_on_every_engine() -> None:
    product = products.create(name="Mug")
    for number, sku in enumerate(ODD):
        variants.create(product, sku=sku, options=[{"name": "Size", "value": str(number)}])
    assert list(Variant.objects.order_by("pk").values_list("sku", flat=True)) == ODD
    for sku in ODD:
        assert Variant.objects.filter(sku=sku).count() == 1
        with pytest.raises(IntegrityError), transaction.atomic():
            Variant.objects.create(product=product, sku=sku, options_key=sku[:32])


@pytest.mark.parametrize("delimiter", importing.DELIMITERS)
def test_odd_skus_are_exported_and_imported_as_they_are(delimiter: str) -> None:
    product = products.create(name="Mug", status="draft")
    for number, sku in enumerate(ODD):
        options = [{"name": "Size", "value": str(number)}]
        variants.create(product, sku=sku, options=options, price=100)
    text = io.StringIO(newline="")
    exported = exporting.run(text, elsewhere=True, delimiter=delimiter)
    assert exported.problems == []
    for row in csv.DictReader(io.StringIO(text.getvalue(), newline=""), delimiter=delimiter):
        # A spreadsheet runs no cell, and shows the others as they are.
        assert not row["Variant SKU"].lstrip().startswith(("=", "+", "-", "@"))
    Product.objects.all().delete()
    report = importing.run([io.BytesIO(text.getvalue().encode())])
    assert list(Variant.objects.order_by("position").values_list("sku", flat=True)) == ODD
    assert {problem.code for problem in report.problems} == {importing.Code.SKU_BLANKS}


def test_an_order_keeps_the_sku_as_it_is() -> None:
    order = place(lines={variant(sku=LONG): 2})
    assert OrderLine.objects.get(order=order).sku == LONG
    text = io.StringIO(newline="")
    order_exporting.run(text, orders=order_exporting.chosen())
    (row,) = csv.DictReader(io.StringIO(text.getvalue(), newline=""))
    assert row["SKU"] == LONG


def test_the_api_stores_finds_and_tells_skus_as_they_are(
    mutate: Any, api: Any, staff: Any, world: Any, gid: Any
) -> None:
    mug = Variant.objects.filter(product=world.products[0]).first()
    for sku in (LONG, "A  B", "A "):
        payload = mutate("variantUpdate", "variant { sku }", id=gid(mug), sku=sku)
        assert payload == {"variant": {"sku": sku}, "userErrors": []}
        found = api(FIND, slug=mug.product.slug, sku=[sku])["data"]["product"]["variants"]
        assert found == {"edges": [{"node": {"sku": sku}}]}
        assert AuditEntry.objects.latest("pk").difference["sku"][1] == sku
    for blank in ("   ", "", "\u200b"):
        payload = mutate("variantUpdate", "variant { sku }", id=gid(mug), sku=blank)
        assert payload["variant"] == {"sku": None}
