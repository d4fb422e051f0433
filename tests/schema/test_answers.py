"""Answers are kept for others who ask the same, and never tell what is not so any more."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from graphql import GraphQLObjectType
from graphql_jwt.shortcuts import get_token
from graphql_relay import to_global_id

from schema.base import is_shared
from schema.engine import answers
from schema.root import schema
from shop import generations
from shop.actions import inventory
from shop.actions.catalog import categories, products, slugs, taxonomy
from shop.models import Brand, OutboxEvent, Product, User, Variant
from tests.caching import caching, local_store, shared_store
from tests.redis_server import Redis, needs_redis

LIST = """query List($first: Int = 2) {
  products(first: $first, orderBy: {field: NAME}) { edges { node { id name } } } }"""
PRICE = "query($slug: String!) { product(slug: $slug) { minPrice { amount } } }"
STOCKED = "query($slug: String!) { product(slug: $slug) { variants(first: 1) { edges { node {"
STOCKED += " availability { quantity } } } } } }"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture(params=["local", pytest.param("shared", marks=needs_redis)])
def store(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Any]:
    if request.param == "local":
        yield local_store(tmp_path)
        return
    with shared_store(monkeypatch, request.getfixturevalue("redis").url) as shared:
        yield shared


@pytest.fixture
def outcomes(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, store: Any
) -> Iterator[list[str]]:
    with caching(monkeypatch, store) as found:
        yield found


def _names(answer: dict[str, Any]) -> list[str]:
    return [edge["node"]["name"] for edge in answer["data"]["products"]["edges"]]


def _price(answer: dict[str, Any]) -> str:
    return answer["data"]["product"]["minPrice"]["amount"]


# --- What a hit is --------------------------------------------------------------------------------


def test_hit_runs_no_sql_and_is_the_same_answer(
    world: SimpleNamespace, outcomes: list[str], api: Any
) -> None:
    first = api(LIST)
    with CaptureQueriesContext(connection) as captured:
        assert api(LIST) == first
    assert outcomes == ["miss", "hit"]
    assert len(captured) == 0
    assert _names(first) == ["Mug 1", "Mug 2"]


def test_answers_are_told_apart_by_document_variables_and_operation(
    world: SimpleNamespace, outcomes: list[str], api: Any, client: Client
) -> None:
    assert _names(api(LIST, first=1)) == ["Mug 1"]
    assert _names(api(LIST, first=3)) == ["Mug 1", "Mug 2", "Mug 3"]
    both = "query A { products(first: 1) { totalCount } } query B { brands { totalCount } }"
    for name, field in (("A", "products"), ("B", "brands"), ("A", "products")):
        body = {"query": both, "operationName": name}
        answer = client.post("/graphql/", body, content_type="application/json").json()
        assert list(answer["data"]) == [field]
    assert outcomes == ["miss", "miss", "miss", "miss", "hit"]


def test_spelling_of_the_document_and_variables_that_it_lacks_make_no_difference(
    world: SimpleNamespace, outcomes: list[str], api: Any
) -> None:
    api("{ brands { totalCount } }")
    api("{\n  brands {\n    totalCount # all\n  }\n}", junk="1")
    api("{ brands { totalCount } }", junk="2")
    assert outcomes == ["miss", "hit", "hit"]


def test_hosts_have_answers_of_their_own(
    world: SimpleNamespace, outcomes: list[str], client: Client, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "other.example.org"]
    query = {"query": "{ brands { totalCount } }"}
    for host in ("testserver", "other.example.org", "testserver"):
        client.post("/graphql/", query, content_type="application/json", headers={"Host": host})
    assert outcomes == ["miss", "miss", "hit"]


def test_whoever_is_signed_in_is_not_answered_from_the_cache(
    world: SimpleNamespace, outcomes: list[str], api: Any, staff: User, customer: User
) -> None:
    Product.objects.filter(name="Mug 1").update(status="draft")
    assert _names(api(LIST)) == ["Mug 2", "Mug 3"]
    assert _names(api(LIST, staff)) == ["Mug 1", "Mug 2"]
    assert _names(api(LIST, customer)) == ["Mug 2", "Mug 3"]
    assert _names(api(LIST)) == ["Mug 2", "Mug 3"]
    assert outcomes == ["miss", "hit"]


def test_answers_with_errors_are_not_kept(
    world: SimpleNamespace, outcomes: list[str], api: Any
) -> None:
    for _ in range(2):
        assert api(PRICE.replace("slug: $slug", 'slug: $slug, id: "x"'), slug="a")["errors"]
    assert outcomes == ["miss", "miss"]


def test_a_batch_and_the_cost_are_answered_as_without_a_cache(
    world: SimpleNamespace, outcomes: list[str], client: Client
) -> None:
    one = {"query": "{ brands { totalCount } }"}
    for _ in range(2):
        answer = client.post("/graphql/", [one, one], content_type="application/json").json()
        assert answer == [{"data": {"brands": {"totalCount": 1}}}] * 2
    assert outcomes == ["miss", "hit", "hit", "hit"]
    asked = {**one, "extensions": {"cost": True}}
    answer = client.post("/graphql/", asked, content_type="application/json").json()
    assert answer["extensions"]["cost"]["requested"] > 0
    assert len(outcomes) == 4


def test_debugging_passes_the_cache_by(
    world: SimpleNamespace, outcomes: list[str], client: Client
) -> None:
    asked = {"query": "{ brands { totalCount } }", "extensions": {"debug": True}}
    for _ in range(2):
        answer = client.post("/graphql/", asked, content_type="application/json").json()
        assert answer["extensions"]["debug"]["sql"] == 1
    assert outcomes == []


def test_what_is_too_long_is_not_kept(
    world: SimpleNamespace, outcomes: list[str], api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MAX_SIZE", 50)
    assert api(LIST) == api(LIST)
    assert outcomes == ["miss", "unfit"]


# --- HTTP -----------------------------------------------------------------------------------------


def test_get_has_the_same_etag_from_the_cache_and_without(
    world: SimpleNamespace, outcomes: list[str], client: Client
) -> None:
    address = "/graphql/?query={brands{totalCount}}"
    first, second = client.get(address), client.get(address)
    assert outcomes == ["miss", "hit"]
    assert first.headers["ETag"] == second.headers["ETag"]
    assert second.headers["Cache-Control"] == "private, no-cache"
    third = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (third.status_code, third.content) == (304, b"")
    products.create(name="New")
    Brand.objects.create(name="New", slug="new")
    fourth = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert fourth.status_code == 200
    assert fourth.json() == {"data": {"brands": {"totalCount": 2}}}


def test_media_type_is_agreed_on_for_each_request(
    world: SimpleNamespace, outcomes: list[str], client: Client
) -> None:
    for accept in ("application/json", "application/graphql-response+json"):
        answer = client.get("/graphql/?query={brands{totalCount}}", headers={"Accept": accept})
        assert answer.headers["Content-Type"] == f"{accept}; charset=utf-8"
        assert answer.headers["Vary"] == "Accept, Authorization, Cart-Token, Order-Token, origin"
    assert outcomes == ["miss", "hit"]


def test_cdn_may_keep_only_what_is_the_same_for_everyone(
    world: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    store: Any,
    client: Client,
    settings: Any,
    customer: User,
) -> None:
    settings.ANSWER_CDN_SECONDS, settings.ANSWER_CDN_STALE_SECONDS = 30, 60
    with caching(monkeypatch, store):
        address = "/graphql/?query={brands{totalCount}}"
        shared = [client.get(address).headers["Cache-Control"] for _ in range(2)]
        assert shared == ["public, max-age=30, stale-while-revalidate=60"] * 2
        assert (
            "Cache-Control"
            not in client.post(
                "/graphql/", {"query": "{brands{totalCount}}"}, content_type="application/json"
            ).headers
        )
        own = client.get(address, headers={"Authorization": f"Bearer {get_token(customer)}"})
        assert own.headers["Cache-Control"] == "private, no-cache"
        viewer = client.get("/graphql/?query={viewer{id}}")
        assert viewer.headers["Cache-Control"] == "private, no-cache"


def test_plain_http_is_answered_from_the_cache_as_well(
    world: SimpleNamespace, outcomes: list[str], client: Client
) -> None:
    found = [client.get("/api/product-detail?slug=mug-1") for _ in range(2)]
    assert [answer.status_code for answer in found] == [200, 200]
    assert found[0].json()["data"]["product"]["name"] == "Mug 1"
    assert found[0].content == found[1].content
    assert found[0].headers["ETag"] == found[1].headers["ETag"]
    assert outcomes == ["miss", "hit"]
    missing = [client.get("/api/product-detail?slug=none") for _ in range(2)]
    assert [answer.status_code for answer in missing] == [404, 404]
    assert missing[0].json() == missing[1].json() == {"data": {"product": None}}
    assert missing[1].headers["Cache-Control"] == "no-store"
    assert outcomes == ["miss", "hit", "miss", "hit"]


# --- What ends an answer --------------------------------------------------------------------------


def test_change_of_a_price_is_seen_by_the_next_request(
    world: SimpleNamespace, outcomes: list[str], api: Any, mutate: Any, gid: Any
) -> None:
    variant = world.products[0].variants.order_by("price").first()
    assert _price(api(PRICE, slug="mug-1")) == "1.00"
    for cents in range(10, 15):
        mutate("variantUpdate", id=gid(variant), price=f"0.{cents}")
        assert _price(api(PRICE, slug="mug-1")) == f"0.{cents}"
        assert _price(api(PRICE, slug="mug-1")) == f"0.{cents}"
    assert outcomes == ["miss", *["stale", "hit"] * 5]


def test_change_of_other_tables_ends_nothing(
    world: SimpleNamespace, outcomes: list[str], api: Any, customer: User
) -> None:
    api("{ brands { totalCount } }")
    world.add(1)
    User.objects.create_user("new@example.org")
    api("{ brands { totalCount } }")
    assert outcomes == ["miss", "hit"]


def test_stock_that_moves_is_seen_by_the_next_request(
    world: SimpleNamespace, outcomes: list[str], api: Any
) -> None:
    def quantity() -> int:
        (edge,) = api(STOCKED, slug="mug-1")["data"]["product"]["variants"]["edges"]
        return edge["node"]["availability"]["quantity"]

    world.count(10)
    api(LIST)
    assert (quantity(), quantity()) == (10, 10)
    variant = world.products[0].variants.order_by("position").first()
    with transaction.atomic():
        inventory.reserve("order:1", {variant.pk: 3}, expires_at=None)
    assert quantity() == 7
    api(LIST)
    assert outcomes == ["miss", "miss", "hit", "stale", "hit"]


def test_write_that_is_rolled_back_ends_nothing_and_one_after_it_does(
    world: SimpleNamespace, outcomes: list[str], api: Any
) -> None:
    brand = Brand.objects.get()
    query = "{ brands { edges { node { name } } } }"
    api(query)
    with transaction.atomic():
        Brand.objects.update(name="Never")
        transaction.set_rollback(True)
    api(query)
    assert outcomes == ["miss", "hit"]
    with transaction.atomic():
        with transaction.atomic():
            Brand.objects.update(name="Never")
            transaction.set_rollback(True)
        # It was noted in the savepoint first, and that has been undone.
        Brand.objects.filter(pk=brand.pk).update(name="Potter")
    assert api(query)["data"]["brands"]["edges"] == [{"node": {"name": "Potter"}}]


def test_write_is_told_though_another_hook_of_the_commit_fails(
    world: SimpleNamespace, outcomes: list[str], api: Any
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    @transaction.atomic
    def write() -> None:
        transaction.on_commit(fail)
        Brand.objects.update(name="Potter")

    query = "{ brands { edges { node { name } } } }"
    api(query)
    with pytest.raises(ZeroDivisionError):
        write()
    assert api(query)["data"]["brands"]["edges"] == [{"node": {"name": "Potter"}}]


def test_answer_that_was_read_before_a_commit_is_not_told_after_it(
    world: SimpleNamespace,
    outcomes: list[str],
    api: Any,
    monkeypatch: pytest.MonkeyPatch,
    store: Any,
) -> None:
    keep = type(store).keep

    def written_meanwhile(*args: Any) -> bool:
        Variant.objects.filter(product__slug="mug-1").update(price=50)
        Product.objects.filter(slug="mug-1").update(min_price=50)
        return keep(*args)

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "keep", written_meanwhile)
        assert _price(api(PRICE, slug="mug-1")) == "1.00"
    assert _price(api(PRICE, slug="mug-1")) == "0.50"
    assert outcomes == ["miss", "stale"]


def test_scheduled_publication_ends_answers(
    world: SimpleNamespace, outcomes: list[str], api: Any
) -> None:
    product = world.products[3]
    at = timezone.now() + timedelta(seconds=1)
    products.update(product, published_at=at)
    assert len(_names(api(LIST, first=10))) == 3
    assert len(_names(api(LIST, first=10))) == 3
    assert outcomes == ["miss", "hit"]
    time.sleep((at - timezone.now()).total_seconds() + 0.01)
    assert len(_names(api(LIST, first=10))) == 4


def test_dispatch_of_an_event_ends_what_a_dead_process_left(
    world: SimpleNamespace,
    outcomes: list[str],
    api: Any,
    store: Any,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    settings.BACKGROUND = "threads"
    api(PRICE, slug="mug-1")
    with monkeypatch.context() as patch:
        # It dies right after its commit.
        patch.setattr("shop.generations.raising.drop", lambda names: None)
        patch.setattr("shop.generations.note_events", lambda written: None)
        Variant.objects.filter(product__slug="mug-1").update(price=50)
        products.update(world.products[0], seo_title="Another")
    assert OutboxEvent.objects.filter(dispatched_at=None).exists()
    assert _price(api(PRICE, slug="mug-1")) == "1.00"
    generations.repair(list(OutboxEvent.objects.filter(dispatched_at=None)))
    assert _price(api(PRICE, slug="mug-1")) == "0.50"


def test_events_that_this_process_told_itself_end_nothing_again(
    world: SimpleNamespace, outcomes: list[str], api: Any, settings: Any
) -> None:
    settings.BACKGROUND = "threads"
    products.update(world.products[0], seo_title="Another")
    api(LIST)
    written = OutboxEvent.objects.filter(dispatched_at=None, topic="product.updated")
    generations.repair(list(written))
    api(LIST)
    assert outcomes == ["miss", "hit"]


# --- What is kept ---------------------------------------------------------------------------------


def test_types_of_which_answers_are_kept() -> None:
    kept = {
        name
        for name, item in schema.graphql_schema.type_map.items()
        if isinstance(item, GraphQLObjectType)
        and all(is_shared(item, field) for field in item.fields)
    }
    connections = {
        "Attribute",
        "AttributeValue",
        "Brand",
        "Category",
        "Collection",
        "Media",
        "Product",
        "Review",
        "Variant",
    }
    plain = {
        "AddressRegion",
        "AddressRules",
        "Availability",
        "Country",
        "Money",
        "PageInfo",
        "ProductOption",
        "ProductRating",
        "SelectedOption",
        "Shop",
        "TaxLine",
    }
    # A variant has one field that takes a permission: its stock.
    around = {f"{name}{part}" for name in connections for part in ("Connection", "Edge")}
    assert kept == plain | around | connections - {"Variant"}


@pytest.mark.parametrize(
    "query",
    [
        "{ viewer { id } }",
        "{ cart { id } }",
        "{ reviews { totalCount } }",
        "{ products { edges { node { reviews { edges { node { user { id } } } } } } } }",
        "{ products { edges { node { variants { edges { node { stock { id } } } } } } } }",
        "{ shop { name } ...F } fragment F on Query { viewer { id } }",
        "{ __schema { queryType { name } } }",
        "query A { shop { name } } query B { viewer { id } }",
        'mutation { wishlistRemove(input: {variant: "x"}) { clientMutationId } }',
    ],
)
def test_no_answer_is_looked_for_that_may_be_private(
    query: str, outcomes: list[str], client: Client
) -> None:
    body = {"query": query, "operationName": "A" if "query A" in query else None}
    client.post("/graphql/", body, content_type="application/json")
    assert outcomes == []


def test_nodes_of_private_types_are_not_kept(
    world: SimpleNamespace, outcomes: list[str], api: Any, gid: Any, customer: User
) -> None:
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    found = api(query, ids=[gid(world.products[0]), to_global_id("Order", 1)])
    assert found["data"]["nodes"] == [{"id": gid(world.products[0])}, None]
    secret = 'query($ids: [ID!]!, $token: String!) { orderByToken(number: "1", token: $token)'
    secret += " { id } nodes(ids: $ids) { id } }"
    api(secret, ids=[], token="x")
    assert outcomes == ["miss"]


# --- Former slugs ---------------------------------------------------------------------------------


def test_an_answer_for_a_former_slug_ends_with_the_write_that_changes_it(
    outcomes: list[str], api: Any, world: SimpleNamespace
) -> None:
    query = "query($slug: String!) { brand(slug: $slug) { slug } }"
    listed = "query($slug: String!) { products(filter: {brand: {in: [$slug]}}) { totalCount } }"
    first, second = (taxonomy.create_brand(name=name) for name in ("First", "Second"))

    def asked(slug: str) -> Any:
        found = api(query, slug=slug)["data"]["brand"]
        # The second one comes from the cache.
        assert api(query, slug=slug)["data"]["brand"] == found
        assert outcomes[-2] != "hit"
        assert outcomes[-1] == "hit"
        api(listed, slug=slug)
        return found and found["slug"]

    assert asked("first") == "first"
    taxonomy.update_brand(first, slug="one")
    assert (asked("first"), asked("one")) == ("one", "one")
    taxonomy.update_brand(first, slug="uno")
    assert (asked("first"), asked("one")) == ("uno", "uno")
    slugs.release(first, ["first"])
    assert asked("first") is None
    taxonomy.update_brand(second, slug="first")
    assert asked("first") == "first"
    assert asked("second") == "first"
    taxonomy.delete_brand(second)
    assert asked("second") is None


@pytest.mark.parametrize("kind", ["category", "collection", "attribute", "brand"])
def test_a_list_filtered_by_a_former_slug_ends_with_its_release(
    kind: str, outcomes: list[str], api: Any, world: SimpleNamespace
) -> None:
    create = {
        "category": categories.create,
        "collection": taxonomy.create_collection,
        "attribute": taxonomy.create_attribute,
        "brand": taxonomy.create_brand,
    }[kind]
    update = categories.update if kind == "category" else getattr(taxonomy, f"update_{kind}", None)
    row = create(name="Row", slug="old")
    product = products.create(
        name="Hat",
        status="published",
        variants=[{"price": 100}],
        attribute_values=[taxonomy.add_value(row, "Wool")] if kind == "attribute" else (),
        **({kind: row} if kind in ("category", "brand") else {}),
    )
    if kind == "collection":
        taxonomy.add_products(row, [product])
    conditions = {
        "category": 'category: "old"',
        "collection": 'collection: "old"',
        "attribute": 'attributes: [{attribute: "old", in: ["wool"]}]',
        "brand": 'brand: {in: ["old"]}',
    }
    query = f"{{ products(filter: {{{conditions[kind]}}}) {{ totalCount }} }}"

    def total() -> int:
        found = api(query)["data"]["products"]["totalCount"]
        assert api(query)["data"]["products"]["totalCount"] == found
        assert outcomes[-2] != "hit"
        assert outcomes[-1] == "hit"
        return found

    assert total() == 1
    assert update is not None
    update(row, slug="new")
    assert total() == 1
    slugs.release(row, ["old"])
    assert total() == 0
