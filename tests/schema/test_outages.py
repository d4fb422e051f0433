"""A database that is locked, full or away is answered with RETRY, and a bug with INTERNAL."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError, ProgrammingError, connection
from django.test import Client
from graphql_jwt.shortcuts import get_token

from shop.models import Brand, IdempotencyKey, Order, User
from tests.caching import caching, local_store
from tests.shop.database.test_outages import FromPostgres, raised
from tests.shop.selling import ready

pytestmark = pytest.mark.django_db
MODERN = "application/graphql-response+json"
LIST = "{ products(first: 1) { edges { node { name } } } }"
CREATE = """mutation($input: BrandCreateInput!) { brandCreate(input: $input) {
  brand { name } userErrors { code } } }"""
CHECKOUT = """mutation($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
  order { number } userErrors { code } } }"""

Failing = Callable[..., contextlib.AbstractContextManager[list[str]]]


@pytest.fixture
def failing() -> Failing:
    """`failing("INSERT", code="53100")`: statements that begin so fail, and are listed."""

    @contextlib.contextmanager
    def fail(
        *starts: str, code: str | None = None, error: type[Exception] = OperationalError
    ) -> Iterator[list[str]]:
        failed: list[str] = []

        def wrapper(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
            if not str(sql).startswith(starts or ("",)):
                return execute(sql, params, many, context)
            failed.append(str(sql))
            raise raised(error("secret host"), FromPostgres(code))

        with connection.execute_wrapper(wrapper):
            yield failed

    return fail


@pytest.fixture
def ask(client: Client) -> Callable[..., Any]:
    def send(query: str, user: User | None = None, accept: str = MODERN, **variables: Any) -> Any:
        headers = {"Accept": accept}
        if user:
            headers["Authorization"] = f"Bearer {get_token(user)}"
        body = {"query": query, "variables": variables}
        return client.post("/graphql/", body, content_type="application/json", headers=headers)

    return send


def check(error: dict[str, Any], seconds: int, *path: str) -> None:
    assert error["extensions"] == {"code": "RETRY", "retryAfter": seconds}
    assert "secret" not in error["message"]
    assert tuple(error.get("path", ())) == path


@pytest.mark.parametrize(
    ("code", "seconds"), [("55P03", 2), ("57014", 5), (None, 5), ("53100", 30)]
)
def test_a_query_is_answered_retry_with_the_wait(
    code: str | None, seconds: int, world: SimpleNamespace, failing: Failing, ask: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    with caplog.at_level(logging.WARNING), failing(code=code) as failed:
        response = ask(LIST)
    (error,) = response.json()["errors"]
    check(error, seconds, "products")
    assert response.headers["Retry-After"] == str(seconds)
    # The generic path would wait for the same lock once more.
    assert len(failed) == 1
    told = [record for record in caplog.records if record.name != "django.request"]
    assert [(one.levelname, one.exc_info) for one in told] == [("ERROR", None)]


@pytest.mark.django_db(transaction=True)
def test_a_bug_of_the_database_stays_internal_and_is_tried_on_the_generic_path(
    failing: Failing, ask: Any
) -> None:
    with failing(code="42601", error=ProgrammingError) as failed:
        (error,) = ask(LIST).json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert len(failed) == 2


@pytest.mark.parametrize("accept", [MODERN, "application/json"])
def test_a_token_that_cannot_be_looked_up_is_answered_503(
    accept: str, customer: User, failing: Failing, ask: Any
) -> None:
    with failing():
        response = ask(LIST, customer, accept=accept)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    (error,) = response.json()["errors"]
    check(error, 5)


def test_each_operation_of_a_batch_is_answered(
    world: SimpleNamespace, failing: Failing, client: Client
) -> None:
    with failing(code="57P01"):
        response = client.post(
            "/graphql/", [{"query": LIST}, {"query": "{ __typename }"}],
            content_type="application/json",
        )  # fmt: skip
    refused, answered = response.json()
    check(refused["errors"][0], 5, "products")
    assert answered == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("statement", ["INSERT", "SELECT"])
def test_a_mutation_is_undone_entirely(
    statement: str, staff: User, failing: Failing, ask: Any, dump: Any
) -> None:
    before = dump()
    with failing(statement, code="53100") as failed:
        response = ask(CREATE, staff, input={"name": "Ladlemoor"})
    assert failed
    assert dump() == before
    check(response.json()["errors"][0], 30, *(["brandCreate"] if statement == "INSERT" else []))
    assert ask(CREATE, staff, input={"name": "Ladlemoor"}).json()["data"]["brandCreate"] == {
        "brand": {"name": "Ladlemoor"},
        "userErrors": [],
    }


def test_a_sibling_that_was_done_stays_done(
    staff: User, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Brand.save

    def save(self: Brand, *args: Any, **options: Any) -> None:
        if self.name == "Second":
            raise raised(OperationalError("secret"), FromPostgres("55P03"))
        create(self, *args, **options)

    monkeypatch.setattr(Brand, "save", save)
    document = """mutation { a: brandCreate(input: {name: "First"}) { brand { name } }
      b: brandCreate(input: {name: "Second"}) { brand { name } }
      c: brandCreate(input: {name: "Third"}) { brand { name } } }"""
    answer = ask(document, staff).json()
    made = {"brand": {"name": "First"}}, {"brand": {"name": "Third"}}
    assert answer["data"] == {"a": made[0], "b": None, "c": made[1]}
    (error,) = answer["errors"]
    check(error, 2, "b")
    assert set(Brand.objects.values_list("name", flat=True)) == {"First", "Third"}


def test_an_idempotency_key_of_a_refused_request_serves_the_next_one(
    selling: SimpleNamespace, failing: Failing, ask: Any
) -> None:
    _, token = ready(AnonymousUser(), (selling.variants[0], 2), (selling.variants[5], 1))
    wish = {
        "cart": token, "payment": {"provider": "DEMO"}, "expectedTotal": "10.81",
        "idempotencyKey": "one",
    }  # fmt: skip
    order = connection.ops.quote_name(Order._meta.db_table)
    with failing(f"INSERT INTO {order}", code="55P03") as failed:
        check(ask(CHECKOUT, input=wish).json()["errors"][0], 2, "checkoutComplete")
    assert failed
    assert not IdempotencyKey.objects.exists()
    first = ask(CHECKOUT, input=wish).json()["data"]["checkoutComplete"]
    assert first["order"]["number"]
    assert ask(CHECKOUT, input=wish).json()["data"]["checkoutComplete"] == first
    assert Order.objects.count() == 1


def test_rest_answers_503(world: SimpleNamespace, failing: Failing, client: Client) -> None:
    with failing(code="55P03"):
        response = client.get("/api/product-list")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    check(response.json()["errors"][0], 2, "products")
    assert "no-store" in response.headers["Cache-Control"]


def test_rest_answers_503_to_a_token_that_cannot_be_looked_up(
    customer: User, failing: Failing, client: Client
) -> None:
    headers = {"Authorization": f"Bearer {get_token(customer)}"}
    with failing():
        response = client.get("/api/product-list", headers=headers)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("path", ["/graphql/", "/api/product-list"])
def test_the_answer_cache_asks_the_database_within_the_error_handling(
    path: str, failing: Failing, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parameters = {"query": LIST} if path == "/graphql/" else {}
    with caching(monkeypatch, local_store(tmp_path)) as outcomes:
        with failing() as failed:
            response = client.get(path, parameters, headers={"Accept": MODERN})
        assert len(failed) == 1
        assert "published_at" in failed[0]
        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
        check(response.json()["errors"][0], 5)
        # Nothing of it is kept, and nobody waits for it.
        assert client.get(path, parameters).status_code == 200
    assert outcomes == ["miss", "miss"]


def test_an_unmigrated_database_is_answered_retry(
    failing: Failing, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.database.outages.are_migrations_pending", lambda: True)
    with failing(code="42P01", error=ProgrammingError):
        check(ask(LIST).json()["errors"][0], 30, "products")


# --- Pages ----------------------------------------------------------------------------------------


@pytest.fixture
def page(staff: User, client: Client) -> Any:
    """`page("/admin/")`: a page for staff; errors are answered as on a server."""
    client.force_login(staff)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("path", ["/admin/", "/admin/shop/brand/", "/payments/demo/confirm/"])
def test_pages_are_503_with_the_wait(
    path: str, page: Client, failing: Failing, settings: Any
) -> None:
    settings.DEMO_PAYMENTS = True
    with failing(code="55P03"):
        response = page.get(path)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    assert "Try again in 2 s." in response.content.decode()
    assert "secret" not in response.content.decode()


def test_a_form_of_the_admin_is_503_and_nothing_is_written(
    page: Client, failing: Failing, dump: Any
) -> None:
    before = dump()
    form = {"name": "Ladlemoor", "slug": "ladlemoor"}
    # In the view, and in the middleware that asks who writes.
    for start in ("INSERT", ""):
        with failing(start, code="53100") as failed:
            response = page.post("/admin/shop/brand/add/", form)
        assert failed
        assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
        assert dump() == before


def test_a_bug_on_a_page_stays_500(page: Client, failing: Failing) -> None:
    with failing(code="42601", error=ProgrammingError):
        assert page.get("/admin/shop/brand/").status_code == 500
