"""Products and variants through the API: what is written, what is refused, what stays."""

from types import SimpleNamespace
from typing import Any

import pytest

from shop.models import Product, Variant

READ = """query($id: ID!) { product(id: $id) {
  name slug description status seoTitle seoDescription publishedAt
  minPrice { amount currency } maxPrice { amount } options { name values }
  category { slug } brand { slug } attributeValues { edges { node { name } } }
  variants { edges { node {
    sku name price { amount } compareAt { amount } weightGrams barcode position image { alt }
    options { name value }
  } } }
} }"""
SIZE_M = [{"name": "Size", "value": "M"}]


@pytest.fixture
def read(api: Any, staff: Any) -> Any:
    """`read(global id)`: the product as staff see it in a later request."""
    return lambda product_id: api(READ, staff, id=product_id)["data"]["product"]


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]


def test_create_writes_every_field(
    world: SimpleNamespace, mutate: Any, read: Any, gid: Any
) -> None:
    payload = mutate(
        "productCreate",
        "clientMutationId product { id slug }",
        name="  Tall   Vase ",
        slug="vase",
        description="<p>Tall<script>alert(1)</script></p><img src=x onerror=alert(1)>",
        category=gid(world.garden),
        brand=gid(world.brand),
        attributeValues=[gid(world.glass), gid(world.clay)],
        status="PUBLISHED",
        seoTitle="A tall vase",
        seoDescription="Holds a rose",
        variants=[
            {
                "sku": "VASE-M",
                "options": SIZE_M,
                "price": "12.5",
                "compareAt": "15.00",
                "weightGrams": 900,
                "barcode": "4006381333931",
            },
            {"options": [{"name": "Size", "value": "L"}], "price": "20", "position": 7},
        ],
        clientMutationId="note 1",
    )
    assert payload["userErrors"] == []
    assert payload["clientMutationId"] == "note 1"
    vase = read(payload["product"]["id"])
    assert vase.pop("publishedAt") is not None
    assert [variant["sku"] for variant in nodes(vase["variants"])] == ["VASE-M", None]
    assert nodes(vase.pop("variants"))[0] == {
        "sku": "VASE-M",
        "name": "M",
        "price": {"amount": "12.50"},
        "compareAt": {"amount": "15.00"},
        "weightGrams": 900,
        "barcode": "4006381333931",
        "position": 0,
        "image": None,
        "options": SIZE_M,
    }
    assert vase == {
        "name": "Tall Vase",
        "slug": "vase",
        "description": '<p>Tall</p><img src="x">',
        "status": "PUBLISHED",
        "seoTitle": "A tall vase",
        "seoDescription": "Holds a rose",
        "minPrice": {"amount": "12.50", "currency": "USD"},
        "maxPrice": {"amount": "20.00"},
        "options": [{"name": "Size", "values": ["M", "L"]}],
        "category": {"slug": "garden"},
        "brand": {"slug": "ladlemoor"},
        "attributeValues": {"edges": [{"node": {"name": "Clay"}}, {"node": {"name": "Glass"}}]},
    }


def test_create_with_a_name_only_makes_a_draft(mutate: Any, read: Any) -> None:
    first = mutate("productCreate", "product { id }", name="Émile’s Cup")
    second = mutate(
        "productCreate", "product { slug status minPrice { amount } }", name="emiles cup"
    )
    assert read(first["product"]["id"])["slug"] == "emiles-cup"
    assert second["product"] == {"slug": "emiles-cup-2", "status": "DRAFT", "minPrice": None}


def variant(**fields: Any) -> dict[str, Any]:
    return {"name": "Vase", "variants": [{"sku": "VASE-1", **fields}]}


TWINS = [{"sku": "A", "options": SIZE_M}, {"sku": "B", "options": [{"name": "size", "value": "m"}]}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": " \t"}, ("REQUIRED", ["name"])),
        ({"name": "x" * 401}, ("INVALID", ["name"])),
        ({"name": "Vase", "slug": "mug-1"}, ("DUPLICATE_SLUG", ["slug"])),
        ({"name": "Vase", "slug": "a vase"}, ("INVALID", ["slug"])),
        ({"name": "Vase", "slug": ""}, ("INVALID", ["slug"])),
        ({"name": "Vase", "slug": "x" * 256}, ("INVALID", ["slug"])),
        ({"name": "Vase", "description": "x" * 100_001}, ("INVALID", ["description"])),
        ({"name": "Vase", "seoTitle": "x" * 401}, ("INVALID", ["seoTitle"])),
        ({"name": "Vase", "status": "PUBLISHED"}, ("NOT_PUBLISHABLE", ["status"])),
        (variant(sku="MUG-1-S"), ("DUPLICATE_SKU", ["variants", "0", "sku"])),
        (variant(sku="x" * 256), ("INVALID", ["variants", "0", "sku"])),
        (variant(price="-0.01"), ("INVALID_PRICE", ["variants", "0", "price"])),
        (variant(price="1.005"), ("INVALID_PRICE", ["variants", "0", "price"])),
        (variant(price="9" * 20), ("INVALID_PRICE", ["variants", "0", "price"])),
        (variant(price="1", compareAt="1.001"), ("INVALID_PRICE", ["variants", "0", "compareAt"])),
        (
            variant(price="2", compareAt="2.00"),
            ("COMPARE_AT_NOT_ABOVE_PRICE", ["variants", "0", "compareAt"]),
        ),
        (variant(compareAt="2"), ("COMPARE_AT_NOT_ABOVE_PRICE", ["variants", "0", "compareAt"])),
        (variant(weightGrams=-1), ("INVALID", ["variants", "0", "weightGrams"])),
        (variant(barcode="1" * 65), ("INVALID", ["variants", "0", "barcode"])),
        (variant(options=SIZE_M * 2), ("INVALID", ["variants", "0", "options"])),
        (
            variant(options=[{"name": " ", "value": "M"}]),
            ("INVALID", ["variants", "0", "options", "0"]),
        ),
        (
            variant(options=[{"name": str(n), "value": "M"} for n in range(4)]),
            ("INVALID", ["variants", "0", "options"]),
        ),
        ({"name": "Vase", "variants": TWINS}, ("DUPLICATE_OPTIONS", ["variants", "1", "options"])),
        (
            {"name": "V", "variants": [{"sku": "A"}, {"sku": "A", "options": SIZE_M}]},
            ("DUPLICATE_SKU", ["variants", "1", "sku"]),
        ),
    ],
)
def test_create_refuses(
    given: dict[str, Any], expected: Any, world: SimpleNamespace, refuse: Any
) -> None:
    assert refuse("productCreate", **given) == expected


