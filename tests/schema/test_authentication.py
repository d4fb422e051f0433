"""Signing in, and every way an access token can be wrong."""

import base64
import datetime
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from graphql_jwt.shortcuts import get_token

from schema.authentication import payload_for
from shop.actions import accounts, customers
from shop.actions.customers import signing_in
from shop.errors import InvalidCredentials
from shop.models import RefreshToken, Session, User

PASSWORD = "a customer password"
DAY, DEVICE = datetime.timedelta(days=1), customers.Device()
PAIR = "token expiresIn refreshToken refreshExpiresIn user { email } userErrors { code field }"
VIEWER = "{ viewer { email } }"
ANN = {"data": {"viewer": {"email": "ann@example.org"}}}


@pytest.fixture
def sign_in(api: Any) -> Any:
    def send(email: str = "ann@example.org", password: str = PASSWORD) -> dict[str, Any]:
        document = f"mutation($input: TokenAuthInput!) {{ tokenAuth(input: $input) {{ {PAIR} }} }}"
        return api(document, input={"email": email, "password": password})["data"]["tokenAuth"]

    return send


@pytest.fixture
def viewer(client: Any) -> Any:
    """`viewer(header)`: the answer to `{ viewer { email } }` with this Authorization header."""

    def send(header: str, document: str = VIEWER) -> dict[str, Any]:
        return client.post(
            "/graphql/",
            {"query": document},
            content_type="application/json",
            headers={"Authorization": header},
        ).json()

    return send


def signed(user: User, key: str = settings.SECRET_KEY, **claims: Any) -> str:
    kept = {k: v for k, v in (payload_for(user) | claims).items() if v is not None}
    return jwt.encode(kept, key, "HS256")


@pytest.mark.parametrize(
    "email", ["ann@example.org", "ANN@Example.ORG", " ann@example.org ", "ａnn@example.org"]
)
def test_signing_in_gives_a_pair_of_tokens(email: str, customer: User, sign_in: Any) -> None:
    pair = sign_in(email)
    assert pair.pop("token").count(".") == 2
    assert len(pair.pop("refreshToken")) >= 43
    assert pair == {
        "expiresIn": 600,
        "refreshExpiresIn": 30 * 24 * 3600,
        "user": {"email": "ann@example.org"},
        "userErrors": [],
    }
    customer.refresh_from_db()
    assert customer.last_login is not None


NOTHING = dict.fromkeys(["token", "expiresIn", "refreshToken", "refreshExpiresIn", "user"])


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@example.org", "wrong"),
        ("ann@example.org", PASSWORD.upper()),
        ("ann@example.org", ""),
        ("ann@example.org", "x" * 5000),
        ("nobody@example.org", PASSWORD),
        ("", PASSWORD),
        ("gone@example.org", PASSWORD),
        ("none@example.org", ""),
        ("ann@example.org\x00", PASSWORD),
        ("ann@example.org", PASSWORD + "\x00"),
    ],
)
def test_wrong_credentials_all_answer_alike(
    email: str, password: str, customer: User, sign_in: Any, dump: Any
) -> None:
    User.objects.create_user("gone@example.org", PASSWORD, is_active=False)
    User.objects.create_user("none@example.org", None)
    before = dump()
    answer = sign_in(email, password)
    assert answer == {**NOTHING, "userErrors": [{"code": "INVALID_CREDENTIALS", "field": []}]}
    assert dump() == before


