"""What clients may spend on operations, what they are told of it, and what is free."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from graphql_jwt.shortcuts import get_token

from schema.engine import execution, metering
from schema.engine.errors import RateLimited
from schema.engine.metering import Budget
from schema.metering import CostMeter
from shop import metrics, throttling
from shop.models import Brand
from shop.throttling import buckets

pytestmark = pytest.mark.django_db
MODERN = "application/graphql-response+json"
SHOP = "{ shop { currency } }"
# 2 for the connection, and for each of 20 products 1 and 1 for its edge; and once more.
LISTS = (
    "{ a: products(first: 20) { edges { cursor } } b: products(first: 20) { edges { cursor } } }"
)
# A million of them.
DEEP = """{ categories(first: 100) { edges { node { children(first: 100) { edges { node {
  children(first: 100) { edges { cursor } } } } } } } } }"""
WRITE = "mutation($n: String!) { brandCreate(input: {name: $n}) { brand { slug } } }"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> SimpleNamespace:
    """Small buckets of this test's own, and their clock."""
    settings.REDIS_URL = ""
    settings.COST_BUCKETS = {"anonymous": (100, 10), "customer": (200, 10), "staff": (400, 10)}
    clock = SimpleNamespace(now=1000.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(buckets, "time", clock)
    monkeypatch.setattr(buckets, "_local", buckets.Local())
    return clock


@pytest.fixture
def ask(client: Any) -> Any:
    """`ask(document)`: the response to a POST."""

    def send(
        document: Any,
        user: Any = None,
        address: str = "192.0.2.1",
        accept: str = MODERN,
        **more: Any,
    ) -> Any:
        headers = {"Accept": accept}
        if user:
            headers["Authorization"] = f"Bearer {get_token(user)}"
        body = document if isinstance(document, list) else {"query": document, **more}
        return client.post(
            "/graphql/",
            json.dumps(body),
            content_type="application/json",
            headers=headers,
            REMOTE_ADDR=address,
        )

    return send


def left(response: Any) -> int:
    """The points that the headers tell."""
    name, remaining, _ = response.headers["RateLimit"].split(";")
    assert name == '"cost"'
    return int(remaining.removeprefix("r="))


def test_an_answer_tells_what_is_left_in_headers_and_on_request_in_the_answer(ask: Any) -> None:
    response = ask(LISTS, extensions={"cost": True})
    assert response.headers["RateLimit-Policy"] == '"cost";q=100;qu="points";w=10'
    assert response.headers["RateLimit"] == '"cost";r=16;t=9'
    assert response.json()["extensions"]["cost"] == {
        "requested": 84,
        "max": 50_000,
        "throttleStatus": {"maximumAvailable": 100, "currentlyAvailable": 16, "restoreRate": 10},
    }
    assert "extensions" not in ask(SHOP).json()


FIELDS = "a: products(first: 20) { edges { cursor } } b: products(first: 20) { edges { cursor } }"
NODE = 'node(id: "UHJvZHVjdDox")'


@pytest.mark.parametrize(
    ("document", "cost"),
    [
        (f"{{ ... {{ {FIELDS} }} }}", 84),
        (f"{{ ... @include(if: true) {{ {FIELDS} }} }}", 84),
        (f"{{ ... on Query {{ {FIELDS} }} }}", 84),
        (f"{{ ...F }} fragment F on Query {{ {FIELDS} }}", 84),
        # 1 for the node, 2 for the connection, and 2 for each of its 5 items.
        (
            f"{{ {NODE} {{ ... on Product {{ variants(first: 5) {{ edges {{ cursor }} }} }} }} }}",
            13,
        ),
        (
            f"{{ {NODE} {{ ...F }} }} "
            "fragment F on Product { ... { variants(first: 5) { edges { cursor } } } }",
            13,
        ),
    ],
)
def test_the_cost_counts_what_fragments_select(document: str, cost: int, ask: Any) -> None:
    answer = ask(document, extensions={"cost": True}).json()
    assert answer["extensions"]["cost"]["requested"] == cost


def test_who_has_spent_all_is_told_how_long_to_wait_and_then_served(
    ask: Any, clock: SimpleNamespace
) -> None:
    ask(LISTS)
    refused = ask(LISTS)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert refused.headers["RateLimit"] == '"cost";r=16;t=9'
    body = refused.json()
    assert body.keys() == {"errors"}
    assert body["errors"][0]["extensions"] == {
        "code": "RATE_LIMITED",
        "retryAfter": 7,
        "cost": {
            "requested": 84,
            "throttleStatus": {
                "maximumAvailable": 100,
                "currentlyAvailable": 16,
                "restoreRate": 10,
            },
        },
    }
    clock.now += 6
    assert ask(LISTS).status_code == 429
    # What costs less does not wait for what costs more.
    assert ask(SHOP).status_code == 200
    clock.now += 1.1
    assert ask(LISTS).status_code == 200


def test_the_older_media_type_has_the_same_errors_with_status_200(ask: Any) -> None:
    ask(LISTS)
    refused = ask(LISTS, accept="application/json")
    assert (refused.status_code, refused.headers["Retry-After"]) == (200, "7")
    assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


def test_addresses_and_users_have_buckets_of_their_own(ask: Any, staff: Any, customer: Any) -> None:
    assert [left(ask(LISTS)), left(ask(LISTS, address="192.0.2.2"))] == [16, 16]
    # Signed in, one is counted as oneself, whatever the address.
    assert left(ask(LISTS, customer)) == 116
    assert left(ask(LISTS, customer, address="192.0.2.2")) == 32
    assert left(ask(LISTS, staff)) == 316
    # A household of IPv6, and IPv4 as a server that listens on IPv6 names it.
    assert [left(ask(LISTS, address="2001:db8::1")), left(ask(SHOP, address="2001:db8::2"))] == [
        16,
        15,
    ]
    assert left(ask(SHOP, address="::ffff:192.0.2.1")) == 15


def test_a_mutation_costs_ten_and_what_it_selects_and_one_that_waits_is_not_done(
    ask: Any, staff: Any, settings: Any
) -> None:
    settings.COST_BUCKETS = {**settings.COST_BUCKETS, "staff": (30, 10)}
    names = [{"n": f"Brand {number}"} for number in range(4)]
    found = [ask(WRITE, staff, variables=name) for name in names]
    assert [response.status_code for response in found] == [200, 200, 429, 429]
    assert [left(response) for response in found] == [19, 8, 8, 8]
    assert Brand.objects.count() == 2


def test_each_operation_of_a_batch_is_charged(ask: Any) -> None:
    response = ask(
        [{"query": LISTS, "extensions": {"cost": True}}, {"query": LISTS}, {"query": SHOP}]
    )
    first, second, third = response.json()
    assert first["extensions"]["cost"]["requested"] == 84
    assert second["errors"][0]["extensions"]["retryAfter"] == 7
    assert third == {"data": {"shop": {"currency": "USD"}}}
    assert (response.status_code, left(response)) == (200, 15)
    assert response.headers["Retry-After"] == "7"


PERSISTED = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}