FULL = {
    "description": "<b>Blue</b>",
    "seoTitle": "Title",
    "seoDescription": "Summary",
    "name": "Mug",
    "slug": "the-mug",
    "status": "ARCHIVED",
}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("brand", {"brand": None}),
        ("category", {"category": None}),
        ("description", {"description": ""}),
        ("seoTitle", {"seoTitle": ""}),
        ("seoDescription", {"seoDescription": ""}),
        ("attributeValues", {"attributeValues": {"edges": []}}),
    ],
)
def test_null_clears_one_field_and_leaves_the_rest(
    field: str, expected: dict[str, Any], mug: SimpleNamespace, mutate: Any, read: Any
) -> None:
    mutate("productUpdate", id=mug.id, **FULL)
    before = read(mug.id)
    payload = mutate("productUpdate", id=mug.id, **{field: None})
    assert payload["userErrors"] == []
    assert read(mug.id) == before | expected


def test_what_is_left_out_of_an_update_stays(mug: SimpleNamespace, mutate: Any, read: Any) -> None:
    mutate("productUpdate", id=mug.id, **FULL)
    before = read(mug.id)
    mutate("productUpdate", id=mug.id, name="Cup")
    assert read(mug.id) == before | {"name": "Cup"}


def test_attribute_values_are_replaced_as_a_set(
    world: SimpleNamespace, mug: SimpleNamespace, mutate: Any, read: Any, gid: Any
) -> None:
    mutate("productUpdate", id=mug.id, attributeValues=[gid(world.glass), gid(world.glass)])
    assert nodes(read(mug.id)["attributeValues"]) == [{"name": "Glass"}]
    mutate("productUpdate", id=mug.id, attributeValues=[])
    assert nodes(read(mug.id)["attributeValues"]) == []


@pytest.mark.parametrize("slug", ["mug-2", "mug-3"])
def test_update_refuses_the_slug_of_another(slug: str, mug: SimpleNamespace, refuse: Any) -> None:
    assert refuse("productUpdate", id=mug.id, slug=slug) == ("DUPLICATE_SLUG", ["slug"])


def test_update_keeps_the_slug_it_has(mug: SimpleNamespace, mutate: Any) -> None:
    payload = mutate("productUpdate", "product { slug }", id=mug.id, slug="mug-1")
    assert payload == {"userErrors": [], "product": {"slug": "mug-1"}}


def test_a_description_loses_what_could_run(mug: SimpleNamespace, mutate: Any) -> None:
    html = (
        '<a href="javascript:alert(1)" onclick="x()">a</a><iframe src="//x"></iframe>'
        "<style>b{}</style><svg onload=x()></svg><p style='color:red'>ok</p>"
    )
    payload = mutate("productUpdate", "product { description }", id=mug.id, description=html)
    assert payload["product"]["description"] == '<a rel="noopener nofollow">a</a><p>ok</p>'


def test_unpublishing_and_publishing_again_keeps_the_date(
    mug: SimpleNamespace, mutate: Any, read: Any
) -> None:
    since = read(mug.id)["publishedAt"]
    mutate("productUpdate", id=mug.id, status="DRAFT")
    assert read(mug.id)["status"] == "DRAFT"
    mutate("productUpdate", id=mug.id, status="PUBLISHED")
    assert (read(mug.id)["status"], read(mug.id)["publishedAt"]) == ("PUBLISHED", since)


def test_delete_takes_variants_and_pictures_along(
    mug: SimpleNamespace, mutate: Any, read: Any
) -> None:
    assert mutate("productDelete", "deletedId", id=mug.id)["deletedId"] == mug.id
    assert read(mug.id) is None
    assert not Variant.objects.filter(sku__startswith="MUG-1-").exists()
    assert Product.objects.count() == 3


def test_a_renamed_brand_is_found_by_its_new_name(
    world: SimpleNamespace, mutate: Any, api: Any, gid: Any
) -> None:
    mutate("brandUpdate", id=gid(world.brand), name="Zephyr")
    answer = api('{ products(filter: {search: "zephyr"}) { totalCount } }')
    assert answer["data"]["products"]["totalCount"] == 4
