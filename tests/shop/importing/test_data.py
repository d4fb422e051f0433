"""Importing real catalogs. They are no part of the project, so without them these tests skip."""

import gzip
from itertools import islice
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.actions import importing
from shop.actions.importing import Code
from shop.models import Brand, Category, ImportRecord, Media, Product, Stock, Variant

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
SHOPIFY, CATALOG = DATA / "shopify", DATA / "catalog"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared sample data is not here"),
]


@pytest.mark.parametrize(
    ("name", "products", "variants", "pictures"),
    [
        ("apparel.csv", 20, 22, 20),
        ("home-and-garden.csv", 20, 21, 21),
        ("jewelery.csv", 20, 23, 41),
        ("partners2017_bicycles.csv", 284, 1121, 1034),
        ("partners2017_fashion.csv", 997, 3684, 4742),
    ],
)
def test_shopify_exports(name: str, products: int, variants: int, pictures: int) -> None:
    first = importing.run([SHOPIFY / name])
    assert (first.created, first.skipped) == (products, 0)
    assert Product.objects.filter(status="published", published_at__isnull=True).count() == 0
    assert Variant.objects.count() == Stock.objects.count() == variants
    # Pictures of variants that are not among the product's come on top.
    assert Media.objects.count() >= pictures
    with CaptureQueriesContext(connection) as queries:
        again = importing.run([SHOPIFY / name])
    assert (again.unchanged, again.problems) == (products, first.problems)
    assert all(query["sql"].startswith("SELECT") for query in queries)


def test_bicycles_bring_every_kind_of_trouble() -> None:
    report = importing.run([SHOPIFY / "partners2017_bicycles.csv"])
    found = [problem.code for problem in report.problems]
    assert {code: found.count(code) for code in set(found)} == {
        Code.SKU_TAKEN: 41,
        Code.COMPARE_AT_DROPPED: 60,
        Code.QUANTITY_NEGATIVE: 23,
        Code.NOT_PRICED: 2,
        Code.BODY_CLEANED: 273,
    }
    assert not Product.objects.filter(description__icontains="<script").exists()
    assert not Product.objects.filter(description__icontains="<iframe").exists()
    assert Stock.objects.filter(on_hand__lt=0).count() == 0


def test_a_large_catalog_with_categories() -> None:
    path = CATALOG / "electronics_3k.csv.gz"
    assert importing.run([path]).created == 3291
    # 263 spellings: "GRIFFIN" is "Griffin".
    assert (Brand.objects.count(), Variant.objects.count()) == (250, 3291)
    deepest = Category.objects.order_by("-depth").first()
    assert deepest is not None
    assert deepest.depth == 4
    assert importing.run([path]).unchanged == 3291


def test_a_catalog_with_metafields(tmp_path: Path) -> None:
    path = tmp_path / "icecat.csv"
    with gzip.open(CATALOG / "icecat_19k.csv.gz", "rb") as whole:
        path.write_bytes(b"".join(islice(whole, 3001)))
    assert importing.run([path]).created == 1000
    assert Media.objects.count() == 3000
    product = Product.objects.get(slug__startswith="xerox-006r90321-toner")
    values = product.attribute_values.values_list("attribute__slug", "name")
    assert set(values) == {("type", "Original"), ("print-technology", "Laser printing")}
    assert not Product.objects.filter(name__contains="\u2029").exists()
    assert importing.run([path]).unchanged == 1000
    assert ImportRecord.objects.count() == 1000
