"""Keyset pages: each item once, in order, in both directions, whatever happens meanwhile."""

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest

from shop.actions.catalog import products as product_actions
from shop.actions.catalog import taxonomy
from shop.models import Brand, Product
from tests.engine.paths import COMPILED, GENERIC, run

PAGE = """query(
  $first: Int, $after: String, $last: Int, $before: String,
  $field: ProductOrderField!, $direction: OrderDirection!
) {
  products(
    first: $first, after: $after, last: $last, before: $before,
    orderBy: {field: $field, direction: $direction}
  ) {
    edges { cursor node { slug } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
FIELDS = ["NAME", "PRICE", "CREATED", "UPDATED"]


def _slugs(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["slug"] for edge in page["edges"]]


def _walk(api: Any, field: str, direction: str, *, backward: bool, size: int = 3) -> list[str]:
    """All slugs, page by page, as an infinite list would ask for them."""
    seen: list[str] = []
    cursor = None
    while True:
        arguments = (
            {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        )
        page = api(PAGE, field=field, direction=direction, **arguments)["data"]["products"]
        slugs, info = _slugs(page), page["pageInfo"]
        seen = slugs + seen if backward else seen + slugs
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return seen
        cursor = info["startCursor" if backward else "endCursor"]


@pytest.fixture
def shop(world: SimpleNamespace) -> SimpleNamespace:
    world.add(7)
    # Ties in every sort column: the key alone must keep them apart.
    Product.objects.filter(pk__lte=world.products[6].pk).update(
        created_at=world.products[0].created_at,
        updated_at=world.products[0].updated_at,
        name_key="same",
        min_price=500,
    )
    return world


def test_a_page_has_20_items_unless_a_size_is_given(api: Any, db: None) -> None:
    Brand.objects.bulk_create(
        Brand(name=f"Brand {number}", slug=f"brand-{number}") for number in range(21)
    )
    document = "{ brands { edges { cursor } pageInfo { hasNextPage } } }"
    page = api(document)["data"]["brands"]
    assert (len(page["edges"]), page["pageInfo"]) == (20, {"hasNextPage": True})


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", FIELDS)
def test_pages_hold_every_item_once_in_order(
    field: str, direction: str, backward: bool, shop: SimpleNamespace, api: Any
) -> None:
    column = {"NAME": "name_key", "PRICE": "price_key", "CREATED": "created_at"}.get(
        field, "updated_at"
    )
    sign = "-" if direction == "DESC" else ""
    expected = Product.objects.order_by(f"{sign}{column}", f"{sign}pk").values_list(
        "slug", flat=True
    )
    assert _walk(api, field, direction, backward=backward) == list(expected)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("field", FIELDS)
def test_untouched_items_are_neither_missed_nor_repeated_while_others_come_and_go(
    field: str, backward: bool, shop: SimpleNamespace, api: Any
) -> None:
    untouched = {product.slug for product in shop.products[::2]}
    doomed = shop.products[1::2]
    disturbed: list[str] = []

    def disturbing(document: str, **variables: Any) -> dict[str, Any]:
        answer = api(document, **variables)
        if doomed:
            product_actions.delete(doomed.pop())
            variants = [{"price": 50 * len(doomed)}]
            product_actions.create(
                name=f"A new one {len(disturbed)}", variants=variants, status="published"
            )
            disturbed.append(document)
        return answer

    seen = _walk(disturbing, field, "ASC", backward=backward, size=2)
    assert len(disturbed) > 3
    assert len(seen) == len(set(seen))
    assert untouched <= set(seen)


def test_page_info_tells_which_sides_have_more(shop: SimpleNamespace, api: Any) -> None:
    def info(**arguments: Any) -> tuple[bool, bool]:
        page = api(PAGE, field="NAME", direction="ASC", **arguments)["data"]["products"]
        return page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]

    every = api(PAGE, field="NAME", direction="ASC", first=100)["data"]["products"]["edges"]
    middle = every[5]["cursor"]
    assert info(first=3) == (False, True)
    assert info(first=100) == (False, False)
    assert info(first=3, after=middle) == (True, True)
    assert info(first=100, after=middle) == (True, False)
    assert info(last=3) == (True, False)
    assert info(last=3, before=middle) == (True, True)
    assert info(last=100, before=middle) == (False, True)


def test_a_page_lies_between_both_cursors(shop: SimpleNamespace, api: Any) -> None:
    every = api(PAGE, field="NAME", direction="DESC", first=100)["data"]["products"]["edges"]
    page = api(
        PAGE,
        field="NAME",
        direction="DESC",
        first=100,
        after=every[2]["cursor"],
        before=every[6]["cursor"],
    )["data"]["products"]
    assert _slugs(page) == [edge["node"]["slug"] for edge in every[3:6]]


def test_an_empty_page_has_no_cursors(shop: SimpleNamespace, api: Any) -> None:
    page = api(PAGE, field="NAME", direction="ASC", first=0)["data"]["products"]
    assert page["edges"] == []
    assert page["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


def test_nested_pages_continue_from_a_cursor(shop: SimpleNamespace, api: Any) -> None:
    document = """query($after: String) { products(orderBy: {field: NAME}) { edges { node {
      variants(first: 2, after: $after) {
        totalCount edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage }
      }
    } } } }"""
    first = api(document)["data"]["products"]["edges"][0]["node"]["variants"]
    assert [edge["node"]["name"] for edge in first["edges"]] == ["S", "M"]
    rest = document.replace("(orderBy: {field: NAME})", "(first: 1, orderBy: {field: NAME})")
    (edge,) = api(rest, after=first["edges"][1]["cursor"])["data"]["products"]["edges"]
    assert [item["node"]["name"] for item in edge["node"]["variants"]["edges"]] == ["L", "X"]
    assert edge["node"]["variants"]["totalCount"] == 4
    assert edge["node"]["variants"]["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True}


LISTS = """query($after: String, $before: String) {
  gifts: collection(slug: "gifts") { ...Page } others: collection(slug: "others") { ...Page }
}
fragment Page on Collection { products(after: $after, before: $before) {
  edges { cursor node { slug } } pageInfo { startCursor endCursor } } }"""


@pytest.mark.parametrize("argument", ["after", "before"])
def test_a_cursor_of_another_parents_list_is_refused_at_that_list(
    argument: str, shop: SimpleNamespace, api: Any
) -> None:
    taxonomy.create_collection(name="Others", products=shop.products)
    first = api(LISTS)["data"]
    assert _slugs(first["gifts"]["products"]) == _slugs(first["others"]["products"])
    pages = {name: first[name]["products"]["edges"] for name in ("gifts", "others")}
    assert pages["gifts"][1]["cursor"] != pages["others"][1]["cursor"]
    for own, other in (("gifts", "others"), ("others", "gifts")):
        answer = api(LISTS, **{argument: pages[own][1]["cursor"]})
        rest = pages[own][2:] if argument == "after" else pages[own][:1]
        assert answer["data"][own]["products"]["edges"] == rest
        assert answer["data"][other] is None
        (error,) = answer["errors"]
        assert error["path"] == [other, "products"]
        assert error["extensions"] == {"code": "BAD_REQUEST", "argument": argument}
        assert error["message"] == "This cursor belongs to another list."


def test_cursors_of_root_lists_and_nested_lists_are_not_exchanged(
    shop: SimpleNamespace, api: Any
) -> None:
    nested = """query($slug: String!, $after: String) { category(slug: $slug) { products(
      after: $after, orderBy: {field: NAME, direction: ASC}) { edges { cursor } } } }"""
    slug = shop.products[0].category.slug
    below = api(nested, slug=slug)["data"]["category"]["products"]["edges"][0]["cursor"]
    root = api(PAGE, field="NAME", direction="ASC", first=1)["data"]["products"]
    for answer in (
        api(nested, slug=slug, after=root["pageInfo"]["endCursor"]),
        api(PAGE, field="NAME", direction="ASC", after=below),
    ):
        (error,) = answer["errors"]
        assert error["message"] == "This cursor belongs to another list."
        assert error["extensions"]["code"] == "BAD_REQUEST"
    assert "errors" not in api(nested, slug=slug, after=below)


def test_a_cursor_from_before_lists_named_their_parent_is_refused(
    shop: SimpleNamespace, api: Any
) -> None:
    cursor = b64encode(b'["Product:POSITION:asc",1,1]').decode()
    errors = api(LISTS, after=cursor)["errors"]
    assert {error["message"] for error in errors} == {"This cursor belongs to another list."}


@pytest.mark.parametrize("argument", ["after", "before"])
def test_both_paths_refuse_a_cursor_of_another_parent_alike(
    argument: str, shop: SimpleNamespace, customer: Any, api: Any
) -> None:
    taxonomy.create_collection(name="Others", products=shop.products)
    cursor = api(LISTS)["data"]["others"]["products"]["edges"][1]["cursor"]
    values = {argument: cursor}
    assert run(COMPILED, LISTS, values, customer) == run(GENERIC, LISTS, values, customer)
    assert run(COMPILED, LISTS, {}, customer) == run(GENERIC, LISTS, {}, customer)


def test_collection_keeps_its_own_order(shop: SimpleNamespace, api: Any) -> None:
    document = """query($after: String) { collection(slug: "gifts") {
      products(first: 4, after: $after) { edges { cursor node { slug } } pageInfo { hasNextPage } }
    } }"""
    seen: list[str] = []
    cursor = None
    while True:
        page = api(document, after=cursor)["data"]["collection"]["products"]
        seen += _slugs(page)
        if not page["pageInfo"]["hasNextPage"]:
            break
        cursor = page["edges"][-1]["cursor"]
    assert seen == [product.slug for product in shop.products]


@pytest.mark.parametrize(
    "arguments", [{"first": 101}, {"first": -1}, {"last": 1000}, {"first": 1, "last": 1}]
)
def test_impossible_page_sizes_are_refused(arguments: dict[str, int], api: Any, db: None) -> None:
    answer = api(PAGE, field="NAME", direction="ASC", **arguments)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_cursor_of_another_ordering_is_refused(shop: SimpleNamespace, api: Any) -> None:
    page = api(PAGE, field="NAME", direction="ASC", first=1)["data"]["products"]
    cursor = page["pageInfo"]["endCursor"]
    for field, direction in [("PRICE", "ASC"), ("NAME", "DESC")]:
        answer = api(PAGE, field=field, direction=direction, first=1, after=cursor)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
