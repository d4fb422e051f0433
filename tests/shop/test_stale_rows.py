"""Rows in hand may be older than the database: someone else has written or deleted them since."""

from typing import Any

import pytest

from shop.actions.catalog import media, products, taxonomy, variants
from shop.errors import NotFound
from shop.models import Attribute, Brand, Collection, Media, Product, Variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def product() -> Product:
    row = products.create(name="Mug", variants=[{"sku": "MUG", "price": 100}])
    media.add_url(row, "https://example.org/1.jpg")
    taxonomy.create_brand(name="Acme")
    taxonomy.create_attribute(name="Material")
    taxonomy.create_collection(name="Gifts")
    return row


def test_an_update_of_a_product_writes_only_what_it_is_given(product: Product) -> None:
    stale = Product.objects.get(pk=product.pk)
    products.update(product, seo_title="A mug", brand=Brand.objects.get(), status="published")
    products.update(stale, name="Cup")
    row = Product.objects.get(pk=product.pk)
    assert (row.name, row.seo_title, row.brand.name, row.status) == (
        "Cup",
        "A mug",
        "Acme",
        "published",
    )


def test_a_status_is_set_on_the_product_as_it_is_now(product: Product) -> None:
    stale = Product.objects.get(pk=product.pk)
    since = products.publish(product).published_at
    Product.objects.filter(pk=product.pk).update(published_at=since.replace(year=2020))
    products.publish(stale)
    assert Product.objects.get(pk=product.pk).published_at == since.replace(year=2020)


def test_an_update_of_a_variant_writes_only_what_it_is_given(product: Product) -> None:
    first, stale = (Variant.objects.get() for _ in range(2))
    variants.update(first, price=500, compare_at=900, barcode="77")
    variants.update(stale, sku="CUP")
    row = Variant.objects.get()
    assert (row.sku, row.price, row.compare_at, row.barcode) == ("CUP", 500, 900, "77")
    assert Product.objects.get(pk=product.pk).min_price == 500


@pytest.mark.parametrize(
    ("model", "update"),
    [
        (Brand, taxonomy.update_brand),
        (Attribute, taxonomy.update_attribute),
        (Collection, taxonomy.update_collection),
    ],
)
def test_an_update_of_a_name_keeps_a_newer_slug(model: Any, update: Any, product: Product) -> None:
    stale = model.objects.get()
    update(model.objects.get(), slug="newer")
    update(stale, name="Newer")
    assert model.objects.values_list("name", "slug").get() == ("Newer", "newer")


@pytest.mark.parametrize(
    ("model", "update"),
    [
        (Product, lambda row: products.update(row, name="Back")),
        (Product, products.publish),
        (Product, products.delete),
        (Product, lambda row: variants.create(row, sku="NEW")),
        (Product, lambda row: media.add_url(row, "https://example.org/2.jpg")),
        (Variant, lambda row: variants.update(row, price=5)),
        (Media, lambda row: media.update(row, alt="Back")),
        (Media, lambda row: media.update(row, position=1)),
        (Brand, lambda row: taxonomy.update_brand(row, name="Back")),
        (Attribute, lambda row: taxonomy.update_attribute(row, name="Back")),
        (Attribute, lambda row: taxonomy.update_attribute(row, add_values=["Clay"])),
        (Collection, lambda row: taxonomy.update_collection(row, name="Back")),
        (Collection, lambda row: taxonomy.update_collection(row, products=[])),
    ],
)
def test_what_is_deleted_stays_deleted(
    model: Any, update: Any, product: Product, dump: Any
) -> None:
    stale = model.objects.get()
    model.objects.get().delete()
    before = dump()
    with pytest.raises(NotFound):
        update(stale)
    assert dump() == before
