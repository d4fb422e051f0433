"""Imports that overwrite products while shoppers order them: nobody deadlocks, no row is lost."""

import io
import random
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.utils import timezone

from shop.actions import carts, checkout, importing, inventory, rows
from shop.actions.carts.holding import hold
from shop.actions.catalog import cart_lines
from shop.actions.rows import retried
from shop.errors import ShopError
from shop.models import Cart, ImportRecord, Stock, Variant
from tests.shop.selling import fill, ready

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shared_database")]

COLUMNS = (
    "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Qty,"
    "Variant Inventory Policy"
)
PRODUCTS = 12
# A shopper is told that a variant was removed, or that the cart has changed.
EXPECTED = {"NOT_FOUND", "NOT_PURCHASABLE", "OUT_OF_STOCK", "CART_CHANGED", "TOTAL_CHANGED"}
# Seconds that one waits for the other, who may be waiting for it.
PATIENCE = 1.0


def catalog(sizes: str, *, turn: int = 0, products: int = PRODUCTS) -> io.BytesIO:
    """A file whose variants exchange their SKUs from turn to turn."""
    lines = [COLUMNS]
    for number in range(products):
        skus = [f"{number}-{size}" for size in sizes]
        for size, sku in zip(sizes, skus[::-1] if turn % 2 else skus, strict=True):
            lines.append(f"jug-{number},Jug,Size,{size},{sku},1,{1000 + turn},deny")
    return io.BytesIO("\n".join(lines).encode())


def load(sizes: str, *, turn: int = 0, products: int = PRODUCTS) -> importing.Report:
    file = catalog(sizes, turn=turn, products=products)
    report = importing.run([file], overwrite=True)
    assert report.skipped == 0, report.problems
    return report


def sizes_of(size: str) -> list[Variant]:
    return list(Variant.objects.filter(options__0__value=size).order_by("-pk"))


def deadlocks() -> int:
    """Deadlocks that the server has broken; 0 where it does not count them."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def share_keys() -> None:
    """Keeps others from changing keys of variants, as the foreign keys of an order's lines do."""
    if connection.vendor == "postgresql":
        list(Variant.objects.raw("SELECT id FROM shop_variant ORDER BY id FOR KEY SHARE"))


@pytest.mark.parametrize("change", ["remove", "exchange SKUs"])
def test_an_import_locks_in_the_order_of_checkouts(
    change: str, at_once: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    load("SM", products=1)
    small, medium = (sizes_of(size)[0] for size in "SM")
    cart, _ = carts.create(AnonymousUser())
    fill(cart, (medium, 1), (small, 1))
    has_cart, has_locks = threading.Event(), threading.Event()
    lock = rows.locked

    def lock_and_tell(queryset: Any, **options: Any) -> Any:
        if queryset.model is Stock:
            has_locks.set()
        return lock(queryset, **options)

    def order() -> None:
        """Takes the locks of a checkout in its order, while the import runs."""
        with transaction.atomic():
            hold(Cart.objects.get(pk=cart.pk))
            if change != "remove":
                inventory.reserve("order:1", {small.pk: 1}, expires_at=timezone.now())
            has_cart.set()
            has_locks.wait(PATIENCE)
            time.sleep(PATIENCE / 10)
            if change == "remove":
                inventory.reserve("order:1", {small.pk: 1}, expires_at=timezone.now())
            share_keys()

    def overwrite() -> importing.Report:
        has_cart.wait(PATIENCE)
        return load("S" if change == "remove" else "SM", turn=1, products=1)

    monkeypatch.setattr(cart_lines, "locked", lock_and_tell)
    before = deadlocks()
    ordered, report = at_once(order, overwrite)
    assert ordered is None
    assert (report.updated, report.problems) == (1, [])
    assert deadlocks() == before
    assert set(Variant.objects.values_list("options__0__value", "sku")) == (
        {("S", "0-S")} if change == "remove" else {("S", "0-M"), ("M", "0-S")}
    )
    assert Stock.objects.get(variant=small).reserved == 1
    assert inventory.discrepancies() == []


def test_imports_in_file_order_and_checkouts_in_the_opposite_one(
    selling: SimpleNamespace, at_once: Any
) -> None:
    load("SML")
    before = deadlocks()
    turns = 6

    def importer() -> None:
        for turn in range(1, turns + 1):
            load("SML" if turn % 2 == 0 else "SM", turn=turn)

    def buyer(seed: int) -> Callable[[], int]:
        draw = random.Random(seed)

        def run() -> int:
            ordered = 0
            for _ in range(turns):
                rows = [*sizes_of("M"), *sizes_of("L"), *sizes_of("S")]
                rows = draw.sample(rows, 8) if seed % 2 else rows[:10]
                try:
                    lines = [(row, 1) for row in rows]
                    # As the API does: a variant may be deleted while a cart gets a line of it.
                    cart, _ = retried(lambda lines=lines: ready(AnonymousUser(), *lines))
                    wish = checkout.Wish(
                        cart=cart,
                        user=AnonymousUser(),
                        provider="demo",
                        method="ok",
                        expected_total=carts.priced(cart).price.total,
                    )
                    ordered += checkout.complete(wish, key=None).order.lines.count() > 0
                except ShopError as error:
                    if error.code not in EXPECTED:
                        raise
            return ordered

        return run

    imported, *bought = at_once(importer, *[buyer(seed) for seed in range(4)])
    assert imported is None
    assert all(isinstance(count, int) for count in bought), bought
    assert sum(bought) > 0
    assert deadlocks() == before
    # Each row of the last file is in the shop.
    load("SML", turn=turns)
    found = Variant.objects.filter(product__slug__startswith="jug-").select_related("stock")
    assert {
        (row.product_id, row.options[0]["value"]): (row.sku, row.stock.on_hand) for row in found
    } == {
        (pk, size): (f"{number}-{size}", 1000 + turns)
        for number, pk in enumerate(
            ImportRecord.objects.order_by("pk").values_list("product", flat=True)
        )
        for size in "SML"
    }
    assert inventory.discrepancies() == []
