"""The benchmark's database: a real catalog, with generated variants, on PostgreSQL."""

import csv
import gzip
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contenders.postgresql import administer, connected, fresh_database
from contenders.questions import SEED, Facts

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOG = ROOT.parent / "shared" / "data" / "catalog" / "icecat_19k.csv.gz"
DATABASE = "shop_engine_benchmark"

# Each product gets two to six variants beside its own, five in all on average. They cost more than
# the first one, so derived columns other than `max_price` stay as imported.
_VARIANTS = """
    INSERT INTO shop_variant (product_id, sku, name, options, options_key, position, currency,
        price, compare_at, weight_grams, barcode, created_at, updated_at)
    SELECT first.product_id, first.sku || '-' || n, 'Bundle ' || n,
        jsonb_build_array(jsonb_build_object('name', 'Bundle', 'value', n::text)),
        md5(first.product_id || '/' || n), n, first.currency,
        first.price + 100 * n, CASE WHEN n % 3 = 0 THEN first.price + 100 * n + 500 END,
        first.weight_grams, '', first.created_at, first.updated_at
    FROM shop_variant first
    CROSS JOIN LATERAL generate_series(1, 2 + (first.product_id % 5)::int) AS n
"""
_MAX_PRICE = """
    UPDATE shop_product SET max_price = found.price
    FROM (SELECT product_id, max(price) AS price FROM shop_variant GROUP BY product_id) found
    WHERE found.product_id = shop_product.id
"""
_SUBTREES = """
    SELECT top.slug FROM shop_category top
    JOIN shop_category node ON node.path >= top.path AND node.path < top.path || '~'
    JOIN shop_product product ON product.category_id = node.id
    GROUP BY top.id, top.slug HAVING count(*) >= 60 ORDER BY top.path
"""


@contextmanager
def database(url: str, products: int, folder: Path) -> Iterator[str]:
    """The address of a fresh database with `products` products, which is dropped in the end."""
    with fresh_database(url, DATABASE) as own:
        file = folder / "catalog.csv"
        _write_catalog(file, products)
        _manage(own, "migrate", "--verbosity", "0")
        _manage(own, "import_products", str(file))
        # Written down and analysed, so that no housekeeping falls into the measurement.
        administer(own, _VARIANTS, _MAX_PRICE, "VACUUM FREEZE ANALYZE", "CHECKPOINT")
        yield own


def facts(url: str) -> Facts:
    """What values are drawn from."""
    with connected(url) as cursor:
        cursor.execute("SELECT price_key, id FROM shop_product ORDER BY price_key, id")
        places = cursor.fetchall()
        cursor.execute("SELECT slug FROM shop_product ORDER BY id")
        slugs = [slug for (slug,) in cursor]
        cursor.execute(_SUBTREES)
        return Facts(places, slugs, [slug for (slug,) in cursor])


def describe(url: str) -> dict[str, int | str]:
    """How much there is of what, and the server's version."""
    with connected(url) as cursor:
        found: dict[str, int | str] = {}
        for table in ("product", "variant", "media", "category"):
            cursor.execute(f"SELECT count(*) FROM shop_{table}")
            found[table] = cursor.fetchone()[0]
        version = cursor.connection.info.parameter_status("server_version")
    return found | {"server": "PostgreSQL " + str(version).split()[0]}


def _write_catalog(file: Path, products: int) -> None:
    """The first products of the real catalog where there is one, of a made-up one elsewhere."""
    if not CATALOG.is_file():
        _make_up(file, products)
        return
    with gzip.open(CATALOG, "rt", newline="") as whole, file.open("w", newline="") as part:
        rows, writer = csv.reader(whole), csv.writer(part)
        writer.writerow(next(rows))
        seen: set[str] = set()
        for row in rows:
            seen.add(row[0])
            if len(seen) > products:
                return
            writer.writerow(row)


def _make_up(file: Path, products: int) -> None:
    drawn = random.Random(SEED)
    names = (
        "Handle,Title,Body (HTML),Vendor,Product Category,Published,Option1 Name,Option1 Value,"
        "Variant SKU,Variant Price,Image Src,Image Position,Status,"
        "Material (product.metafields.custom.material)"
    ).split(",")
    with file.open("w", newline="") as written:
        writer = csv.DictWriter(written, names, restval="")
        writer.writeheader()
        for number in range(products):
            branch = drawn.randrange(10)
            product = {
                "Handle": f"product-{number}",
                "Title": f"Product {number} of the made-up catalog",
                "Body (HTML)": "Nothing much is known of it. " * 10,
                "Vendor": f"Brand {drawn.randrange(150)}",
                "Product Category": f"Branch {branch} > Kind {drawn.randrange(4)}",
                "Published": "true",
                "Option1 Name": "Title",
                "Option1 Value": "Default Title",
                "Variant SKU": f"MADE-{number}",
                "Variant Price": f"{drawn.lognormvariate(4, 1):.2f}",
                "Status": "active",
                "Material (product.metafields.custom.material)": drawn.choice(["wool", "tin", ""]),
            }
            for position in range(1, 4):
                image = f"https://images.example.com/{number}/{position}.jpg"
                row = product if position == 1 else {"Handle": product["Handle"]}
                writer.writerow(row | {"Image Src": image, "Image Position": position})


def _manage(url: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DEBUG": "1", "SHOP_CURRENCY": "USD"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"manage.py {arguments[0]} failed:\n{done.stderr[-2000:]}")