@pytest.mark.parametrize("change", [{"token_version": 7}, {"is_active": False}])
def test_the_password_of_an_account_that_changed_while_it_waited_proves_nothing(
    change: dict[str, Any], customer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def turn() -> Iterator[None]:
        User.objects.filter(pk=customer.pk).update(**change)
        yield

    monkeypatch.setattr("shop.actions.customers.signing_in.hashing.turn", turn)
    with pytest.raises(InvalidCredentials):
        signing_in.prove(customer, PASSWORD, address="192.0.2.1")


def test_only_the_own_password_proves_who_it_is(staff: User, customer: User) -> None:
    signing_in.prove(customer, PASSWORD, address="192.0.2.1")
    with pytest.raises(InvalidCredentials) as caught:
        signing_in.prove(customer, "a staff password", address="192.0.2.1")
    assert caught.value.field == ("password",)


@pytest.mark.parametrize(("length", "code"), [(4096, None), (4097, "INVALID_CREDENTIALS")])
def test_passwords_above_4096_characters_are_wrong(
    length: int, code: str | None, customer: User, sign_in: Any
) -> None:
    customer.set_password("x" * length)
    customer.save()
    errors = sign_in(password="x" * length)["userErrors"]
    assert [error["code"] for error in errors] == ([code] if code else [])
    with pytest.raises(InvalidCredentials) if code else nullcontext():
        signing_in.prove(customer, "x" * length, address="192.0.2.1")


def test_an_account_that_is_erased_while_it_signs_in_gets_no_session(
    customer: User, sign_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "shop.actions.customers.signing_in.update_last_login",
        lambda _, user: accounts.erase(User.objects.get(pk=user.pk)),
    )
    answer = sign_in()
    assert answer == {**NOTHING, "userErrors": [{"code": "NOT_FOUND", "field": []}]}
    assert not Session.objects.exists()
    assert not RefreshToken.objects.exists()


def test_access_token_names_the_user_by_key_and_holds_no_personal_data(
    customer: User, sign_in: Any
) -> None:
    first, second = (
        jwt.decode(
            sign_in()["token"], settings.SECRET_KEY, ["HS256"], audience="shop-api", issuer="shop"
        )
        for _ in range(2)
    )
    assert first["sub"] == str(customer.pk)
    assert first["exp"] - first["iat"] == 600
    assert first["jti"] != second["jti"]
    assert first.keys() >= {"iss", "aud", "sub", "jti", "iat", "exp"}
    assert "ann" not in json.dumps(first)


def test_a_fresh_token_signs_in(customer: User, sign_in: Any, viewer: Any) -> None:
    token = sign_in()["token"]
    assert viewer(f"Bearer {token}") == ANN
    assert viewer(f"bearer  {token} ") == ANN


def test_without_a_header_public_fields_work_and_viewer_is_null(db: None, api: Any) -> None:
    answer = api("{ viewer { email } shop { currency } products { totalCount } }")
    assert answer == {
        "data": {"viewer": None, "shop": {"currency": "USD"}, "products": {"totalCount": 0}}
    }


def test_an_expired_token_has_a_code_of_its_own(customer: User, viewer: Any) -> None:
    token = signed(customer, exp=int(timezone.now().timestamp()) - 1)
    (error,) = viewer(f"Bearer {token}", "{ shop { name } }")["errors"]
    assert error["extensions"]["code"] == "TOKEN_EXPIRED"


def tampered(user: User) -> str:
    head, body, tail = get_token(user).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "==")) | {"sub": "1"}
    claims["admin"] = True
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{body}.{tail}"


def nested(user: User) -> str:
    """A token whose claims are nested deeper than Python parses."""
    head, _, tail = get_token(user).split(".")
    text = '{"a":' + "[" * 1400 + "]" * 1400 + "}"
    return f"{head}.{base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')}.{tail}"


