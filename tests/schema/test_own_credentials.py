"""Mutations that carry their own credential ignore an Authorization header that is not valid."""

import datetime
import hashlib
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from graphql_jwt.shortcuts import get_token

from schema.authentication import payload_for
from schema.trusted import operations
from shop.actions import customers
from shop.models import User
from shop.throttling import buckets
from tests.schema.samples import FIELDS, OPEN, SAMPLES

MODERN = "application/graphql-response+json"
SIGN_IN = {"input": {"email": "ann@example.org", "password": "a customer password"}}
TOKEN_AUTH = "tokenAuth(input: $input) { user { email } userErrors { code } }"
DOCUMENT = f"mutation($input: TokenAuthInput!) {{ {TOKEN_AUTH} }}"
SIGNED_IN = {"tokenAuth": {"user": {"email": "ann@example.org"}, "userErrors": []}}
CREDENTIALED = sorted(name for name in OPEN if FIELDS[name].resolve.__self__.carries_credential)


def expired(user: User) -> str:
    claims = payload_for(user) | {"exp": int(timezone.now().timestamp()) - 1}
    return f"Bearer {jwt.encode(claims, settings.SECRET_KEY, 'HS256')}"


@pytest.fixture
def post(client: Client, customer: User) -> Callable[..., Any]:
    """`post(operation, header, path)`: the response; the header is that of an expired token."""

    def send(operation: Any, header: str = "", path: str = "/graphql/") -> Any:
        return client.post(
            path,
            json.dumps(operation),
            content_type="application/json",
            headers={"Accept": MODERN, "Authorization": header or expired(customer)},
        )

    return send


@pytest.fixture
def run(post: Callable[..., Any]) -> Callable[..., Any]:
    """`run(document, **variables)`: the JSON of the answer to the sender of an expired token."""

    def send(document: str, /, **variables: Any) -> Any:
        return post({"query": document, "variables": variables}).json()

    return send


def code(answer: Any) -> str:
    assert answer.get("data") is None
    (error,) = answer["errors"]
    return error["extensions"]["code"]


def document_of(mutation: str) -> str:
    name = f"{mutation[0].upper()}{mutation[1:]}Input!"
    return f"mutation($input: {name}) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"


@pytest.mark.parametrize(
    "header",
    [
        expired,
        lambda user: "Bearer garbage",
        lambda user: f"Basic {get_token(user)}",
        lambda user: f"Bearer {get_token(User(pk=987_654_321))}",
    ],
    ids=["expired", "garbage", "another scheme", "of nobody"],
)
def test_a_header_that_is_not_valid_does_not_keep_anyone_from_signing_in(
    header: Callable[[User], str], post: Any, customer: User
) -> None:
    response = post({"query": DOCUMENT, "variables": SIGN_IN}, header(customer))
    assert (response.status_code, response.json()) == (200, {"data": SIGNED_IN})


@pytest.mark.parametrize("sender", ["anonymous", "customer", "other", "staff"])
def test_a_valid_header_of_anyone_changes_nothing(
    sender: str, api: Any, customer: User, staff: User
) -> None:
    other = User.objects.create_user("other@example.org")
    user = {"anonymous": None, "customer": customer, "other": other, "staff": staff}[sender]
    assert api(DOCUMENT, user, **SIGN_IN) == {"data": SIGNED_IN}


def test_an_expired_access_token_is_exchanged_while_it_is_sent(run: Any, customer: User) -> None:
    day, device = datetime.timedelta(days=1), customers.Device()
    granted = customers.open_session(customer, lifetime=day, device=device)
    answer = run(
        "mutation($t: String!) { refreshToken(input: {refreshToken: $t}) { token } }",
        t=granted.refresh_token,
    )
    assert answer["data"]["refreshToken"]["token"].count(".") == 2


def test_only_mutations_that_anyone_may_call_carry_a_credential() -> None:
    declared = [name for name in FIELDS if FIELDS[name].resolve.__self__.carries_credential]
    assert sorted(declared) == CREDENTIALED
    assert set(CREDENTIALED) >= {"tokenAuth", "refreshToken", "passwordReset", "customerConfirm"}


