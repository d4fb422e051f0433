"""Every change of the catalog tells what happened, once, and a refused one tells nothing."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from PIL import Image

from shop.actions import importing
from shop.actions.catalog import categories, media, products, taxonomy, variants
from shop.errors import ShopError
from shop.models import Category, OutboxEvent, Product

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
