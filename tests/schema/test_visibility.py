"""What is not on sale is seen by staff only, whichever way one comes to it."""

import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from shop.actions.catalog import categories, media, products, taxonomy
from shop.models import Product, User

HIDDEN = ["draft", "archived", "scheduled", "withdrawn"]


@pytest.fixture
def shelf(db: None, gid: Any) -> SimpleNamespace:
    """One product on sale and four that are not, together in every place."""
    shelf = SimpleNamespace(brand=taxonomy.create_brand(name="Ladlemoor"))
    parent = categories.create(name="Kitchen")
    shelf.category = categories.create(name="Mugs", parent=parent)
    shelf.clay = taxonomy.create_attribute(name="Material", values=["Clay"]).values.get()
    shelf.rows = {name: _product(shelf, name) for name in ["shown", *HIDDEN]}
    products.publish(shelf.rows["shown"])
    products.set_status(shelf.rows["archived"], "archived")
    products.publish(shelf.rows["withdrawn"])
    products.set_status(shelf.rows["withdrawn"], "draft")
    products.publish(shelf.rows["scheduled"])
    tomorrow = timezone.now() + datetime.timedelta(days=1)
    Product.objects.filter(slug="scheduled").update(published_at=tomorrow)
    taxonomy.create_collection(name="Gifts", products=list(shelf.rows.values()))
    shelf.ids = {name: gid(row) for name, row in shelf.rows.items()}
    shelf.variants = {name: gid(row.variants.get()) for name, row in shelf.rows.items()}
    shelf.media = {name: gid(row.media.get()) for name, row in shelf.rows.items()}
    return shelf


def _product(shelf: SimpleNamespace, slug: str) -> Product:
    product = products.create(
        name=slug,
        slug=slug,
        category=shelf.category,
        brand=shelf.brand,
        attribute_values=[shelf.clay],
        variants=[{"sku": f"SKU-{slug}", "price": 100}],
    )
    media.add_url(product, f"https://example.org/{slug}.jpg")
    return product


@pytest.fixture
def viewers(customer: User, staff: User) -> list[tuple[User | None, bool]]:
    """Who asks, and whether they see all; staff first, so that nothing of theirs may be kept."""
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    return [(staff, True), (None, False), (customer, False), (clerk, True), (None, False)]


LISTS = {
    "root": "found: products%s",
    "category": 'category(slug: "mugs") { found: products%s }',
    "category above": 'category(slug: "kitchen") { found: products%s }',
    "categories": "categories(filter: {top: false}) { edges { node { found: products%s } } }",
    "brand": 'brand(slug: "ladlemoor") { found: products%s }',
    "brands": "brands { edges { node { found: products%s } } }",
    "collection": 'collection(slug: "gifts") { found: products%s }',
    "collections": "collections { edges { node { found: products%s } } }",
    "node": 'node(id: "BRAND") { ... on Brand { found: products%s } }',
}
FILTERS = [
    "filter: {status: {in: [DRAFT, PUBLISHED, ARCHIVED]}}",
    'filter: {category: "kitchen"}',
    'filter: {collection: "gifts", brand: {in: ["ladlemoor"]}}',
    'filter: {search: "sku"}',
    'filter: {attributes: [{attribute: "material", in: ["clay"]}], price: {min: "0"}}',
    "orderBy: {field: PRICE, direction: DESC}",
    "last: 50",
]


def found(data: Any) -> tuple[int, set[str]]:
    """The connection called `found`, wherever it lies: its total count and its slugs."""
    while "found" not in data:
        data = data["edges"][0]["node"] if "edges" in data else next(iter(data.values()))
    connection = data["found"]
    return connection["totalCount"], {edge["node"]["slug"] for edge in connection["edges"]}