@pytest.mark.parametrize(
    ("garbage", "charge"),
    [
        ({"query": "{"}, 1 + 1),
        ({"query": "{ nothing }"}, 1 + 3),
        ({"query": "query($n: Int!) { products(first: $n) { totalCount } }"}, 1 + 20),
        ({"query": SHOP, "operationName": "Missing"}, 1 + 6),
        ({"query": SHOP, "operationName": "Missing", "variables": {"a": [1, 2]}}, 1 + 6 + 3),
        ({"extensions": PERSISTED}, 1),
        ({"extensions": {"persistedQuery": {"version": 7}}}, 1),
        ({"query": DEEP}, 1 + 42),
    ],
)
def test_refused_requests_cost_a_point_and_their_tokens(
    garbage: Any, charge: int, ask: Any
) -> None:
    response = ask([garbage])
    (answer,) = response.json()
    assert answer.keys() == {"errors"}
    assert left(response) == 100 - charge


@pytest.mark.parametrize("first", [-1, -(2**31), 0])
def test_no_page_size_gives_points_back(first: int, ask: Any) -> None:
    document = "query($n: Int) { products(first: $n) { edges { cursor } } }"
    assert left(ask(document, variables={"n": first})) <= 98


def test_garbage_does_not_come_through_either_when_all_is_spent(ask: Any, settings: Any) -> None:
    settings.COST_BUCKETS = {**settings.COST_BUCKETS, "anonymous": (6, 1)}
    codes = [ask("{").json()["errors"][0]["extensions"]["code"] for _ in range(5)]
    assert codes == ["VALIDATION_FAILED"] * 3 + ["RATE_LIMITED"] * 2


def test_a_refused_document_takes_what_is_left(ask: Any) -> None:
    tokens = "{" + " nothing" * 60 + "}"
    assert left(ask(tokens)) == 100 - 1 - 62
    refused = ask("{" + " no" * 50 + "}")
    assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert left(refused) == 0


