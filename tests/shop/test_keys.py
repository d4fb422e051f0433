"""Keys of access tokens: other algorithms, changes of keys, and what others are told of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.core.exceptions import ImproperlyConfigured
from graphql_jwt.settings import jwt_settings
from graphql_jwt.shortcuts import get_token

from schema import keys
from shop.models import User
from tests.schema.accounts import signed_in_by

pytestmark = pytest.mark.django_db

MAKERS = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def write(path: Path, key: Any) -> str:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


def write_public(path: Path, key: Any) -> str:
    form = PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, form))
    return str(path)


@pytest.fixture
def use(settings: Any) -> Iterator[Any]:
    """`use("EdDSA", *files)`: from now on."""

    def change(algorithm: str, *files: str, **more: Any) -> None:
        settings.GRAPHQL_JWT = {**settings.GRAPHQL_JWT, "JWT_ALGORITHM": algorithm}
        settings.JWT_KEY_FILES = list(files)
        for name, value in more.items():
            setattr(settings, name, value)

    yield change
    jwt_settings.reload()


@pytest.mark.parametrize("algorithm", sorted(MAKERS))
def test_keys_follow_each_other(
    algorithm: str, tmp_path: Path, use: Any, customer: User, client: Any
) -> None:
    old, new = MAKERS[algorithm](), MAKERS[algorithm]()
    first, second = write(tmp_path / "1.pem", old), write(tmp_path / "2.pem", new)
    use(algorithm, first)
    before = get_token(customer)
    assert jwt.get_unverified_header(before)["alg"] == algorithm
    assert signed_in_by(client, before) == customer.email
    # The new key is made known, then signs; the old one still verifies, at last with its public
    # half only, and then is gone.
    use(algorithm, first, second)
    assert signed_in_by(client, get_token(customer)) == customer.email
    use(algorithm, second, write_public(tmp_path / "1.pub", old))
    after = get_token(customer)
    assert signed_in_by(client, before) == customer.email
    assert signed_in_by(client, after) == customer.email
    use(algorithm, second)
    assert signed_in_by(client, before) is None
    assert signed_in_by(client, after) == customer.email


@pytest.mark.parametrize("algorithm", sorted(MAKERS))
def test_others_verify_with_the_keys_that_are_served(
    algorithm: str, tmp_path: Path, use: Any, customer: User, client: Any
) -> None:
    key = MAKERS[algorithm]()
    use(algorithm, write(tmp_path / "1.pem", key), write(tmp_path / "2.pem", MAKERS[algorithm]()))
    response = client.get("/.well-known/jwks.json")
    assert response.headers["Cache-Control"] == "public, max-age=900"
    served = jwt.PyJWKSet.from_dict(response.json())
    assert len(served.keys) == 2
    token = get_token(customer)
    named = served[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, named, [algorithm], audience="shop-api", issuer="shop")
    assert claims["sub"] == str(customer.pk)
    assert "d" not in response.json()["keys"][0]
    assert {item["use"] for item in response.json()["keys"]} == {"sig"}


def test_a_public_key_is_no_secret_to_sign_with(
    tmp_path: Path, use: Any, customer: User, client: Any
) -> None:
    """The confusion of RS256 with HS256: https://cve.org/CVERecord?id=CVE-2016-5431."""
    key = MAKERS["RS256"]()
    use("RS256", write(tmp_path / "1.pem", key))
    claims = jwt.decode(get_token(customer), options={"verify_signature": False})
    public = Path(write_public(tmp_path / "1.pub", key)).read_bytes()
    import hashlib
    import hmac
    from base64 import urlsafe_b64encode as b64
    from json import dumps

    head = b64(dumps({"alg": "HS256", "kid": keys.keys()[0].id}).encode()).rstrip(b"=")
    body = b64(dumps(claims).encode()).rstrip(b"=")
    tail = b64(hmac.digest(public, head + b"." + body, hashlib.sha256)).rstrip(b"=")
    assert signed_in_by(client, b".".join((head, body, tail)).decode()) is None


def test_a_secret_is_changed_without_signing_anyone_out(
    use: Any, settings: Any, customer: User, client: Any
) -> None:
    before = get_token(customer)
    use(
        "HS256",
        SECRET_KEY="another secret, of more than 32 characters",
        SECRET_KEY_FALLBACKS=[settings.SECRET_KEY],
    )
    assert signed_in_by(client, before) == customer.email
    assert signed_in_by(client, get_token(customer)) == customer.email
    settings.SECRET_KEY_FALLBACKS = []
    assert signed_in_by(client, before) is None
    assert client.get("/.well-known/jwks.json").json() == {"keys": []}


@pytest.mark.parametrize(
    "files",
    [
        lambda folder: [],
        lambda folder: [str(folder / "missing.pem")],
        lambda folder: [write_public(folder / "1.pub", MAKERS["EdDSA"]())],
        lambda folder: [write(folder / "1.pem", MAKERS["RS256"]())],
        lambda folder: [write(folder / "1.pem", ec.generate_private_key(ec.SECP256R1()))],
    ],
    ids=["none", "missing", "public only", "another kind", "a curve of another kind"],
)
def test_wrong_keys_are_told_by_name_and_not_by_content(
    files: Any, tmp_path: Path, use: Any, customer: User
) -> None:
    use("EdDSA", *files(tmp_path))
    with pytest.raises(ImproperlyConfigured, match="JWT_KEY_FILES") as refused:
        get_token(customer)
    assert "KEY-----" not in str(refused.value)


def test_a_short_key_is_refused(tmp_path: Path, use: Any, customer: User) -> None:
    use("RS256", write(tmp_path / "1.pem", rsa.generate_private_key(65537, 1024)))
    with pytest.raises(ImproperlyConfigured):
        get_token(customer)