WRONG = {
    "customerConfirm": {"token": "none", "password": "ladles of clay 7"},
    "customerRegister": {"email": "new@example.org", "password": "1"},
    "emailConfirm": {"token": "none", "password": "ladles of clay 7"},
    "orderCancelByToken": {"number": "4K7M9-QX2PD", "token": "none"},
    "passwordReset": {"token": "none", "password": "ladles of clay 7"},
    "passwordResetRequest": {"email": "nobody@example.org"},
    "refreshToken": {"refreshToken": "none"},
    "revokeToken": {"refreshToken": "none"},
    "tokenAuth": {"email": "ann@example.org", "password": "wrong"},
    "verifyToken": {"token": "none"},
}


@pytest.mark.parametrize("mutation", CREDENTIALED)
def test_answers_to_wrong_credentials_do_not_depend_on_the_header(
    mutation: str, run: Any, api: Any
) -> None:
    document = document_of(mutation)
    expected = api(document, input=WRONG[mutation])
    assert run(document, input=WRONG[mutation]) == expected
    errors = [error["extensions"]["code"] for error in expected.get("errors", ())]
    assert "TOKEN_EXPIRED" not in errors
    assert "Ignores an `Authorization` header that is not valid." in FIELDS[mutation].description


CHECKOUT = {"cart": "none", "expectedTotal": "1", "payment": {"provider": "DEMO"}}


@pytest.mark.parametrize("mutation", sorted(OPEN - {*CREDENTIALED}))
def test_all_other_mutations_refuse_an_expired_header(
    mutation: str, run: Any, dump: Any, shop: SimpleNamespace
) -> None:
    document = document_of(mutation)
    values = SAMPLES[mutation](shop) if mutation in SAMPLES else CHECKOUT
    before = dump()
    assert code(run(document, input=values)) == "TOKEN_EXPIRED"
    assert dump() == before


# --- Documents ----------------------------------------------------------------------------------

INPUT = "$input: TokenAuthInput!"
ALIASED = "mine: tokenAuth(input: $input) { user { email } userErrors { code } }"
OTHER = 'brandCreate(input: {name: "Acme"}) { brand { slug } }'
ALONE = {
    "alias": f"mutation({INPUT}) {{ {ALIASED} }}",
    "fragment": f"mutation({INPUT}) {{ ...All }} fragment All on Mutation {{ {ALIASED} }}",
    "nested fragments": f"mutation({INPUT}) {{ ...A }} fragment A on Mutation {{ ... {{ ...B }} }} "
    f"fragment B on Mutation {{ {ALIASED} }}",
    "inline fragment": f"mutation({INPUT}) {{ ... on Mutation {{ {ALIASED} }} }}",
    "__typename": f"mutation({INPUT}) {{ __typename {ALIASED} }}",
    "skipped": f"mutation({INPUT}) {{ {ALIASED} "
    'brandCreate(input: {name: "Acme"}) @skip(if: true) { brand { slug } } }',
    "skipped by a variable": f"mutation({INPUT}, $no: Boolean = true) "
    f"{{ {ALIASED} ... @skip(if: $no) {{ {OTHER} }} }}",
    "not included": f"mutation({INPUT}) {{ {ALIASED} ...Rest @include(if: false) }} "
    f"fragment Rest on Mutation {{ {OTHER} }}",
    "two of them": f"mutation({INPUT}) {{ {ALIASED} "
    'revokeToken(input: {refreshToken: "none"}) { revoked } }',
}
MIXED = {
    "before": f"mutation({INPUT}) {{ {ALIASED} {OTHER} }}",
    "after": f"mutation({INPUT}) {{ {OTHER} {ALIASED} }}",
    "fragment": f"mutation({INPUT}) {{ {ALIASED} ...Rest }} "
    f"fragment Rest on Mutation {{ {OTHER} }}",
    "inline fragment": f"mutation({INPUT}) {{ {ALIASED} ... {{ {OTHER} }} }}",
    "alias": f"mutation({INPUT}) {{ {ALIASED} tokenAuth: {OTHER} }}",
    "included by a variable": f"mutation({INPUT}, $yes: Boolean = true) "
    f"{{ {ALIASED} ... @include(if: $yes) {{ {OTHER} }} }}",
    "none of them": f"mutation({INPUT}) {{ ... @skip(if: true) {{ {ALIASED} }} }}",
    "only __typename": "mutation { __typename }",
    "a query": "{ shop { name } }",
    "introspection": "{ __schema { queryType { name } } }",
}


@pytest.mark.parametrize("kind", ALONE)
def test_a_document_of_nothing_else_runs(kind: str, run: Any) -> None:
    data = run(ALONE[kind], **SIGN_IN)["data"]
    assert data["mine"] == {"user": {"email": "ann@example.org"}, "userErrors": []}
    assert "brandCreate" not in data


