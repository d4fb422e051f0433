"""Two members of staff change the category tree at once."""

from typing import Any

import pytest

from shop.actions.catalog import categories
from shop.errors import CategoryCycle
from shop.models import Category

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def check_tree() -> None:
    rows = Category.objects.in_bulk()
    for row in rows.values():
        parent = rows.get(row.parent_id)
        assert row.path == (parent.path if parent else "") + categories.path_step(row.pk)
        assert row.depth == (parent.depth + 1 if parent else 0)


@pytest.mark.parametrize("attempt", range(5))
def test_opposite_moves_never_make_a_cycle(attempt: int, at_once: Any) -> None:
    a, b = (categories.create(name=name) for name in "ab")
    below_a, below_b = (categories.create(name="x", parent=parent) for parent in (a, b))
    results = at_once(lambda: categories.move(a, below_b), lambda: categories.move(b, below_a))
    assert {type(result) for result in results} == {Category, CategoryCycle}
    check_tree()


@pytest.mark.parametrize("attempt", range(5))
def test_a_category_made_below_a_moving_one_moves_along(attempt: int, at_once: Any) -> None:
    home, garden = (categories.create(name=name) for name in ("Home", "Garden"))
    tools = categories.create(name="Tools", parent=home)
    results = at_once(
        lambda: categories.move(home, garden),
        lambda: categories.create(name="Saws", parent=tools),
    )
    assert [type(result) for result in results] == [Category, Category]
    check_tree()


@pytest.mark.parametrize("attempt", range(5))
def test_renaming_does_not_undo_a_move(attempt: int, at_once: Any) -> None:
    home, garden = (categories.create(name=name) for name in ("Home", "Garden"))
    tools = categories.create(name="Tools", parent=home)
    stale = Category.objects.get(pk=tools.pk)
    at_once(
        lambda: categories.move(tools, garden),
        lambda: categories.update(stale, name="Hand tools"),
    )
    tools.refresh_from_db()
    assert (tools.name, tools.parent) == ("Hand tools", garden)
    check_tree()


def test_categories_of_one_name_at_once_get_slugs_of_their_own(
    at_once: Any, send: Any, staff: Any
) -> None:
    document = 'mutation { categoryCreate(input: {name: "Vases"}) { category { slug } } }'
    answers = at_once(*[lambda: send(document, staff)] * 2)
    slugs = [answer["data"]["categoryCreate"]["category"]["slug"] for answer in answers]
    assert sorted(slugs) == ["vases", "vases-2"]
    check_tree()


@pytest.mark.parametrize("attempt", range(3))
@pytest.mark.parametrize("other", ["delete", "move"])
def test_deleting_a_category_does_not_deadlock_with_changes_above_it(
    attempt: int, other: str, at_once: Any
) -> None:
    home, garden = (categories.create(name=name) for name in ("Home", "Garden"))
    tools = categories.create(name="Tools", parent=home)
    saws = categories.create(name="Saws", parent=tools)
    results = at_once(
        lambda: categories.delete(tools, move_contents=True),
        lambda: (
            categories.delete(home, move_contents=True)
            if other == "delete"
            else categories.move(home, garden)
        ),
    )
    assert [result for result in results if isinstance(result, Exception)] == []
    saws.refresh_from_db()
    assert saws.parent == (None if other == "delete" else home)
    check_tree()
