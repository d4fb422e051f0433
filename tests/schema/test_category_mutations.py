"""The category tree through the API: growing, moving, cutting back."""

from types import SimpleNamespace
from typing import Any

import pytest

from shop.actions.catalog import categories
from shop.models import Category, Product

SHELVES = """{ categories(orderBy: {field: NAME}) { edges { node {
  slug depth position parent { slug } products { totalCount }
} } } }"""


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]


def test_a_category_is_created_below_its_parent(
    world: SimpleNamespace, mutate: Any, gid: Any
) -> None:
    payload = mutate(
        "categoryCreate",
        """category { name slug description position depth parent { slug }
           ancestors { edges { node { slug } } } }""",
        name="Espresso cups",
        slug="espresso",
        description="Small ones",
        position=3,
        parent=gid(world.mugs),
    )
    assert payload["category"] == {
        "name": "Espresso cups",
        "slug": "espresso",
        "description": "Small ones",
        "position": 3,
        "depth": 3,
        "parent": {"slug": "mugs"},
        "ancestors": {
            "edges": [{"node": {"slug": slug}} for slug in ("kitchen", "drinkware", "mugs")]
        },
    }


def test_moving_a_category_takes_its_subtree_and_products_along(
    world: SimpleNamespace, mutate: Any, api: Any, gid: Any
) -> None:
    mutate("categoryUpdate", id=gid(world.drinkware), parent=gid(world.garden), position=5)
    shelves = {item["slug"]: item for item in nodes(api(SHELVES)["data"]["categories"])}
    assert [
        (slug, item["depth"], item["products"]["totalCount"]) for slug, item in shelves.items()
    ] == [("drinkware", 1, 4), ("garden", 0, 4), ("kitchen", 0, 0), ("mugs", 2, 2)]
    assert shelves["drinkware"] == {
        "slug": "drinkware",
        "depth": 1,
        "position": 5,
        "parent": {"slug": "garden"},
        "products": {"totalCount": 4},
    }


@pytest.mark.parametrize(("given", "depth"), [({"parent": None}, 0), ({"position": 1}, 2)])
def test_a_null_parent_moves_to_the_top_and_a_missing_one_stays(
    given: dict[str, Any], depth: int, world: SimpleNamespace, mutate: Any, gid: Any
) -> None:
    payload = mutate("categoryUpdate", "category { depth }", id=gid(world.mugs), **given)
    assert payload == {"userErrors": [], "category": {"depth": depth}}


@pytest.mark.parametrize("parent", ["kitchen", "drinkware", "mugs"])
def test_a_category_cannot_move_below_itself(
    parent: str, world: SimpleNamespace, refuse: Any, gid: Any
) -> None:
    given = {"id": gid(world.kitchen), "parent": gid(getattr(world, parent)), "name": "Renamed"}
    assert refuse("categoryUpdate", **given) == ("CATEGORY_CYCLE", ["parent"])


def test_a_tree_that_is_too_deep_is_refused(world: SimpleNamespace, refuse: Any, gid: Any) -> None:
    bottom = world.mugs
    while bottom.depth < categories.MAX_DEPTH - 1:
        bottom = categories.create(name="Deeper", parent=bottom)
    given = {"name": "Too deep", "parent": gid(bottom)}
    assert refuse("categoryCreate", **given) == ("CATEGORY_TOO_DEEP", ["parent"])


@pytest.mark.parametrize("mutation", ["categoryCreate", "categoryUpdate"])
def test_an_unknown_parent_is_a_user_error(
    mutation: str, world: SimpleNamespace, refuse: Any, unknown: Any, gid: Any
) -> None:
    subject = {"name": "New"} if mutation == "categoryCreate" else {"id": gid(world.mugs)}
    given = subject | {"parent": unknown("Category")}
    assert refuse(mutation, **given) == ("NOT_FOUND", ["parent"])


@pytest.mark.parametrize("name", ["kitchen", "mugs"])
@pytest.mark.parametrize("contents", [{}, {"contents": "REFUSE"}])
def test_a_category_with_contents_is_kept(
    contents: dict[str, str], name: str, world: SimpleNamespace, refuse: Any, gid: Any
) -> None:
    given = {"id": gid(getattr(world, name)), **contents}
    assert refuse("categoryDelete", **given) == ("CATEGORY_NOT_EMPTY", [])


def test_an_empty_category_is_deleted(world: SimpleNamespace, mutate: Any, gid: Any) -> None:
    garden = gid(world.garden)
    assert mutate("categoryDelete", "deletedId", id=garden)["deletedId"] == garden
    assert not Category.objects.filter(slug="garden").exists()


def test_deleting_a_category_can_move_its_contents_up(
    world: SimpleNamespace, mutate: Any, api: Any, gid: Any
) -> None:
    mutate("categoryDelete", id=gid(world.drinkware), contents="MOVE_UP")
    mutate("categoryDelete", id=gid(world.kitchen), contents="MOVE_UP")
    assert nodes(api(SHELVES)["data"]["categories"])[1:] == [
        {
            "slug": "mugs",
            "depth": 0,
            "position": 0,
            "parent": None,
            "products": {"totalCount": 2},
        }
    ]
    assert Product.objects.filter(category=None).count() == 2