@pytest.mark.parametrize("kind", MIXED)
def test_a_document_with_anything_else_fails_as_a_whole(kind: str, run: Any, dump: Any) -> None:
    before = dump()
    values = SIGN_IN if "$input" in MIXED[kind] else {}
    assert code(run(MIXED[kind], **values)) == "TOKEN_EXPIRED"
    assert dump() == before


@pytest.mark.parametrize(
    ("asked", "expected"), [(True, "brandCreate"), (False, "tokenAuth")], ids=["mixed", "alone"]
)
def test_variables_decide_what_a_document_holds(asked: bool, expected: str, run: Any) -> None:
    document = f"""mutation({INPUT}, $more: Boolean!) {{ {TOKEN_AUTH}
      ... @include(if: $more) {{ {OTHER} }} }}"""
    answer = run(document, more=asked, **SIGN_IN)
    if expected == "tokenAuth":
        assert answer == {"data": SIGNED_IN}
    else:
        assert code(answer) == "TOKEN_EXPIRED"


def test_the_operation_that_is_named_decides(post: Any) -> None:
    document = f"mutation In({INPUT}) {{ {TOKEN_AUTH} }} query Shop {{ shop {{ name }} }}"
    operation = {"query": document, "variables": SIGN_IN}
    assert post({**operation, "operationName": "In"}).json() == {"data": SIGNED_IN}
    for name in ("Shop", "Nothing", None):
        assert code(post({**operation, "operationName": name}).json()) == "TOKEN_EXPIRED"


def test_a_valid_header_serves_the_other_fields_of_a_mixed_document(api: Any, staff: User) -> None:
    values = {"input": {"email": staff.email, "password": "a staff password"}}
    answer = api(f"mutation({INPUT}) {{ {TOKEN_AUTH} {OTHER} }}", staff, **values)
    assert answer["data"]["brandCreate"] == {"brand": {"slug": "acme"}}


NULL_SWITCH = ALONE["skipped by a variable"]


@pytest.mark.parametrize(
    ("document", "variables", "expected"),
    [
        ("mutation { tokenAuth { token } }", {}, "VALIDATION_FAILED"),
        ("mutation {", {}, "VALIDATION_FAILED"),
        (DOCUMENT, {"input": {"email": "ann@example.org"}}, "BAD_REQUEST"),
        (DOCUMENT, {}, "BAD_REQUEST"),
        (NULL_SWITCH, {**SIGN_IN, "no": None}, "BAD_REQUEST"),
    ],
    ids=["invalid", "syntax", "variables", "no variables", "null in a directive"],
)
def test_mistakes_are_told_as_without_a_header(
    document: str, variables: Any, expected: str, run: Any, api: Any
) -> None:
    answer = run(document, **variables)
    assert answer == api(document, **variables)
    assert code(answer) == expected


# --- Ways of asking -----------------------------------------------------------------------------


def persisted(document: str) -> dict[str, Any]:
    digest = hashlib.sha256(document.encode()).hexdigest()
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}


def test_a_persisted_mutation_is_registered_and_run(post: Any) -> None:
    asked = {"variables": SIGN_IN, **persisted(DOCUMENT)}
    # Anything else, and the client would never send the text.
    assert code(post(asked).json()) == "PERSISTED_QUERY_NOT_FOUND"
    assert post({"query": DOCUMENT, **asked}).json() == {"data": SIGNED_IN}
    assert post(asked).json() == {"data": SIGNED_IN}


def test_a_persisted_document_that_needs_the_header_fails_with_its_error(post: Any) -> None:
    query = "{ shop { name } } # by the sender of a bad header"
    assert code(post({"query": query, **persisted(query)}).json()) == "TOKEN_EXPIRED"
    assert code(post(persisted(query)).json()) == "TOKEN_EXPIRED"


@pytest.mark.parametrize("who", ["off", "anonymous", "customers", "everyone"])
def test_trusted_documents_run_and_others_fail_with_the_error_of_the_header(
    who: str, post: Any, settings: Any
) -> None:
    """A valid token allows other documents: the client has to learn that it needs one."""
    settings.GRAPHQL_TRUSTED_ONLY = who
    named = {"operationName": "TokenAuth", "variables": SIGN_IN}
    answer = post(named).json()
    assert answer["data"]["tokenAuth"]["userErrors"] == []
    assert post({**named, "query": operations()["TokenAuth"].text}).status_code == 200
    assert code(post({"operationName": "ShopInfo"}).json()) == "TOKEN_EXPIRED"
    assert code(post({"query": "{ shop { name } }"}).json()) == "TOKEN_EXPIRED"
    other = post({"query": DOCUMENT, "variables": SIGN_IN}).json()
    if who == "off":
        assert other == {"data": SIGNED_IN}
    else:
        assert code(other) == "OPERATION_NOT_TRUSTED"


