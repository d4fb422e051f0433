"""The keys of access tokens: one signs, several may verify, so that keys can be changed.

HS256 signs with SECRET_KEY, and verifies with SECRET_KEY_FALLBACKS as well. RS256 and EdDSA sign
with the first file of JWT_KEY_FILES and verify with all of them; other services verify with the
public halves, which are served as a JSON Web Key Set (RFC 7517).
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from graphql_jwt.settings import jwt_settings

# What a thumbprint is made of, by kind of key (RFC 7638 and RFC 8037).
_MEMBERS = {"RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}
_MIN_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class Key:
    """A pair of keys, or the public half of one that signs no more.

    Attributes:
        id: the thumbprint of the public half (RFC 7638); the header `kid` of tokens names it.
        jwk: the public half as JSON.
    """

    id: str
    private: Any
    public: Any
    jwk: dict[str, Any]


def encode(payload: dict[str, Any], context: Any = None) -> str:
    """Signs the claims of an access token."""
    algorithm = jwt_settings.JWT_ALGORITHM
    if algorithm == "HS256":
        return jwt.encode(payload, settings.SECRET_KEY, algorithm)
    key = keys()[0]
    return jwt.encode(payload, key.private, algorithm, headers={"kid": key.id})


def verifying(token: str) -> list[Any]:
    """The keys that may have signed `token`, likeliest first."""
    if jwt_settings.JWT_ALGORITHM == "HS256":
        return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    named = jwt.get_unverified_header(token).get("kid")
    return [key.public for key in keys() if key.id == named]


@require_safe
def jwks(request: HttpRequest) -> JsonResponse:
    """The public halves of all keys, as other services want them. Empty with HS256."""
    found = [] if jwt_settings.JWT_ALGORITHM == "HS256" else [key.jwk for key in keys()]
    # Long enough to spare questions, short enough to retire a key within the hour.
    return JsonResponse({"keys": found}, headers={"Cache-Control": "public, max-age=900"})


def keys() -> tuple[Key, ...]:
    """The keys of JWT_KEY_FILES, in that order.

    Raises:
        ImproperlyConfigured: there is none, one is of the wrong kind, or the first cannot sign.
    """
    return _loaded(jwt_settings.JWT_ALGORITHM, tuple(settings.JWT_KEY_FILES))


@lru_cache(maxsize=8)
def _loaded(algorithm: str, files: tuple[str, ...]) -> tuple[Key, ...]:
    found = tuple(_keys_of(algorithm, files))
    if not found or found[0].private is None:
        message = f"{algorithm} needs JWT_KEY_FILES, of which the first is a private key."
        raise ImproperlyConfigured(message)
    return found


def _keys_of(algorithm: str, files: tuple[str, ...]) -> Iterator[Key]:
    for name in files:
        try:
            text = Path(name).read_bytes()
            private: Any = None
            if b"PRIVATE KEY" in text:
                private = load_pem_private_key(text, password=None)
                public: Any = private.public_key()
            else:
                public = load_pem_public_key(text)
            jwk = _jwk(algorithm, public)
        except (OSError, ValueError, TypeError, jwt.InvalidKeyError) as error:
            # The text of the error may hold parts of the file.
            message = f"JWT_KEY_FILES: {name} holds no PEM key for {algorithm}."
            raise ImproperlyConfigured(message) from error
        if private is not None and not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
            raise ImproperlyConfigured(f"JWT_KEY_FILES: {name} holds no key for {algorithm}.")
        yield Key(jwk["kid"], private, public, jwk)


def _jwk(algorithm: str, public: Any) -> dict[str, Any]:
    made: Any = jwt.get_algorithm_by_name(algorithm)
    found = made.to_jwk(public, as_dict=True)
    if found["kty"] == "RSA" and public.key_size < _MIN_RSA_BITS:
        raise ValueError("The key is too short.")
    members = {name: found[name] for name in _MEMBERS[found["kty"]]}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
    return {**members, "kid": thumbprint, "use": "sig", "alg": algorithm}
