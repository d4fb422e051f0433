"""Variants through the API, and what their prices do to the product."""

from types import SimpleNamespace
from typing import Any

import pytest

from shop.models import Variant

FIELDS = """variant {
  sku name options { name value } price { amount } compareAt { amount } weightGrams barcode position
  image { id } product { slug minPrice { amount } maxPrice { amount } options { name values } }
}"""
SIZE_XS = [{"name": "Size", "value": "XS"}]


def test_create_writes_every_field_and_is_last(mug: SimpleNamespace, mutate: Any) -> None:
    payload = mutate(
        "variantCreate",
        FIELDS,
        product=mug.id,
        sku=" MUG-1-XS ",
        options=SIZE_XS,
        price="0.5",
        compareAt="0.75",
        weightGrams=200,
        barcode="123",
        image=mug.media[1],
    )
    assert payload["userErrors"] == []
    assert payload["variant"] == {
        # Blanks are a part of it.
        "sku": " MUG-1-XS ",
        "name": "XS",
        "options": SIZE_XS,
        "price": {"amount": "0.50"},
        "compareAt": {"amount": "0.75"},
        "weightGrams": 200,
        "barcode": "123",
        "position": 4,
        "image": {"id": mug.media[1]},
        "product": {
            "slug": "mug-1",
            "minPrice": {"amount": "0.50"},
            "maxPrice": {"amount": "1.03"},
            "options": [{"name": "Size", "values": ["S", "M", "L", "X", "XS"]}],
        },
    }


REFUSED = [
    ({"sku": "MUG-2-S"}, ("DUPLICATE_SKU", ["sku"])),
    ({"price": "-1"}, ("INVALID_PRICE", ["price"])),
    ({"price": "0.001"}, ("INVALID_PRICE", ["price"])),
    ({"price": "3", "compareAt": "3"}, ("COMPARE_AT_NOT_ABOVE_PRICE", ["compareAt"])),
    ({"price": "3", "compareAt": "-4"}, ("INVALID_PRICE", ["compareAt"])),
    ({"weightGrams": -1}, ("INVALID", ["weightGrams"])),
    ({"barcode": "1" * 65}, ("INVALID", ["barcode"])),
    ({"options": [{"name": "SIZE", "value": "m"}]}, ("DUPLICATE_OPTIONS", ["options"])),
    ({"options": [{"name": "Size", "value": ""}]}, ("INVALID", ["options", "0"])),
]


@pytest.mark.parametrize(("given", "expected"), REFUSED)
def test_create_refuses(
    given: dict[str, Any], expected: Any, mug: SimpleNamespace, refuse: Any
) -> None:
    given = {"options": SIZE_XS} | given
    assert refuse("variantCreate", product=mug.id, **given) == expected


@pytest.mark.parametrize(("given", "expected"), REFUSED)
def test_update_refuses(
    given: dict[str, Any], expected: Any, mug: SimpleNamespace, refuse: Any
) -> None:
    assert refuse("variantUpdate", id=mug.variants[0], **given) == expected


@pytest.mark.parametrize("mutation", ["variantCreate", "variantUpdate"])
def test_a_picture_of_another_product_is_refused(
    mutation: str, world: SimpleNamespace, mug: SimpleNamespace, refuse: Any, gid: Any
) -> None:
    subject = {"product": mug.id} if mutation == "variantCreate" else {"id": mug.variants[0]}
    foreign = gid(world.products[1].media.first())
    given = subject | {"image": foreign, "options": SIZE_XS}
    assert refuse(mutation, **given) == ("NOT_FOUND", ["image"])


def test_an_unknown_picture_is_refused(mug: SimpleNamespace, refuse: Any, unknown: Any) -> None:
    given = {"id": mug.variants[0], "image": unknown("Media")}
    assert refuse("variantUpdate", **given) == ("NOT_FOUND", ["image"])


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("sku", {"sku": None}),
        ("compareAt", {"compareAt": None}),
        ("barcode", {"barcode": ""}),
        ("image", {"image": None}),
        ("weightGrams", {"weightGrams": 0}),
        ("price", {"price": None, "compareAt": None}),
    ],
)
def test_null_clears_one_field_and_leaves_the_rest(
    field: str, expected: dict[str, Any], mug: SimpleNamespace, mutate: Any
) -> None:
    full = mutate(
        "variantUpdate",
        FIELDS,
        id=mug.variants[2],
        compareAt="50",
        barcode="77",
        image=mug.media[0],
        position=9,
    )["variant"]
    after = mutate("variantUpdate", FIELDS, id=mug.variants[2], **{field: None})
    assert after == {"userErrors": [], "variant": full | expected}


def test_an_empty_sku_counts_as_none(mug: SimpleNamespace, mutate: Any) -> None:
    for variant in mug.variants[:2]:
        payload = mutate("variantUpdate", "variant { sku }", id=variant, sku="  ")
        assert payload == {"userErrors": [], "variant": {"sku": None}}


def test_repricing_reaches_the_product(mug: SimpleNamespace, mutate: Any, api: Any) -> None:
    mutate("variantUpdate", id=mug.variants[1], price="0.10")
    mutate("variantUpdate", id=mug.variants[2], price="90")
    answer = api(
        "query($id: ID!) { product(id: $id) { minPrice { amount } maxPrice { amount } } }",
        id=mug.id,
    )
    assert answer["data"]["product"] == {
        "minPrice": {"amount": "0.10"},
        "maxPrice": {"amount": "90.00"},
    }


def test_raising_the_price_to_its_compare_at_price_is_refused(
    mug: SimpleNamespace, mutate: Any, refuse: Any
) -> None:
    mutate("variantUpdate", id=mug.variants[0], price="1", compareAt="2")
    given = {"id": mug.variants[0], "price": "2"}
    assert refuse("variantUpdate", **given) == ("COMPARE_AT_NOT_ABOVE_PRICE", ["compareAt"])


def test_delete_takes_it_out_of_the_product(mug: SimpleNamespace, mutate: Any) -> None:
    payload = mutate("variantDelete", "deletedId", id=mug.variants[0])
    assert payload == {"userErrors": [], "deletedId": mug.variants[0]}
    mug.row.refresh_from_db()
    assert (mug.row.min_price, mug.row.options[0]["values"]) == (101, ["M", "L", "X"])


@pytest.mark.parametrize("change", [("variantDelete", {}), ("variantUpdate", {"price": None})])
def test_the_last_price_of_a_published_product_stays(
    change: tuple[str, dict[str, Any]], mug: SimpleNamespace, mutate: Any, refuse: Any
) -> None:
    for variant in mug.variants[1:]:
        mutate("variantDelete", id=variant)
    mutation, given = change
    assert refuse(mutation, id=mug.variants[0], **given)[0] == "NOT_PUBLISHABLE"


def test_the_last_price_of_a_draft_may_go(mug: SimpleNamespace, mutate: Any) -> None:
    mutate("productUpdate", id=mug.id, status="DRAFT")
    for variant in mug.variants:
        assert mutate("variantDelete", id=variant)["userErrors"] == []
    mug.row.refresh_from_db()
    assert (mug.row.min_price, Variant.objects.filter(product=mug.row).count()) == (None, 0)