@pytest.mark.parametrize(
    ("place", "arguments"),
    [
        *[(place, "") for place in LISTS],
        *[(place, arguments) for place in ("root", "category above") for arguments in FILTERS],
    ],
)
def test_lists_and_their_counts_hold_what_the_viewer_may_see(
    place: str, arguments: str, shelf: SimpleNamespace, viewers: Any, api: Any, gid: Any
) -> None:
    page = f"(first: 50, {arguments})" if "last" not in arguments else f"({arguments})"
    fields = " { totalCount edges { node { slug } } }"
    document = f"{{ {LISTS[place] % (page + fields)} }}".replace("BRAND", gid(shelf.brand))
    for user, sees_all in viewers:
        slugs = {"shown", *HIDDEN} if sees_all else {"shown"}
        assert found(api(document, user)["data"]) == (len(slugs), slugs), user


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("DRAFT", {"draft", "withdrawn"}),
        ("ARCHIVED", {"archived"}),
        ("PUBLISHED", {"shown", "scheduled"}),
    ],
)
def test_the_status_filter_opens_nothing(
    status: str, expected: set[str], shelf: SimpleNamespace, viewers: Any, api: Any
) -> None:
    document = """query($s: [ProductStatus!]) { found: products(filter: {status: {in: $s}}) {
      totalCount edges { node { slug } } } }"""
    for user, sees_all in viewers:
        slugs = expected if sees_all else expected & {"shown"}
        assert found(api(document, user, s=[status])["data"]) == (len(slugs), slugs), user


SINGLES = {
    "product by id": ("query($id: ID) { x: product(id: $id) { __typename } }", "ids"),
    "product by slug": ("query($id: String) { x: product(slug: $id) { __typename } }", None),
    "node": ("query($id: ID!) { x: node(id: $id) { __typename } }", "ids"),
    "variant": ("query($id: ID!) { x: node(id: $id) { __typename } }", "variants"),
    "media": ("query($id: ID!) { x: node(id: $id) { __typename } }", "media"),
    "variant's product": (
        "query($id: ID!) { x: node(id: $id) { ... on Variant { product { slug } } } }",
        "variants",
    ),
}


@pytest.mark.parametrize("way", SINGLES)
def test_a_hidden_object_answers_like_a_missing_one(
    way: str, shelf: SimpleNamespace, viewers: Any, api: Any
) -> None:
    document, kind = SINGLES[way]
    for user, sees_all in viewers:
        for name in shelf.rows:
            answer = api(document, user, id=getattr(shelf, kind)[name] if kind else name)
            assert "errors" not in answer
            assert (answer["data"]["x"] is not None) == (sees_all or name == "shown"), (user, name)


def test_nodes_leave_gaps_for_what_is_hidden(
    shelf: SimpleNamespace, viewers: Any, api: Any
) -> None:
    kinds = (shelf.ids, shelf.variants, shelf.media)
    ids = [kind[name] for name in ["draft", "shown", "scheduled"] for kind in kinds]
    for user, sees_all in viewers:
        answer = api("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", user, ids=ids)
        seen = [node and node["id"] for node in answer["data"]["nodes"]]
        assert seen == (ids if sees_all else [None] * 3 + ids[3:6] + [None] * 3), user


def test_a_product_leaves_and_enters_the_shop_at_once(shelf: SimpleNamespace, api: Any) -> None:
    document = "{ found: products(first: 50) { totalCount edges { node { slug } } } }"
    assert found(api(document)["data"])[1] == {"shown"}
    Product.objects.filter(slug="scheduled").update(published_at=timezone.now())
    products.set_status(shelf.rows["shown"], "archived")
    assert found(api(document)["data"])[1] == {"scheduled"}


def test_a_cursor_of_staff_shows_a_shopper_nothing_more(
    shelf: SimpleNamespace, staff: User, api: Any
) -> None:
    page = """query($c: String) {
      found: products(first: 1, after: $c, orderBy: {field: CREATED}) {
        totalCount pageInfo { endCursor hasNextPage } edges { node { slug } } } }"""
    first = api(page, staff)["data"]["found"]
    assert first["edges"] == [{"node": {"slug": "shown"}}]
    second = api(page, c=first["pageInfo"]["endCursor"])["data"]["found"]
    assert (second["edges"], second["pageInfo"]["hasNextPage"]) == ([], False)
    assert second["totalCount"] == 1
