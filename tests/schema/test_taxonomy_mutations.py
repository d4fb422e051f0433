"""Brands, attributes and collections through the API, and what they share with categories."""

from types import SimpleNamespace
from typing import Any

import pytest

from shop.actions.catalog import categories, taxonomy
from shop.models import Attribute, Brand, Collection, Product

KINDS = ["Category", "Brand", "Attribute", "Collection"]


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]


@pytest.fixture
def row_of(db: None) -> Any:
    """`row_of("Brand")`: the one row of this kind."""
    rows = (
        categories.create(name="Mugs"),
        taxonomy.create_brand(name="Ladlemoor"),
        taxonomy.create_attribute(name="Material"),
        taxonomy.create_collection(name="Gifts"),
    )
    return dict(zip(KINDS, rows, strict=True)).__getitem__


@pytest.mark.parametrize("kind", KINDS)
def test_create_tidies_the_name_and_makes_a_free_slug(kind: str, mutate: Any, row_of: Any) -> None:
    result = kind.lower()
    taken = row_of(kind).name
    payload = mutate(
        f"{result}Create",
        f"clientMutationId {result} {{ name slug }}",
        name=f" {taken.upper()}  ",
        clientMutationId="n",
    )
    assert payload == {
        "userErrors": [],
        "clientMutationId": "n",
        result: {"name": taken.upper(), "slug": f"{taken.lower()}-2"},
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": ""}, ("REQUIRED", ["name"])),
        ({"name": "\n\u00a0"}, ("REQUIRED", ["name"])),
        ({"name": "x" * 401}, ("INVALID", ["name"])),
        ({"name": "New", "slug": "TAKEN"}, ("DUPLICATE_SLUG", ["slug"])),
        ({"name": "New", "slug": "no spaces"}, ("INVALID", ["slug"])),
        ({"name": "New", "slug": "é/è"}, ("INVALID", ["slug"])),
    ],
)
def test_bad_names_and_slugs_are_refused(
    given: dict[str, Any], expected: Any, kind: str, refuse: Any, row_of: Any
) -> None:
    given = {k: row_of(kind).slug if v == "TAKEN" else v for k, v in given.items()}
    assert refuse(f"{kind.lower()}Create", **given) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": " "}, ("REQUIRED", ["name"])),
        ({"slug": "taken"}, ("DUPLICATE_SLUG", ["slug"])),
        ({"slug": "a.b"}, ("INVALID", ["slug"])),
    ],
)
def test_bad_changes_are_refused(
    given: dict[str, Any], expected: Any, kind: str, mutate: Any, refuse: Any, row_of: Any, gid: Any
) -> None:
    mutate(f"{kind.lower()}Create", name="Taken")
    assert refuse(f"{kind.lower()}Update", id=gid(row_of(kind)), **given) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ["Update", "Delete"])