def test_no_document_is_registered_by_those_who_may_not_run_it(post: Any, settings: Any) -> None:
    settings.GRAPHQL_TRUSTED_ONLY = "anonymous"
    document = f"{DOCUMENT} # not trusted"
    asked = {"variables": SIGN_IN, **persisted(document)}
    assert code(post({"query": document, **asked}).json()) == "OPERATION_NOT_TRUSTED"
    assert code(post(asked).json()) == "TOKEN_EXPIRED"
    settings.GRAPHQL_TRUSTED_ONLY = "off"
    assert code(post(asked).json()) == "PERSISTED_QUERY_NOT_FOUND"


def test_a_batch_is_judged_operation_by_operation(post: Any) -> None:
    sign_in, shop = {"query": DOCUMENT, "variables": SIGN_IN}, {"query": "{ shop { name } }"}
    response = post([shop, sign_in, shop])
    assert response.status_code == 200
    first, second, third = response.json()
    assert (code(first), second, code(third)) == (
        "TOKEN_EXPIRED",
        {"data": SIGNED_IN},
        "TOKEN_EXPIRED",
    )


def test_get_is_for_queries_whatever_the_header(client: Client, customer: User) -> None:
    def get(**values: str) -> Any:
        headers = {"Accept": MODERN, "Authorization": expired(customer)}
        return client.get("/graphql/", values, headers=headers)

    response = get(query=DOCUMENT, variables=json.dumps(SIGN_IN))
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    response = get(query="{ shop { name } }")
    assert (response.status_code, code(response.json())) == (401, "TOKEN_EXPIRED")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Cache-Control"] == "no-store"


def test_plain_http_ignores_the_same_headers(post: Any, client: Client, customer: User) -> None:
    response = post(SIGN_IN["input"], path="/api/token-auth")
    assert response.status_code == 200
    pair = response.json()["data"]["tokenAuth"]
    refreshed = post({"refreshToken": pair["refreshToken"]}, path="/api/refresh-token")
    assert refreshed.json()["data"]["refreshToken"]["userErrors"] == []
    for response in (
        post({}, path="/api/cart-create"),
        client.get("/api/shop-info", headers={"Authorization": expired(customer)}),
    ):
        assert (response.status_code, code(response.json())) == (401, "TOKEN_EXPIRED")
        assert response.headers["WWW-Authenticate"] == "Bearer"


# --- Budgets ------------------------------------------------------------------------------------


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[[], dict[str, float]]:
    """`spent()`: the points that were drawn, by whose they were."""
    settings.REDIS_URL = ""
    settings.COST_BUCKETS = dict.fromkeys(settings.COST_BUCKETS, (1000, 10))
    points: dict[str, float] = {}
    draw = buckets.draw

    def counted(bucket: Any, cost: int, purpose: str, kind: str, key: str, **more: Any) -> Any:
        points[kind] = points.get(kind, 0) + cost
        return draw(bucket, cost, purpose, kind, key, **more)

    monkeypatch.setattr("shop.throttling.draw", counted)
    return lambda: points


def test_the_sender_of_a_bad_header_spends_as_nobody(post: Any, spent: Any, customer: User) -> None:
    post({"query": DOCUMENT, "variables": SIGN_IN})
    assert spent() == {"address": 12}
    post({"query": "{ shop { name } }"})
    assert spent() == {"address": 13}
    post({"query": "{ shop { name } }"}, f"Bearer {get_token(customer)}")
    assert spent() == {"address": 13, "user": 1}


def test_failed_sign_ins_are_counted_whatever_the_header(post: Any, settings: Any) -> None:
    settings.REDIS_URL = ""
    wrong = {"input": {"email": "ann@example.org", "password": "wrong"}}
    answers = [post({"query": DOCUMENT, "variables": wrong}).json() for _ in range(30)]
    assert answers[-1]["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert answers[0]["data"]["tokenAuth"]["userErrors"] == [{"code": "INVALID_CREDENTIALS"}]
