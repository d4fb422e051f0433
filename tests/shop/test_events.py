"""Every change of the catalog tells what happened, once, and a refused one tells nothing."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from PIL import Image

from shop import events
from shop.actions import importing
from shop.actions.catalog import categories, media, products, taxonomy, variants
from shop.errors import ShopError
from shop.models import Category, OutboxEvent, Product
from tests.shop.telling import told_once

pytestmark = pytest.mark.django_db

Told = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def told(world: SimpleNamespace) -> Told:
    """`told()`: topics and aggregates of the events since the world was made, or since asked."""
    last = [OutboxEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0]

    def read() -> list[tuple[str, str]]:
        rows = OutboxEvent.objects.filter(id__gt=last[0]).order_by("id")
        found = list(rows.values_list("topic", "aggregate"))
        last[0] = max([last[0], *rows.values_list("id", flat=True)])
        return found

    return read


CHANGES: dict[str, tuple[Callable[[SimpleNamespace], Any], str, Callable[[Any], Any]]] = {
    "product.update": (
        lambda w: products.update(w.products[0], name="Beaker", status="archived"),
        "product.updated",
        lambda w: w.products[0],
    ),
    "product.set_status": (
        lambda w: products.set_status(w.products[0], "draft"),
        "product.updated",
        lambda w: w.products[0],
    ),
    "variant.create": (
        lambda w: variants.create(
            w.products[0], options=[{"name": "Size", "value": "XXL"}], price=100
        ),
        "product.updated",
        lambda w: w.products[0],
    ),
    "variant.update": (
        lambda w: variants.reprice(w.products[0].variants.first(), price=7),
        "product.updated",
        lambda w: w.products[0],
    ),
    "variant.delete": (
        lambda w: variants.delete(w.products[0].variants.first()),
        "product.updated",
        lambda w: w.products[0],
    ),
    "media.add_url": (
        lambda w: media.add_url(w.products[0], "https://pictures.example.org/new.jpg"),
        "product.updated",
        lambda w: w.products[0],
    ),
    "media.update": (
        lambda w: media.update(w.products[0].media.first(), alt="A cup", position=2),
        "product.updated",
        lambda w: w.products[0],
    ),
    "media.delete": (
        lambda w: media.delete(w.products[0].media.first()),
        "product.updated",
        lambda w: w.products[0],
    ),
    "category.update": (
        lambda w: categories.update(w.mugs, name="Cups", parent=w.garden),
        "category.updated",
        lambda w: w.mugs,
    ),
    "category.move": (
        lambda w: categories.move(w.mugs, w.garden),
        "category.updated",
        lambda w: w.mugs,
    ),
    "brand.update": (
        lambda w: taxonomy.update_brand(w.brand, name="Spoonmoor"),
        "brand.updated",
        lambda w: w.brand,
    ),
    "attribute.update": (
        lambda w: taxonomy.update_attribute(w.material, add_values=["Tin", "Oak"]),
        "attribute.updated",
        lambda w: w.material,
    ),
    "value.rename": (
        lambda w: taxonomy.rename_value(w.clay, "Stoneware"),
        "attribute.updated",
        lambda w: w.material,
    ),
    "value.delete": (
        lambda w: taxonomy.delete_value(w.clay),
        "attribute.updated",
        lambda w: w.material,
    ),
    "collection.update": (
        lambda w: taxonomy.update_collection(w.collection, name="Presents", products=w.products),
        "collection.updated",
        lambda w: w.collection,
    ),
    "collection.set_products": (
        lambda w: taxonomy.set_products(w.collection, w.products[:1]),
        "collection.updated",
        lambda w: w.collection,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_tells_once_what_changed(world: SimpleNamespace, told: Told, change: str) -> None:
    act, topic, subject = CHANGES[change]
    row = subject(world)
    act(world)
    assert told() == [(topic, f"{row._meta.model_name}:{row.pk}")]


def test_what_is_made_is_told_once(world: SimpleNamespace, told: Told) -> None:
    made = [
        ("product", products.create(name="Jug", variants=[{"price": 1}], status="published")),
        ("category", categories.create(name="Jugs", parent=world.kitchen)),
        ("brand", taxonomy.create_brand(name="Potts")),
        ("attribute", taxonomy.create_attribute(name="Shape", values=["Round"])),
        ("collection", taxonomy.create_collection(name="New", products=world.products)),
    ]
    assert told() == [(f"{kind}.created", f"{kind}:{row.pk}") for kind, row in made]


def test_what_is_deleted_is_told_with_its_name(world: SimpleNamespace, told: Told) -> None:
    rows = [world.products[0], world.collection, world.material, world.garden]
    keys = [f"{row._meta.model_name}:{row.pk}" for row in rows]
    products.delete(rows[0])
    taxonomy.delete_collection(rows[1])
    taxonomy.delete_attribute(rows[2])
    categories.delete(rows[3])
    kinds = ["product", "collection", "attribute", "category"]
    assert told() == [(f"{kind}.deleted", key) for kind, key in zip(kinds, keys, strict=True)]
    payload = OutboxEvent.objects.get(topic="product.deleted").payload
    assert payload["slug"] == "mug-1"


def test_a_removed_category_tells_of_what_moved_up(world: SimpleNamespace, told: Told) -> None:
    mugs, drinkware = world.mugs, world.drinkware
    inside = Product.objects.filter(category=drinkware).order_by("pk")
    keys = [("product.updated", f"product:{pk}") for pk in inside.values_list("pk", flat=True)]
    gone = f"category:{drinkware.pk}"
    categories.delete(drinkware, move_contents=True)
    assert told() == [
        ("category.updated", f"category:{mugs.pk}"),
        *keys,
        ("category.deleted", gone),
    ]
    assert Category.objects.get(pk=mugs.pk).parent_id == world.kitchen.pk


def test_an_upload_asks_for_thumbnails(world: SimpleNamespace, told: Told) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (8, 8)).save(drawn, "PNG")
    row = media.add_upload(world.products[0], ContentFile(drawn.getvalue(), "mug.png"))
    product = f"product:{world.products[0].pk}"
    assert told() == [("media.uploaded", f"media:{row.pk}"), ("product.updated", product)]


def test_a_refused_change_tells_nothing(world: SimpleNamespace, told: Told) -> None:
    with pytest.raises(ShopError), transaction.atomic():
        products.update(world.products[0], name="Other", slug="mug-2")
    assert told() == []


def test_an_import_tells_of_each_product_that_it_wrote(
    world: SimpleNamespace, told: Told, tmp_path: Path
) -> None:
    def run(price: str, **options: Any) -> list[str]:
        file = tmp_path / "products.csv"
        file.write_text(
            "Handle,Title,Vendor,Variant Price\n"
            f"bowl,Bowl,Ladlemoor,{price}\nplate,Plate,Potts,2.00\n"
        )
        importing.run([file], **options)
        return [topic for topic, _ in told()]

    assert run("3.00", dry_run=True) == []
    assert run("3.00") == ["brand.created", "product.created", "product.created"]
    assert run("3.00") == []
    assert run("4.00") == ["product.updated"]


# --- Once in a transaction ------------------------------------------------------------------------


def payloads_of(row: Any, topic: str = "product.updated") -> list[dict[str, Any]]:
    aggregate = f"{row._meta.model_name}:{row.pk}"
    rows = OutboxEvent.objects.filter(aggregate=aggregate, topic=topic).order_by("sequence")
    return list(rows.values_list("payload", flat=True))


def test_changes_of_one_transaction_are_told_once_with_the_final_state(
    world: SimpleNamespace, told: Told
) -> None:
    row, other = world.products[:2]
    with transaction.atomic():
        products.set_status(row, "draft")
        variants.reprice(row.variants.first(), price=700)
        products.update(other, name="Bowl")
        products.update(row, name="Beaker")
        products.set_status(row, "published")
    assert told() == [
        ("product.updated", f"product:{row.pk}"),
        ("product.updated", f"product:{other.pk}"),
    ]
    assert payloads_of(row)[-1] == {
        "id": row.pk,
        "slug": row.slug,
        "name": "Beaker",
        "status": "published",
    }


def test_changes_of_two_transactions_are_told_twice(world: SimpleNamespace, told: Told) -> None:
    row = world.products[0]
    for status in ("draft", "published"):
        with transaction.atomic():
            products.set_status(row, status)
    assert told() == [("product.updated", f"product:{row.pk}")] * 2
    assert [payload["status"] for payload in payloads_of(row)[-2:]] == ["draft", "published"]


def test_an_update_is_part_of_the_creation_in_its_transaction(told: Told) -> None:
    with transaction.atomic():
        row = products.create(name="Jug", variants=[{"price": 1}])
        media.add_url(row, "https://pictures.example.org/new.jpg")
        products.publish(row)
    assert told() == [("product.created", f"product:{row.pk}")]
    assert payloads_of(row, "product.created")[0]["status"] == "published"


def test_an_update_is_part_of_the_deletion_in_its_transaction(
    world: SimpleNamespace, told: Told
) -> None:
    row = world.products[0]
    key = f"product:{row.pk}"
    with transaction.atomic():
        products.update(row, name="Beaker")
        products.delete(row)
    assert told() == [("product.deleted", key)]
    last = OutboxEvent.objects.get(topic="product.deleted", aggregate=key)
    assert (last.payload["name"], last.payload["status"]) == ("Beaker", "published")


def test_a_savepoint_that_is_rolled_back_takes_its_part_along(
    world: SimpleNamespace, told: Told
) -> None:
    row, other = world.products[:2]

    def undone(call: Callable[[], Any]) -> None:
        with transaction.atomic():
            call()
            transaction.set_rollback(True)

    with transaction.atomic():
        undone(lambda: products.update(other, name="Never"))
        products.update(row, name="First")
        undone(lambda: products.update(row, name="Never"))
        undone(lambda: products.delete(Product.objects.get(pk=row.pk)))
        variants.reprice(row.variants.first(), price=700)
        undone(lambda: products.update(other, name="Never"))
        products.update(other, name="Second")
    assert told() == [
        ("product.updated", f"product:{row.pk}"),
        ("product.updated", f"product:{other.pk}"),
    ]
    assert payloads_of(row)[-1]["name"] == "First"
    assert payloads_of(other)[-1]["name"] == "Second"
    sequences = OutboxEvent.objects.filter(aggregate=f"product:{row.pk}").order_by("sequence")
    assert list(sequences.values_list("sequence", flat=True)) == list(
        range(1, sequences.count() + 1)
    )


def test_events_about_different_parts_of_a_subject_are_told_each(
    world: SimpleNamespace, told: Told
) -> None:
    row = world.products[0]
    with transaction.atomic():
        for number in (1, 2, 1):
            events.emit("order.refunded", row, refund=number)
        events.emit("order.updated", row, changed=["email"])
        events.emit("order.updated", row, changed=["shippingAddress", "email"])
    assert [topic for topic, _ in told()] == ["order.refunded", "order.refunded", "order.updated"]
    assert [one["refund"] for one in payloads_of(row, "order.refunded")] == [1, 2]
    assert payloads_of(row, "order.updated")[0]["changed"] == ["email", "shippingAddress"]


def test_one_call_tells_a_subject_once(world: SimpleNamespace, told: Told) -> None:
    with transaction.atomic():
        events.write(("product.updated", "product:1", {"id": 1, "n": n}) for n in range(3))
    assert told() == [("product.updated", "product:1")]
    assert OutboxEvent.objects.order_by("-pk")[0].payload == {"id": 1, "n": 2}


def test_telling_again_takes_two_statements(world: SimpleNamespace) -> None:
    counts = []
    for number in (2, 4):
        rows = world.products[:number]
        with transaction.atomic():
            events.emit_all("product.updated", rows, status="draft")
            with CaptureQueriesContext(connection) as captured:
                events.emit_all("product.updated", rows, status="published")
        counts.append(len(captured))
    assert counts == [2, 2]


def test_an_import_tells_each_topic_of_a_subject_once(
    world: SimpleNamespace, tmp_path: Path
) -> None:
    file = tmp_path / "products.csv"
    header = "Handle,Title,Vendor,Type,Option1 Name,Option1 Value,Variant Price,Image Src\n"
    prices = {"3.00": "product.created", "4.00": "product.updated"}
    for price, topic in prices.items():
        rows = [
            f"bowl-{number},Bowl,Potts,Kitchen,Size,{size},{price},"
            f"https://pictures.example.org/{number}-{size}.jpg"
            for number in range(3)
            for size in "SML"
        ]
        file.write_text(header + "\n".join(rows) + "\n")
        with told_once() as found:
            importing.run([file])
        assert [event.topic for event in found].count(topic) == 3
