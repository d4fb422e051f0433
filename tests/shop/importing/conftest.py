"""Files for the importer, and a product that came in one."""

import csv
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shop.actions import importing
from shop.actions.importing import Report
from shop.models import Product
from tests.shop.importing.mugs import MEDIUM, SMALL


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


@pytest.fixture
def peak() -> Callable[[Callable[[], Any]], int]:
    """`peak(call)`: the bytes that Python holds at most while `call` runs."""

    def measure(call: Callable[[], Any]) -> int:
        tracemalloc.start()
        try:
            call()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return measure