def test_a_new_text_is_not_parsed_for_a_client_that_cannot_pay_for_it(
    monkeypatch: pytest.MonkeyPatch, ask: Any, clock: SimpleNamespace
) -> None:
    ask(SHOP)
    assert left(ask("{" + " nothing" * 97 + "}")) == 0
    parsed = []
    parse = execution.parse_and_validate
    monkeypatch.setattr(
        execution,
        "parse_and_validate",
        lambda schema, text, *rest, **more: (
            parsed.append(text) or parse(schema, text, *rest, **more)
        ),
    )
    clock.now += 1
    new = "{ shop { name } } # " + "x" * 100
    response = ask(new)
    assert response.status_code == 429
    # 1 and 120 / 8 points, of which 10 are there.
    assert response.json()["errors"][0]["extensions"] == {
        "code": "RATE_LIMITED",
        "retryAfter": 1,
        "cost": {
            "requested": 16,
            "throttleStatus": {
                "maximumAvailable": 100,
                "currentlyAvailable": 10,
                "restoreRate": 10,
            },
        },
    }
    assert parsed == []
    # A document that was parsed before costs its own price, and so does the new one in time.
    assert left(ask(SHOP)) == 9
    clock.now += 1
    assert left(ask(new)) == 18
    assert parsed == [new]


def test_meta_fields_cost_a_point_and_introspection_its_price(ask: Any, settings: Any) -> None:
    assert left(ask("{ __typename }")) == 99
    settings.COST_BUCKETS = {**settings.COST_BUCKETS, "anonymous": (20_000, 100)}
    price = ask("{ __schema { types { name } } }", address="192.0.2.3")
    assert left(price) == 10_000
    assert left(ask('{ __type(name: "Shop") { name } }', address="192.0.2.4")) == 19_900


def test_points_and_waits_are_rounded_to_a_millionth(monkeypatch: Any, ask: Any) -> None:
    level = throttling.Level(7.999_999_6, 0.000_000_4)
    monkeypatch.setattr(throttling, "draw", lambda *_, **__: level)
    response = ask(SHOP)
    assert (response.status_code, left(response)) == (200, 8)


def test_refusals_are_counted_by_kind_of_client(monkeypatch: Any, ask: Any, customer: Any) -> None:
    counted = []
    monkeypatch.setattr(metrics, "count", lambda name, **tags: counted.append((name, tags)))
    for _ in range(3):
        ask(LISTS, customer)
    assert counted == [("cost.refused", {"client": "customer"})]


def test_a_shop_may_have_no_limit(ask: Any, settings: Any) -> None:
    settings.COST_BUCKETS = {**settings.COST_BUCKETS, "anonymous": (0, 0)}
    response = ask(LISTS, extensions={"cost": True})
    assert "RateLimit" not in response.headers
    assert response.json()["extensions"]["cost"] == {"requested": 84, "max": 50_000}


def test_a_redis_that_is_gone_stops_nobody(ask: Any, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert [ask(LISTS).status_code for _ in range(2)] == [200, 429]


def test_plain_http_is_charged_to_the_same_bucket(client: Any, ask: Any) -> None:
    ask(LISTS)
    # The list of products costs more than is left.
    refused = client.get("/api/product-list", REMOTE_ADDR="192.0.2.1")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 1
    assert left(refused) == 16
    served = client.get("/api/shop-info", REMOTE_ADDR="192.0.2.1")
    assert (served.status_code, left(served)) == (200, 15)


def test_a_refused_charge_takes_nothing_unless_it_drains(rf: Any) -> None:
    request = rf.post("/graphql/")
    request.user = AnonymousUser()
    meter = CostMeter()
    assert meter.charge(request, 60) == (Budget(100, 40, 10), 0)
    assert meter.charge(request, 60) == (Budget(100, 40, 10), 2)
    assert meter.charge(request, 60, drain=True) == (Budget(100, 0, 10), 6)


@pytest.mark.parametrize(("available", "is_refused"), [(10, True), (11, False)])
def test_a_text_is_parsed_for_a_client_that_can_just_pay_for_it(
    available: int, is_refused: bool
) -> None:
    meter = SimpleNamespace(charge=lambda request, cost: (Budget(100, available, 10), 0.0))
    request = SimpleNamespace(graphql_meter=meter)
    size = (11 - metering.MIN_CHARGE) * metering.BYTES_OF_A_POINT
    if not is_refused:
        metering.check_budget(request, size)
        return
    with pytest.raises(RateLimited) as caught:
        metering.check_budget(request, size)
    assert caught.value.extensions["retryAfter"] == 1
