"""What all mutations have in common when they fail: ids, and siblings that must not suffer."""

from types import SimpleNamespace
from typing import Any

import pytest

from shop.actions.catalog import products, taxonomy


@pytest.mark.parametrize(
    ("field", "kind", "path"),
    [
        ("category", "Category", ["category"]),
        ("brand", "Brand", ["brand"]),
        ("attributeValues", "AttributeValue", ["attributeValues", "0"]),
    ],
)
def test_an_unknown_id_is_a_user_error(
    field: str, kind: str, path: list[str], mug: SimpleNamespace, refuse: Any, unknown: Any
) -> None:
    missing = unknown(kind)
    value = [missing] if field == "attributeValues" else missing
    assert refuse("productUpdate", id=mug.id, **{field: value}) == ("NOT_FOUND", path)


@pytest.mark.parametrize(
    ("mutation", "field", "kind"),
    [
        ("productUpdate", "id", "Product"),
        ("productDelete", "id", "Product"),
        ("variantCreate", "product", "Product"),
        ("variantUpdate", "id", "Variant"),
        ("variantDelete", "id", "Variant"),
    ],
)
def test_an_unknown_subject_is_a_user_error(
    mutation: str, field: str, kind: str, refuse: Any, unknown: Any
) -> None:
    assert refuse(mutation, **{field: unknown(kind)}) == ("NOT_FOUND", [field])


@pytest.mark.parametrize("bad", ["", "garbage", "wrong type"])
@pytest.mark.parametrize("field", ["id", "brand", "category", "attributeValues"])
def test_an_id_that_is_none_is_a_client_error(
    field: str, bad: str, mug: SimpleNamespace, mutation_error: Any, dump: Any
) -> None:
    wrong = mug.variants[0] if bad == "wrong type" else bad
    before = dump()
    given = {"id": mug.id, field: [wrong] if field == "attributeValues" else wrong}
    assert mutation_error("productUpdate", **given) == "BAD_REQUEST"
    assert dump() == before


def test_a_sibling_that_fails_undoes_itself_only(api: Any, staff: Any, dump: Any) -> None:
    taxonomy.create_brand(name="Before")
    products.create(name="Taken", variants=[{"sku": "TAKEN"}])
    answer = api(
        """mutation {
          first: brandCreate(input: {name: "Stays"}) { brand { slug } userErrors { code } }
          second: productCreate(input: {name: "Goes", variants: [
            {sku: "NEW", options: [{name: "Size", value: "S"}]}, {sku: "TAKEN"}
          ]})
            { product { id } userErrors { code field } }
          third: productDelete(input: {id: "garbage"}) { deletedId }
          fourth: brandCreate(input: {name: "Also"}) { brand { slug } }
        }""",
        staff,
    )
    assert answer["data"] == {
        "first": {"brand": {"slug": "stays"}, "userErrors": []},
        "second": {
            "product": None,
            "userErrors": [{"code": "DUPLICATE_SKU", "field": ["variants", "1", "sku"]}],
        },
        "third": None,
        "fourth": {"brand": {"slug": "also"}},
    }
    assert [error["path"] for error in answer["errors"]] == [["third"]]
    after = dump()
    assert [row["slug"] for row in after["shop.Brand"]] == ["before", "stays", "also"]
    assert [row["slug"] for row in after["shop.Product"]] == ["taken"]
    assert [row["sku"] for row in after["shop.Variant"]] == ["TAKEN"]
