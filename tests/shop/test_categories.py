"""The category tree: paths, moves of whole subtrees, and what a tree may not become."""

from types import SimpleNamespace
from typing import Any

import pytest

from shop.actions.catalog import categories, products
from shop.errors import CategoryCycle, CategoryNotEmpty, CategoryTooDeep, NotFound, Required
from shop.models import Category, Product

pytestmark = pytest.mark.django_db


@pytest.fixture
def tree() -> SimpleNamespace:
    """a > b > c > d, and e > f."""
    nodes: dict[str, Category] = {}
    for name, parent in [("a", None), ("b", "a"), ("c", "b"), ("d", "c"), ("e", None), ("f", "e")]:
        nodes[name] = categories.create(name=name, parent=nodes.get(parent))
    return SimpleNamespace(**nodes)


def outline() -> str:
    """The tree as text, "a(b(c))"; fails when a path or a depth does not fit its parent."""
    by_id = Category.objects.in_bulk()
    below: dict[int | None, list[Category]] = {}
    for row in by_id.values():
        parent = by_id.get(row.parent_id)
        assert row.path == (parent.path if parent else "") + categories.path_step(row.pk), row.name
        assert row.depth == (parent.depth + 1 if parent else 0), row.name
        below.setdefault(row.parent_id, []).append(row)

    def text(parent: int | None) -> str:
        rows = sorted(below.get(parent, []), key=lambda row: row.name)
        return " ".join(
            f"{row.name}({inner})" if (inner := text(row.pk)) else row.name for row in rows
        )

    return text(None)


def names(rows: Any) -> list[str]:
    return [row.name for row in rows.order_by("path")]


@pytest.mark.parametrize(
    ("key", "step"),
    [(1, "000001"), (35, "00000z"), (36, "000010"), (36**6 - 1, "zzzzzz"), (10**9, "gjdgxs")],
)
def test_a_path_step_is_the_key_in_base_36(key: int, step: str) -> None:
    assert categories.path_step(key) == step


def test_a_tree_is_built_top_down(tree: SimpleNamespace) -> None:
    assert outline() == "a(b(c(d))) e(f)"
    assert names(Category.objects.all()) == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize(
    ("top", "expected"), [("a", "abcd"), ("b", "bcd"), ("d", "d"), ("e", "ef")]
)
def test_a_subtree_is_the_category_and_all_below(
    top: str, expected: str, tree: SimpleNamespace
) -> None:
    assert names(Category.objects.subtree_of(getattr(tree, top))) == list(expected)


def test_ancestors_and_descendants_include_the_category_itself(tree: SimpleNamespace) -> None:
    assert names(Category.objects.filter(descendants=tree.c)) == ["a", "b", "c"]
    assert names(Category.objects.filter(ancestors=tree.c)) == ["c", "d"]


@pytest.mark.parametrize(
    ("moved", "below", "expected"),
    [
        ("b", "e", "a e(b(c(d)) f)"),
        ("b", None, "a b(c(d)) e(f)"),
        ("b", "f", "a e(f(b(c(d))))"),
        ("d", "a", "a(b(c) d) e(f)"),
        ("e", "d", "a(b(c(d(e(f)))))"),
        ("a", "f", "e(f(a(b(c(d)))))"),
        ("c", "b", "a(b(c(d))) e(f)"),
        ("a", None, "a(b(c(d))) e(f)"),
    ],
)
def test_a_move_takes_the_subtree_along(
    moved: str, below: str | None, expected: str, tree: SimpleNamespace
) -> None:
    parent = getattr(tree, below) if below else None
    after = categories.move(getattr(tree, moved), parent)
    assert outline() == expected
    assert after.path == Category.objects.get(name=moved).path


@pytest.mark.parametrize(
    ("moved", "below"), [("a", "a"), ("a", "b"), ("a", "d"), ("b", "c"), ("e", "f")]
)
def test_a_category_cannot_move_below_itself(moved: str, below: str, tree: SimpleNamespace) -> None:
    with pytest.raises(CategoryCycle) as caught:
        categories.move(getattr(tree, moved), getattr(tree, below))
    assert caught.value.field == ("parent",)
    assert outline() == "a(b(c(d))) e(f)"


