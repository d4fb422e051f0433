"""Several requests write the same rows at once."""

from typing import Any

import pytest

from shop.actions.catalog import categories, products, taxonomy, variants
from shop.models import Brand, Product, Variant

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
CREATE = """mutation($name: String!) {
  productCreate(input: {name: $name, variants: [{sku: "ONE", price: "1"}]}) {
    product { slug } userErrors { code field } } }"""


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_products_with_one_sku_one_wins(
    attempt: int, at_once: Any, send: Any, staff: Any
) -> None:
    answers = at_once(
        lambda: send(CREATE, staff, name="Left"), lambda: send(CREATE, staff, name="Right")
    )
    assert not any("errors" in answer for answer in answers)
    payloads = [answer["data"]["productCreate"] for answer in answers]
    (won,) = [payload for payload in payloads if not payload["userErrors"]]
    (lost,) = [payload for payload in payloads if payload["userErrors"]]
    assert lost == {
        "product": None,
        "userErrors": [{"code": "DUPLICATE_SKU", "field": ["variants", "0", "sku"]}],
    }
    assert Product.objects.get().slug == won["product"]["slug"]


@pytest.mark.parametrize("attempt", range(5))
def test_prices_changed_at_once_leave_the_lowest_price_right(attempt: int, at_once: Any) -> None:
    product = products.create(
        name="Mug",
        variants=[
            {"price": 1000 + place, "options": [{"name": "Size", "value": str(place)}]}
            for place in range(4)
        ],
    )
    rows = list(product.variants.order_by("position"))
    at_once(
        *[
            lambda row=row, price=price: variants.reprice(row, price=price)
            for row, price in zip(rows, (700, 300, 900, 500), strict=True)
        ]
    )
    product.refresh_from_db()
    assert (product.min_price, product.max_price) == (300, 900)


@pytest.mark.parametrize("attempt", range(5))
def test_two_changes_of_one_product_at_once_are_both_kept(attempt: int, at_once: Any) -> None:
    product = products.create(name="Mug")
    brand = taxonomy.create_brand(name="Acme")
    first, second = (Product.objects.get(pk=product.pk) for _ in range(2))
    at_once(
        lambda: products.update(first, brand=brand),
        lambda: products.update(second, seo_title="A mug"),
    )
    product.refresh_from_db()
    assert (product.brand, product.seo_title) == (brand, "A mug")


@pytest.mark.parametrize("attempt", range(5))
def test_a_brand_is_not_deleted_under_a_new_product(
    attempt: int, at_once: Any, send: Any, staff: Any, gid: Any
) -> None:
    brand = taxonomy.create_brand(name="Acme")
    create = """mutation($b: ID!) { productCreate(input: {name: "Mug", brand: $b}) {
      product { slug } userErrors { code field } } }"""
    delete = "mutation($b: ID!) { brandDelete(input: {id: $b}) { userErrors { code } } }"
    answers = at_once(
        lambda: send(create, staff, b=gid(brand)), lambda: send(delete, staff, b=gid(brand))
    )
    assert not any("errors" in answer for answer in answers), answers
    outcome = (
        [error["code"] for error in answers[0]["data"]["productCreate"]["userErrors"]],
        [error["code"] for error in answers[1]["data"]["brandDelete"]["userErrors"]],
    )
    assert outcome in [([], ["IN_USE"]), (["NOT_FOUND"], [])]
    assert Brand.objects.count() == Product.objects.count()


@pytest.mark.parametrize("attempt", range(3))
def test_a_variant_is_not_brought_back_by_a_late_update(attempt: int, at_once: Any) -> None:
    product = products.create(name="Mug", variants=[{"sku": "ONE"}])
    first, second = (Variant.objects.get(sku="ONE") for _ in range(2))
    at_once(lambda: variants.delete(first), lambda: variants.update(second, price=100))
    product.refresh_from_db()
    assert (Variant.objects.count(), product.min_price) == (0, None)


@pytest.mark.parametrize("attempt", range(5))
def test_renaming_a_brand_and_repricing_its_products_do_not_deadlock(
    attempt: int, at_once: Any
) -> None:
    brand = taxonomy.create_brand(name="Acme")
    rows = [
        products.create(name=f"Mug {n}", brand=brand, variants=[{"price": 100}]).variants.get()
        for n in range(3)
    ]

    def rename() -> None:
        for number in range(10):
            taxonomy.update_brand(Brand.objects.get(), name=f"Acme {number}")

    def reprice() -> None:
        for number in range(10):
            for row in reversed(rows):
                variants.reprice(row, price=number + 1)

    assert at_once(rename, reprice) == [None, None]
    assert set(Product.objects.values_list("min_price", flat=True)) == {10}
    assert all("acme 9" in text for text in Product.objects.values_list("search_text", flat=True))


@pytest.mark.parametrize("attempt", range(5))
def test_deleting_a_category_and_editing_its_products_do_not_deadlock(
    attempt: int, at_once: Any
) -> None:
    tops = [categories.create(name=f"Top {n}") for n in range(10)]
    rows = [products.create(name=f"Mug {n}", category=top) for n, top in enumerate(tops)]

    def delete() -> None:
        for top in tops:
            categories.delete(top, move_contents=True)

    def edit() -> None:
        for row in rows:
            products.update(row, seo_title="Edited")

    assert at_once(delete, edit) == [None, None]
    assert Product.objects.filter(category=None, seo_title="Edited").count() == 10
