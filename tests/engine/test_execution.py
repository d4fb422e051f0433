"""What is kept between requests, and that nothing of one viewer or moment is kept."""

import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.utils import timezone

from schema.engine import compiled, execution
from schema.engine.execution import Document, DocumentCache, Executor
from schema.root import schema
from shop.models import Product, Review, User

LIST = """query($first: Int, $search: String, $brands: [String!]) {
  products(first: $first, filter: {search: $search, brand: {in: $brands}}, orderBy: {field: NAME}) {
    totalCount edges { node { slug variants(first: 9) { edges { node { sku } } } } } } }"""


@pytest.fixture
def executor() -> Executor:
    return Executor(schema.graphql_schema)


@pytest.fixture
def ask(executor: Executor, db: None) -> Any:
    """`ask(user, document, **variables)`: the data of one operation."""

    def run(user: Any, document: str = LIST, **variables: Any) -> Any:
        request = RequestFactory().post("/graphql/")
        request.user = user
        result = executor.execute(executor.document(document), request, variables)
        assert not result.errors, result.errors
        return result.data

    return run


def slugs(data: dict[str, Any]) -> list[str]:
    return [edge["node"]["slug"] for edge in data["products"]["edges"]]


def test_documents_are_kept_by_text_and_bounded_by_bytes() -> None:
    cache = DocumentCache(max_bytes=100)
    for name in "abcde":
        cache.put(name, Document(None, [], 30))
    assert cache.get("a") is None
    assert [name for name in "bcde" if cache.get(name)] == ["c", "d", "e"]
    cache.get("c")
    cache.put("f", Document(None, [], 30))
    assert [name for name in "cdef" if cache.get(name)] == ["c", "e", "f"]


def test_what_grows_on_a_document_counts(
    world: SimpleNamespace, ask: Any, executor: Executor
) -> None:
    document = executor.document(LIST)
    before = document.size
    ask(AnonymousUser(), first=1)
    assert document.size > before + 10_000
    grown = document.size
    ask(AnonymousUser(), first=2)
    assert document.size == grown


def test_a_document_is_parsed_once(executor: Executor) -> None:
    assert executor.document(LIST) is executor.document(LIST)


def test_new_values_reuse_compiled_sql(world: SimpleNamespace, ask: Any, monkeypatch: Any) -> None:
    user = AnonymousUser()
    assert slugs(ask(user, first=2, search="mug", brands=["ladlemoor"])) == ["mug-1", "mug-2"]

    def fail(*args: Any) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(compiled.Run, "_compile", fail)
    execution.counts.clear()
    assert slugs(ask(user, first=1, search="3", brands=["ladlemoor"])) == ["mug-3"]
    assert slugs(ask(user, first=5, search="mug", brands=["other"])) == []
    assert set(execution.counts) == {("compiled", "")}


def test_a_kept_plan_shows_each_viewer_what_that_viewer_may_see(
    world: SimpleNamespace, ask: Any, staff: Any, customer: Any
) -> None:
    Product.objects.filter(slug="mug-2").update(status="draft")
    for _ in range(2):
        assert slugs(ask(staff)) == ["mug-1", "mug-2", "mug-3", "mug-4"]
        assert slugs(ask(AnonymousUser())) == ["mug-1", "mug-3", "mug-4"]
        assert slugs(ask(customer)) == ["mug-1", "mug-3", "mug-4"]


def test_a_list_that_is_the_same_for_all_is_compiled_for_all(
    world: SimpleNamespace, ask: Any, customer: Any, monkeypatch: Any
) -> None:
    """Although of reviews in general everyone who is signed in sees others."""
    mug = world.products[0]
    for user, status in ((customer, "pending"), (User.objects.create_user("b@c.d"), "approved")):
        Review.objects.create(user=user, product=mug, rating=5, title=status, status=status)
    document = """{ products(orderBy: {field: NAME}) { edges { node { reviews {
      totalCount edges { node { title } } } } } } }"""
    found = ask(AnonymousUser(), document)
    reviews = found["products"]["edges"][0]["node"]["reviews"]
    assert reviews == {"totalCount": 1, "edges": [{"node": {"title": "approved"}}]}

    def fail(*args: Any) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(compiled.Run, "_compile", fail)
    assert ask(customer, document) == found


def test_a_kept_plan_knows_what_time_it_is(world: SimpleNamespace, ask: Any) -> None:
    now, day = timezone.now(), datetime.timedelta(days=1)
    product = Product.objects.filter(slug="mug-2")
    product.update(published_at=now + day)
    assert "mug-2" not in slugs(ask(AnonymousUser()))
    # As if two days had passed.
    product.update(published_at=now - day)
    assert "mug-2" in slugs(ask(AnonymousUser()))


def test_shapes_and_plans_of_a_document_are_bounded(
    world: SimpleNamespace, ask: Any, executor: Executor, monkeypatch: Any
) -> None:
    monkeypatch.setattr(compiled, "_MAX_STATEMENTS", 5)
    monkeypatch.setattr(execution, "_MAX_PLANS", 5)
    names = [f"v{number}" for number in range(4)]
    switched = (
        f"query({', '.join(f'${name}: Boolean!' for name in names)}) {{ shop {{ name }} "
        + " ".join(f"{name}: products @include(if: ${name}) {{ totalCount }}" for name in names)
        + " }"
    )
    for number in range(16):
        ask(AnonymousUser(), brands=["ladlemoor"] * (number + 1))
        flags = {name: bool(number & 1 << place) for place, name in enumerate(names)}
        data = ask(AnonymousUser(), switched, **flags)
        assert set(data) == {"shop", *(name for name in names if flags[name])}
    assert len(executor.document(switched).plans) <= 5
    (plan,) = executor.document(LIST).plans.values()
    assert len(plan.statements) <= 5


def test_an_unexpected_null_runs_generically_and_is_counted(
    world: SimpleNamespace, ask: Any, caplog: Any, monkeypatch: Any
) -> None:
    def broken(*args: Any) -> None:
        raise KeyError("a bug in the compiled path")

    monkeypatch.setattr(compiled.Run, "page", broken)
    execution.counts.clear()
    assert slugs(ask(AnonymousUser())) == ["mug-1", "mug-2", "mug-3", "mug-4"]
    assert execution.counts["fallback", "KeyError"] == 1
    assert "Fell back" in caplog.text


def test_batches_are_loaded_once_per_level(world: SimpleNamespace, api: Any) -> None:
    document = """{ categories(orderBy: {field: NAME}) { edges { node { name productCount } } }
      category(slug: "kitchen") { productCount } }"""
    data = api(document)["data"]
    counts = {
        edge["node"]["name"]: edge["node"]["productCount"] for edge in data["categories"]["edges"]
    }
    assert counts == {"Drinkware": 4, "Garden": 0, "Kitchen": 4, "Mugs": 2}
    assert data["category"] == {"productCount": 4}


def test_a_thousand_documents_stay_within_the_bound() -> None:
    executor = Executor(schema.graphql_schema, cache_bytes=500_000)
    for number in range(1000):
        executor.document(f"{{ shop {{ name a{number}: currency }} }}")
    assert 10 < len(executor._documents) < 500
    assert executor._documents._bytes <= 500_000
