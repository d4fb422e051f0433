"""What was written past the actions is found and set right."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.actions.catalog import derived
from shop.models import Brand, Product, Variant

pytestmark = pytest.mark.django_db


def columns(product: Product) -> dict[str, Any]:
    return Product.objects.filter(pk=product.pk).values(*derived.DERIVED_FIELDS).get()


@pytest.fixture
def gauges(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What was measured last, by name."""
    seen: dict[str, float] = {}
    monkeypatch.setattr(derived.metrics, "gauge", lambda name, value: seen.update({name: value}))
    return seen


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Errors that were logged."""
    lines: list[str] = []
    monkeypatch.setattr(
        derived.logger, "error", lambda text, *args: lines.append(text % args if args else text)
    )
    return lines


def test_a_healthy_shop_has_nothing_to_repair(
    world: SimpleNamespace, logged: list[str], gauges: dict[str, float], dump: Any
) -> None:
    before = dump()
    assert derived.repair() == []
    assert dump() == before
    assert (logged, gauges) == ([], {"catalog.drifted": 0})


@pytest.mark.parametrize(
    "drift",
    [
        lambda product: product.variants.filter(price=100).update(price=1),
        lambda product: product.variants.filter(price=103).update(price=9900),
        lambda product: product.variants.filter(price=100).delete(),
        lambda product: product.variants.filter(price=100).update(sku="ELSE"),
        lambda product: product.variants.filter(price=100).update(
            options=[{"name": "Size", "value": "Huge"}]
        ),
        lambda product: Brand.objects.update(name="Spoonfield"),
        lambda product: Product.objects.filter(pk=product.pk).update(name="Cup"),
        lambda product: Product.objects.filter(pk=product.pk).update(min_price=5),
        lambda product: Product.objects.filter(pk=product.pk).update(search_text=""),
        lambda product: Product.objects.filter(pk=product.pk).update(options=[]),
    ],
    ids=["low", "high", "gone", "sku", "option", "brand", "name", "min", "text", "options"],
)
def test_drift_is_found_and_repaired(drift: Any, world: SimpleNamespace) -> None:
    product = world.products[0]
    drift(product)
    stale = columns(product)
    assert product.pk in derived.repair()
    repaired = columns(product)
    assert repaired != stale
    assert derived.repair() == []
    derived.refresh([product.pk])
    assert columns(product) == repaired


def test_only_those_that_drifted_are_reported_and_touched(
    world: SimpleNamespace, logged: list[str], gauges: dict[str, float]
) -> None:
    first, second, third, _ = world.products
    for product in (third, first):
        product.variants.update(price=4200)
    untouched = Product.objects.filter(pk=second.pk).values().get()
    assert derived.repair() == [first.pk, third.pk]
    assert columns(third)["min_price"] == columns(third)["max_price"] == 4200
    assert Product.objects.filter(pk=second.pk).values().get() == untouched
    assert logged == [
        f"Derived columns of 2 products had drifted: {[first.pk, third.pk]}",
    ]
    assert gauges == {"catalog.drifted": 2}


def test_a_published_product_without_prices_is_reported_and_does_not_stop_the_others(
    world: SimpleNamespace, logged: list[str]
) -> None:
    bare, other = world.products[0], world.products[1]
    before = columns(bare)
    bare.variants.update(price=None)
    other.variants.update(price=4200)
    assert derived.repair() == [bare.pk, other.pk]
    assert columns(bare) == before
    assert columns(other)["min_price"] == 4200
    assert logged[0] == f"Product {bare.pk} is published without a price."


def test_a_draft_without_prices_is_repaired(world: SimpleNamespace) -> None:
    product = world.products[0]
    Product.objects.filter(pk=product.pk).update(status="draft")
    Variant.objects.filter(product=product).update(price=None)
    assert derived.repair() == [product.pk]
    assert columns(product)["min_price"] is None


def test_looking_takes_constant_sql_for_each_batch(
    world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert derived.repair() == []
        return len(captured)

    few = statements()
    world.add(4)
    assert statements() == few == 3
    monkeypatch.setattr(derived, "_REFRESH_BATCH", 2)
    # Eight products in four batches, products and variants; and one look at the end.
    assert statements() == 4 * 2 + 1


def test_drift_is_found_in_every_batch(
    world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived, "_REFRESH_BATCH", 1)
    Variant.objects.update(price=4200)
    assert derived.repair() == [product.pk for product in world.products]
    assert set(Product.objects.values_list("min_price", "max_price")) == {(4200, 4200)}


def test_a_finding_is_logged_where_staff_see_it(
    world: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("shop.actions.catalog.derived")
    logger.addHandler(caplog.handler)
    try:
        Variant.objects.update(price=4200)
        derived.repair()
    finally:
        logger.removeHandler(caplog.handler)
    assert "ERROR" in {record.levelname for record in caplog.records}