def test_a_cycle_is_seen_in_the_tree_as_it_is_now(tree: SimpleNamespace) -> None:
    """The rows in hand may be older than the tree."""
    stale = Category.objects.get(name="e")
    categories.move(tree.e, tree.d)
    with pytest.raises(CategoryCycle):
        categories.move(tree.a, stale)
    assert outline() == "a(b(c(d(e(f)))))"


@pytest.fixture
def chain() -> list[Category]:
    """A tree of one branch, as deep as trees may be."""
    rows: list[Category] = []
    for number in range(categories.MAX_DEPTH):
        parent = rows[-1] if rows else None
        rows.append(categories.create(name=f"n{number:02}", parent=parent))
    return rows


def test_the_deepest_tree_holds_no_deeper_category(chain: list[Category]) -> None:
    assert chain[-1].depth == categories.MAX_DEPTH - 1
    with pytest.raises(CategoryTooDeep) as caught:
        categories.create(name="deeper", parent=chain[-1])
    assert caught.value.field == ("parent",)
    assert Category.objects.count() == categories.MAX_DEPTH


def test_a_move_counts_the_depth_of_the_whole_subtree(chain: list[Category]) -> None:
    top = categories.create(name="top")
    low = categories.create(name="low", parent=top)
    before = outline()
    with pytest.raises(CategoryTooDeep):
        categories.move(chain[1], low)
    assert outline() == before
    categories.move(chain[1], top)
    assert Category.objects.get(pk=chain[-1].pk).depth == categories.MAX_DEPTH - 1
    outline()


def test_an_update_that_fails_does_not_move(tree: SimpleNamespace) -> None:
    with pytest.raises(Required):
        categories.update(tree.b, parent=tree.e, name=" ")
    assert outline() == "a(b(c(d))) e(f)"


def test_an_update_of_an_older_row_leaves_the_tree_alone(tree: SimpleNamespace) -> None:
    """Someone else has moved the category since it was read."""
    stale = Category.objects.get(name="b")
    categories.move(tree.b, tree.e)
    categories.update(stale, description="Read before the move")
    assert outline() == "a e(b(c(d)) f)"
    assert Category.objects.get(name="b").description == "Read before the move"


def test_an_update_of_a_deleted_category_does_not_bring_it_back(tree: SimpleNamespace) -> None:
    stale = Category.objects.get(name="f")
    categories.delete(tree.f)
    with pytest.raises(NotFound):
        categories.update(stale, description="Gone")
    assert outline() == "a(b(c(d))) e"


@pytest.mark.parametrize("subject", ["moved", "parent"])
def test_a_move_of_or_below_a_deleted_category_is_refused(
    subject: str, tree: SimpleNamespace
) -> None:
    stale = Category.objects.get(name="f")
    categories.delete(tree.f)
    with pytest.raises(NotFound):
        categories.move(*((stale, tree.a) if subject == "moved" else (tree.a, stale)))
    assert outline() == "a(b(c(d))) e"


def test_a_category_with_contents_is_kept(tree: SimpleNamespace) -> None:
    product = products.create(name="Mug", category=tree.f)
    for category in (tree.a, tree.f):
        with pytest.raises(CategoryNotEmpty):
            categories.delete(category)
    assert outline() == "a(b(c(d))) e(f)"
    assert Product.objects.get() == product


@pytest.mark.parametrize(
    ("deleted", "expected", "shelf"),
    [("b", "a(c(d)) e(f)", "a"), ("a", "b(c(d)) e(f)", None), ("d", "a(b(c)) e(f)", "c")],
)
def test_contents_move_one_level_up(
    deleted: str, expected: str, shelf: str | None, tree: SimpleNamespace
) -> None:
    products.create(name="Mug", category=getattr(tree, deleted))
    categories.delete(getattr(tree, deleted), move_contents=True)
    assert outline() == expected
    assert Product.objects.values_list("category__name", flat=True).get() == shelf