def test_an_unknown_id_is_a_user_error(kind: str, action: str, refuse: Any, unknown: Any) -> None:
    assert refuse(f"{kind.lower()}{action}", id=unknown(kind)) == ("NOT_FOUND", ["id"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ["Update", "Delete"])
def test_an_id_of_another_type_is_a_client_error(
    kind: str, action: str, mutation_error: Any, unknown: Any
) -> None:
    assert mutation_error(f"{kind.lower()}{action}", id=unknown("Product")) == "BAD_REQUEST"


@pytest.mark.parametrize("kind", ["Category", "Brand", "Collection"])
def test_null_clears_the_description_and_is_refused_for_names(
    kind: str, mutate: Any, row_of: Any, gid: Any
) -> None:
    result, row = kind.lower(), row_of(kind)
    fields = f"{result} {{ name slug description }}"
    first = mutate(f"{result}Update", fields, id=gid(row), description="For tea", slug="kept")
    assert first[result] == {"name": row.name, "slug": "kept", "description": "For tea"}
    after = mutate(f"{result}Update", fields, id=gid(row), description=None)
    assert after == {"userErrors": [], result: first[result] | {"description": ""}}
    refused = mutate(f"{result}Update", fields, id=gid(row), name=None, slug=None)
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [
        ("REQUIRED", ["name"]),
        ("REQUIRED", ["slug"]),
    ]


def test_a_brand_in_use_is_kept(world: SimpleNamespace, refuse: Any, gid: Any) -> None:
    assert refuse("brandDelete", id=gid(world.brand)) == ("IN_USE", [])


def test_a_brand_that_no_product_has_is_deleted(
    world: SimpleNamespace, mutate: Any, gid: Any
) -> None:
    Product.objects.update(brand=None)
    assert mutate("brandDelete", "deletedId", id=gid(world.brand))["deletedId"] == gid(world.brand)
    assert not Brand.objects.exists()


VALUES = "attribute { filterable values(first: 9) { edges { node { name slug } } } }"


def test_an_attribute_is_created_with_its_values(mutate: Any) -> None:
    payload = mutate(
        "attributeCreate",
        VALUES,
        name="Size",
        filterable=False,
        values=["10 cm", "9 cm", "9  CM", "C", "C++", "1.5", "15"],
    )
    assert payload["userErrors"] == []
    assert payload["attribute"]["filterable"] is False
    names = [item["name"] for item in nodes(payload["attribute"]["values"])]
    assert sorted(names) == ["1.5", "10 cm", "15", "9 cm", "C", "C++"]
    assert len({item["slug"] for item in nodes(payload["attribute"]["values"])}) == 6


def test_values_are_added_to_an_attribute_once(
    world: SimpleNamespace, mutate: Any, gid: Any
) -> None:
    payload = mutate(
        "attributeUpdate", VALUES, id=gid(world.material), addValues=["Steel", "CLAY", "steel"]
    )
    values = nodes(payload["attribute"]["values"])
    assert [item["name"] for item in values] == ["Clay", "Glass", "Steel"]


@pytest.mark.parametrize(
    ("mutation", "path"), [("attributeCreate", "values"), ("attributeUpdate", "addValues")]
)
def test_a_value_without_a_name_is_refused(
    mutation: str, path: str, world: SimpleNamespace, refuse: Any, gid: Any
) -> None:
    subject = {"name": "Size"} if mutation == "attributeCreate" else {"id": gid(world.material)}
    given = subject | {path: ["Wool", " "]}
    assert refuse(mutation, **given) == ("REQUIRED", [path, "1"])


def test_deleting_an_attribute_takes_it_from_all_products(
    world: SimpleNamespace, mutate: Any, gid: Any
) -> None:
    mutate("attributeDelete", "deletedId", id=gid(world.material))
    assert not Attribute.objects.exists()
    assert world.products[0].attribute_values.count() == 0


ORDER = "collection { products { totalCount edges { node { slug } } } }"


def test_a_collection_keeps_the_order_it_is_given(
    world: SimpleNamespace, mutate: Any, gid: Any
) -> None:
    order = [world.products[place] for place in (2, 0, 3)]
    created = mutate("collectionCreate", ORDER, name="Best", products=[gid(row) for row in order])
    assert [item["slug"] for item in nodes(created["collection"]["products"])] == [
        "mug-3",
        "mug-1",
        "mug-4",
    ]
    updated = mutate(
        "collectionUpdate",
        ORDER,
        id=gid(world.collection),
        products=[gid(world.products[place]) for place in (1, 3, 1)],
    )
    assert [item["slug"] for item in nodes(updated["collection"]["products"])] == ["mug-2", "mug-4"]


@pytest.mark.parametrize(
    ("given", "count"), [({}, 4), ({"products": None}, 0), ({"products": []}, 0)]
)
def test_null_and_an_empty_list_remove_all_products_of_a_collection(
    given: dict[str, Any], count: int, world: SimpleNamespace, mutate: Any, gid: Any
) -> None:
    payload = mutate("collectionUpdate", ORDER, id=gid(world.collection), **given)
    assert payload["collection"]["products"]["totalCount"] == count


def test_an_unknown_product_in_a_collection_is_a_user_error(
    world: SimpleNamespace, refuse: Any, unknown: Any, gid: Any
) -> None:
    products = [gid(world.products[0]), unknown("Product")]
    given = {"id": gid(world.collection), "name": "Renamed", "products": products}
    assert refuse("collectionUpdate", **given) == ("NOT_FOUND", ["products", "1"])


def test_deleting_a_collection_leaves_its_products(
    world: SimpleNamespace, mutate: Any, gid: Any
) -> None:
    mutate("collectionDelete", "deletedId", id=gid(world.collection))
    assert (Collection.objects.count(), Product.objects.count()) == (0, 4)


def test_a_value_is_renamed_and_keeps_its_slug(
    world: SimpleNamespace, mutate: Any, gid: Any
) -> None:
    payload = mutate(
        "attributeValueUpdate",
        "attributeValue { name slug }",
        id=gid(world.clay),
        name="Fired clay",
    )
    assert payload["attributeValue"] == {"name": "Fired clay", "slug": "clay"}


def test_a_value_is_not_renamed_to_another_one(
    world: SimpleNamespace, refuse: Any, gid: Any
) -> None:
    refused = refuse("attributeValueUpdate", id=gid(world.clay), name="GLASS")
    assert refused == ("INVALID", ["name"])


def test_a_deleted_value_leaves_its_products(world: SimpleNamespace, mutate: Any, gid: Any) -> None:
    value = gid(world.clay)
    assert mutate("attributeValueDelete", "deletedId", id=value)["deletedId"] == value
    assert world.products[0].attribute_values.count() == 0
    assert world.products[1].attribute_values.get() == world.glass
