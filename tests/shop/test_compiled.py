"""A compiled queryset finds what the queryset finds, whatever the values, and is compiled once."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from shop.actions.rows import hold, locked
from shop.compiled import Compiled
from shop.errors import NotFound
from shop.models import Cart, Category, Product, Stock, Variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def built() -> list[str]:
    return []


@pytest.fixture
def of_keys(built: list[str]) -> Compiled[Variant]:
    def build(keys: Any) -> Any:
        built.append("built")
        rows = Variant.objects.filter(pk__in=keys)
        return rows.select_related("product__brand", "stock").order_by("-price", "pk")

    return Compiled(build)


def columns(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_it_finds_the_same_objects_with_all_that_was_selected_with_them(
    world: SimpleNamespace, of_keys: Compiled[Variant], django_assert_num_queries: Any
) -> None:
    world.add(3)
    expected = list(
        Variant.objects.select_related("product__brand", "stock").order_by("-price", "pk")
    )
    assert len(expected) >= 3
    with django_assert_num_queries(1):
        found = of_keys.all(keys=[row.pk for row in expected])
        seen = [(row.product.name, row.product.brand.name) for row in found]
    assert [columns(row) for row in found] == [columns(row) for row in expected]
    assert seen == [(row.product.name, row.product.brand.name) for row in expected]
    assert all(not row._state.adding and row._state.db == "default" for row in found)


def test_what_is_not_there_of_another_table_is_none(
    world: SimpleNamespace, of_keys: Compiled[Variant], django_assert_num_queries: Any
) -> None:
    world.add(1)
    variant = Variant.objects.first()
    assert variant
    Stock.objects.filter(variant=variant).delete()
    (found,) = of_keys.all(keys=[variant.pk])
    with django_assert_num_queries(0):
        assert getattr(found, "stock", None) is None


def test_it_is_built_once_for_each_length_of_a_list(
    world: SimpleNamespace, of_keys: Compiled[Variant], built: list[str]
) -> None:
    world.add(3)
    first, second, third = Variant.objects.order_by("pk")[:3]
    assert [row.pk for row in of_keys.all(keys=[first.pk])] == [first.pk]
    assert [row.pk for row in of_keys.all(keys=[second.pk])] == [second.pk]
    assert len(built) == 1
    assert {row.pk for row in of_keys.all(keys=[first.pk, third.pk])} == {first.pk, third.pk}
    assert len(built) == 2
    assert of_keys.all(keys=[]) == []
    long = [first.pk] * 101
    assert len(of_keys.all(keys=long)) == len(of_keys.all(keys=long)) == 1
    assert len(built) == 5


def test_a_change_is_seen_by_the_next_run(world: SimpleNamespace) -> None:
    world.add(1)
    of_name: Compiled[Product] = Compiled(lambda name: Product.objects.filter(name=name))
    product = Product.objects.first()
    assert product
    assert of_name.first(name=product.name) == product
    Product.objects.filter(pk=product.pk).update(name="Ladle")
    assert of_name.first(name=product.name) is None
    found = of_name.first(name="Ladle")
    assert found
    assert (found.pk, found.name) == (product.pk, "Ladle")


def test_values_are_never_part_of_the_statement(world: SimpleNamespace) -> None:
    world.add(1)
    of_name: Compiled[Product] = Compiled(lambda name: Product.objects.filter(name=name))
    for name in ("' OR 1=1 --", "%s", "100%", 'a"b', "\\"):
        assert of_name.all(name=name) == []
        Product.objects.update(name=name)
        assert {row.name for row in of_name.all(name=name)} == {name}


def test_it_reads_values_as_well(world: SimpleNamespace) -> None:
    world.add(1)
    names: Compiled[str] = Compiled(
        lambda key: Product.objects.filter(pk=key).values_list("name", flat=True)
    )
    pairs: Compiled[tuple[int, str]] = Compiled(
        lambda key: Product.objects.filter(pk=key).values_list("pk", "name")
    )
    product = Product.objects.first()
    assert product
    assert names.all(key=product.pk) == [product.name]
    assert pairs.all(key=product.pk) == [(product.pk, product.name)]


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_within_transactions_only(world: SimpleNamespace) -> None:
    world.add(1)
    product = Product.objects.first()
    assert product
    held: Compiled[Product] = Compiled(lambda key: locked(Product.objects.filter(pk=key)))
    with transaction.atomic():
        assert held.first(key=product.pk) == product
    if connection.features.has_select_for_update:
        with pytest.raises(TransactionManagementError):
            held.first(key=product.pk)


def test_times_and_json_are_read_alike_in_every_thread(selling: SimpleNamespace) -> None:
    of_key: Compiled[Cart] = Compiled(lambda key: Cart.objects.filter(pk=key))
    address = {"country": "DE", "lines": [1, None]}
    cart = Cart.objects.create(digest="0" * 64, currency="EUR", shipping_address=address)
    expected = columns(Cart.objects.get(pk=cart.pk))
    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(of_key._compile({"key": 1})))
    thread.start()
    thread.join()
    (found,) = made[0].run({"key": cart.pk})
    assert columns(found) == expected
    assert found.shipping_address == address


def test_threads_that_compile_at_once_all_find_it(world: SimpleNamespace) -> None:
    slow = threading.Barrier(4, timeout=10)

    def build(number: Any) -> Any:
        slow.wait()
        return Category.objects.filter(pk=number).values_list("pk", flat=True)

    of_key: Compiled[int] = Compiled(build)
    made: list[Any] = []
    threads = [
        threading.Thread(target=lambda: made.append(of_key._compile({"number": 1})))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({statement.sql for statement in made}) == 1


def test_a_held_row_is_as_it_is_now_and_forgets_what_it_knew_of_others(
    world: SimpleNamespace,
) -> None:
    world.add(1)
    product = Product.objects.select_related("brand", "category").first()
    assert product
    Product.objects.filter(pk=product.pk).update(name="Ladle", category=world.garden)
    with transaction.atomic():
        hold(product)
        assert (product.name, product.category) == ("Ladle", world.garden)
        Product.objects.filter(pk=product.pk).update(brand=None)
        hold(product)
        assert product.brand is None
    gone = Category.objects.create(name="Gone", slug="gone")
    Category.objects.filter(pk=gone.pk).delete()
    with transaction.atomic(), pytest.raises(NotFound, match="deleted"):
        hold(gone)