WRONG = {
    "tampered": lambda user: f"Bearer {tampered(user)}",
    "another key": lambda user: f"Bearer {signed(user, 'another key, of more than 32 bytes')}",
    "no algorithm": lambda user: f"Bearer {jwt.encode(payload_for(user), None, 'none')}",
    "another algorithm": lambda user: (
        f"Bearer {jwt.encode(payload_for(user), settings.SECRET_KEY.ljust(64), 'HS512')}"
    ),
    "another audience": lambda user: f"Bearer {signed(user, aud='elsewhere')}",
    "no audience": lambda user: f"Bearer {signed(user, aud=None)}",
    "another issuer": lambda user: f"Bearer {signed(user, iss='elsewhere')}",
    "no issuer": lambda user: f"Bearer {signed(user, iss=None)}",
    "no expiry": lambda user: f"Bearer {signed(user, exp=None)}",
    "no time of issue": lambda user: f"Bearer {signed(user, iat=None)}",
    "no id": lambda user: f"Bearer {signed(user, jti=None)}",
    "no version": lambda user: f"Bearer {signed(user, ver=None)}",
    "not yet": lambda user: f"Bearer {signed(user, nbf=4_000_000_000)}",
    "no subject": lambda user: f"Bearer {signed(user, sub=None)}",
    "empty subject": lambda user: f"Bearer {signed(user, sub='')}",
    "unknown subject": lambda user: f"Bearer {signed(user, sub='987654321')}",
    "huge subject": lambda user: f"Bearer {signed(user, sub='9' * 40)}",
    "odd subject": lambda user: f"Bearer {signed(user, sub='²')}",
    "e-mail subject": lambda user: f"Bearer {signed(user, sub=user.email)}",
    "nested claims": lambda user: f"Bearer {nested(user)}",
    "garbage": lambda user: "Bearer garbage",
    "three parts": lambda user: "Bearer a.b.c",
    "other characters": lambda user: "Bearer \xe9.\xe9.\xe9",
    "a refresh token": lambda user: (
        f"Bearer {customers.open_session(user, lifetime=DAY, device=DEVICE).refresh_token}"
    ),
    "very long": lambda user: f"Bearer {'x' * 6000}",
    "no token": lambda user: "Bearer",
    "empty": lambda user: "",
    "two tokens": lambda user: f"Bearer {get_token(user)} {get_token(user)}",
    "another scheme": lambda user: f"Basic {get_token(user)}",
    "library's scheme": lambda user: f"JWT {get_token(user)}",
    "no scheme": lambda user: get_token(user),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_token_is_refused_even_for_public_fields(
    kind: str, customer: User, viewer: Any
) -> None:
    answer = viewer(WRONG[kind](customer), "{ shop { name } }")
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in answer


def test_a_token_above_the_length_limit_is_refused_though_its_signature_is_good(
    customer: User, viewer: Any
) -> None:
    tokens = [signed(customer, note="x" * size) for size in range(2700, 2900)]
    longest = next(token for token in tokens if len(token) == 4096)
    longer = next(token for token in tokens if len(token) == 4097)
    assert viewer(f"Bearer {longest}") == ANN
    assert viewer(f"Bearer {longer}")["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


CLAIMS = ("iss", "aud", "sub", "jti", "sid", "ver", "iat", "exp", "nbf")
NUMBERS = {"ver", "iat", "exp", "nbf"}
VALUES = {
    "null": None,
    "true": True,
    "empty text": "",
    "text": "zz",
    "digits": "987654321",
    "NUL": "\0",
    "no character": "\ud800",
    "not ASCII": "²",
    "zero": 0,
    "negative": -1,
    "64 bits": 2**63,
    "huge": 10**300,
    "fraction": 0.5,
    "infinity": float("inf"),
    "minus infinity": float("-inf"),
    "not a number": float("nan"),
    "list": [],
    "list of text": ["shop-api"],
    "object": {},
    "deep": json.loads("[" * 500 + "]" * 500),
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_of_the_wrong_type_or_range_is_unauthenticated(
    claim: str, value: str, customer: User, viewer: Any
) -> None:
    claims = payload_for(customer) | {claim: VALUES[value]}
    if claim in ("iat", "nbf", "ver") and value == "zero":
        # These are right: issued long ago, and the first version.
        assert viewer(f"Bearer {unchecked(claims)}") == ANN
    elif (claim, value) == ("exp", "zero"):
        assert viewer(f"Bearer {unchecked(claims)}")["errors"][0]["extensions"]["code"] == (
            "TOKEN_EXPIRED"
        )
    elif claim == "jti" and isinstance(VALUES[value], str):
        assert viewer(f"Bearer {unchecked(claims)}") == ANN
    else:
        (error,) = viewer(f"Bearer {unchecked(claims)}")["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", ["alg", "typ", "kid", "crit", "b64", "cty", "zip", "jwk"])
def test_a_header_field_of_the_wrong_type_is_no_server_error(
    name: str, value: str, customer: User, viewer: Any
) -> None:
    header = {"typ": "JWT", "alg": "HS256", name: VALUES[value]}
    answer = viewer(f"Bearer {unchecked(payload_for(customer), header)}")
    if "errors" in answer:
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    else:
        assert answer == ANN


def test_a_token_that_is_nested_too_deeply_is_unauthenticated(customer: User, viewer: Any) -> None:
    """JSON is read before the signature is checked, at any depth that fits the token."""
    deep = _encoded(b"[" * 1400 + b"]" * 1400)
    for token in (f"{deep}.e30.x", f"{_encoded(b'{}')}.{deep}.x"):
        assert len(token) <= 4096
        (error,) = viewer(f"Bearer {token}")["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unchecked(claims: dict[str, Any], header: dict[str, Any] | None = None) -> str:
    """A token with our signature, whatever the claims: PyJWT checks some when it signs."""
    header = header or {"typ": "JWT", "alg": "HS256"}
    text = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    digest = hmac.digest(settings.SECRET_KEY.encode(), text.encode(), "sha256")
    return f"{text}.{_encoded(digest)}"


def test_a_token_may_expire_in_the_last_second_of_the_year_9999(
    customer: User, viewer: Any
) -> None:
    assert viewer(f"Bearer {signed(customer, exp=253_402_300_799)}") == ANN


@pytest.mark.parametrize("change", ["disabled", "deleted"])
def test_a_good_token_of_a_user_who_is_gone_is_refused(
    change: str, customer: User, viewer: Any
) -> None:
    token = get_token(customer)
    if change == "deleted":
        customer.delete()
        User.objects.create_user("ann@example.org", PASSWORD)
    else:
        User.objects.update(is_active=False)
    (error,) = viewer(f"Bearer {token}")["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


VERIFY = """mutation($t: String!) { verifyToken(input: {token: $t, clientMutationId: "7"}) {
  clientMutationId user { email } userErrors { code } } }"""


def test_verify_token_tells_whose_it_is(customer: User, api: Any) -> None:
    assert api(VERIFY, t=get_token(customer))["data"]["verifyToken"] == {
        "clientMutationId": "7",
        "user": {"email": "ann@example.org"},
        "userErrors": [],
    }


@pytest.mark.parametrize(("ago", "code"), [(-600, "UNAUTHENTICATED"), (1, "TOKEN_EXPIRED")])
def test_verify_token_of_a_bad_one_is_an_error(
    ago: int, code: str, customer: User, api: Any
) -> None:
    token = signed(customer, exp=int(timezone.now().timestamp()) - ago)
    token = token if ago > 0 else token[:-4]
    (error,) = api(VERIFY, t=token)["errors"]
    assert error["extensions"]["code"] == code


@pytest.mark.parametrize("first", ["verifyToken", "tokenAuth"])
def test_proving_who_one_is_does_not_change_who_else_is_asking(
    first: str, staff: User, api: Any
) -> None:
    """A mutation acts for the sender of the header, whatever a sibling has been told."""
    given = (
        f'verifyToken(input: {{token: "{get_token(staff)}"}})'
        if first == "verifyToken"
        else f'tokenAuth(input: {{email: "{staff.email}", password: "a staff password"}})'
    )
    answer = api(
        f"""mutation {{ first: {given} {{ user {{ email }} }}
          brandCreate(input: {{name: "Acme"}}) {{ brand {{ slug }} }} }}"""
    )
    assert answer["data"] == {"first": {"user": {"email": staff.email}}, "brandCreate": None}
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_others_are_not_visible_by_their_ids(
    customer: User, staff: User, api: Any, gid: Any
) -> None:
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on User { email } } }"
    ids = [gid(customer), gid(staff)]
    mine, theirs = {"email": customer.email}, {"email": staff.email}
    assert api(document, ids=ids)["data"]["nodes"] == [None, None]
    assert api(document, customer, ids=ids)["data"]["nodes"] == [mine, None]
    assert api(document, staff, ids=ids)["data"]["nodes"] == [mine, theirs]


@pytest.mark.parametrize("allowed", [True, False])
def test_the_demo_account_signs_in_in_development_only(
    allowed: bool, sign_in: Any, settings: Any, db: None
) -> None:
    User.objects.create_superuser("Staff@example.com", "let-me-sell")
    settings.DEMO_ACCOUNT = allowed
    payload = sign_in("staff@example.com", "let-me-sell")
    assert (payload["token"] is not None) is allowed
