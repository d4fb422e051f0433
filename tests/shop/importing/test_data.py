"""Importing real catalogs. They are no part of the project, so without them these tests skip.

The suite takes the first rows of the large ones; `make prove` takes all.
"""

import csv
import gzip
import io
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import BinaryIO

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
    pytest.mark.prove,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared sample data is not here"),
]
# Products, variants and pictures of each file.
FILES = {
    "apparel.csv": (20, 22, 20),
    "home-and-garden.csv": (20, 21, 21),
    "jewelery.csv": (20, 23, 41),
    "partners2017_bicycles.csv": (284, 1121, 1034),
    "partners2017_fashion.csv": (997, 3684, 4742),
}
# Counts for the first rows of the file, which the suite reads.
PARTS = {"partners2017_fashion.csv": (1500, (326, 1137, 1378))}
TROUBLE = {
    "partners2017_bicycles.csv": {
        Code.SKU_TAKEN: 41,
        Code.COMPARE_AT_DROPPED: 60,
        Code.QUANTITY_NEGATIVE: 23,
        Code.NOT_PRICED: 2,
        Code.BODY_CLEANED: 273,
    }
}


@pytest.fixture
def proves(request: pytest.FixtureRequest) -> bool:
    """Whether whole files are taken."""
    return request.config.option.markexpr == "prove"


def first_rows(path: Path, count: int | None) -> io.BytesIO:
    """The header and the first `count` rows of a file, all without."""
    part = io.StringIO(newline="")
    with path.open("rb") as plain:
        binary = gzip.GzipFile(fileobj=plain) if path.suffix == ".gz" else plain
        text = io.TextIOWrapper(binary, "utf-8-sig", newline="")
        csv.writer(part).writerows(islice(csv.reader(text), count and count + 1))
    return io.BytesIO(part.getvalue().encode())


@pytest.mark.parametrize("name", FILES)
def test_shopify_exports(name: str, proves: bool) -> None:
    count, expected = (None, FILES[name]) if proves else PARTS.get(name, (None, FILES[name]))
    products, variants, pictures = expected
    path = SHOPIFY / name
    with first_rows(path, count) if count else path.open("rb") as file:
        first = importing.run([file])
        assert (first.created, first.skipped) == (products, 0)
        assert not Product.objects.filter(status="published", published_at__isnull=True).exists()
        assert Variant.objects.count() == Stock.objects.count() == variants
        # Pictures of variants that are not among the product's come on top.
        assert Media.objects.count() >= pictures
        assert not Product.objects.filter(description__iregex="<(script|iframe|h1)").exists()
        assert not Stock.objects.filter(on_hand__lt=0).exists()
        found = Counter(problem.code for problem in first.problems)
        assert TROUBLE.get(name) in (None, found)
        check_skus(file, first)
        with CaptureQueriesContext(connection) as queries:
            again = importing.run([file])
    assert (again.unchanged, again.problems) == (products, first.problems)
    assert all(query["sql"].startswith("SELECT") for query in queries)


def check_skus(file: BinaryIO, report: importing.Report) -> None:
    """Every SKU of the file is in the shop as it stands there, but for repeated ones."""
    file.seek(0)
    rows = csv.DictReader(io.StringIO(file.read().decode("utf-8-sig"), newline=""))
    named = [sku.removeprefix("'") for row in rows if (sku := row["Variant SKU"])]
    stored = set(Variant.objects.exclude(sku=None).values_list("sku", flat=True))
    assert set(named) <= stored
    taken = sum(problem.code == Code.SKU_TAKEN for problem in report.problems)
    assert len(stored) == len(set(named)) + taken


def test_a_large_catalog_with_categories(proves: bool) -> None:
    path = CATALOG / "electronics_3k.csv.gz"
    products, brands = (3291, 250) if proves else (800, 78)
    with path.open("rb") if proves else first_rows(path, products) as file:
        assert importing.run([file]).created == products
        # More spellings: "GRIFFIN" is "Griffin".
        assert (Brand.objects.count(), Variant.objects.count()) == (brands, products)
        deepest = Category.objects.order_by("-depth").first()
        assert deepest is not None
        assert deepest.depth == 4
        assert importing.run([file]).unchanged == products


def test_a_catalog_with_metafields(proves: bool) -> None:
    products = 1000 if proves else 300
    with first_rows(CATALOG / "icecat_19k.csv.gz", 3 * products) as file:
        assert importing.run([file]).created == products
        assert Media.objects.count() == 3 * products
        product = Product.objects.get(slug__startswith="xerox-006r90321-toner")
        values = product.attribute_values.values_list("attribute__slug", "name")
        assert set(values) == {("type", "Original"), ("print-technology", "Laser printing")}
        assert importing.run([file]).unchanged == products
    assert ImportRecord.objects.count() == products
