"""The shop as an import may change it."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def tables(dump: Any) -> Callable[[], Any]:
    """`tables()`: all rows of the shop but the importer's memory."""

    def read() -> Any:
        rows = dump()
        del rows["shop.ImportRecord"]
        return rows

    return read
