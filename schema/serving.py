"""The one service behind every address of the API."""

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from schema.authentication import authenticate
from schema.base import is_shared, retry_of
from schema.engine.answers import AnswerCache
from schema.engine.execution import Executor
from schema.engine.limits import Limits
from schema.engine.persisted import Known
from schema.engine.service import Service
from schema.manifests import manifested
from schema.metering import CostMeter
from schema.opened import TOKEN_HEADERS, has_opened
from schema.permissions import carries_credential
from schema.root import schema
from schema.trusted import operations
from shop import generations, metrics

# Where the code is that answers are made by.
_CODE = ("shop", "schema")


def _public() -> str:
    """What CDNs and browsers are told of answers to GET that are the same for all strangers.

    Empty, they are told to ask each time.
    """
    if not settings.ANSWER_CDN_SECONDS:
        return ""
    return (
        f"public, max-age={settings.ANSWER_CDN_SECONDS}, "
        f"stale-while-revalidate={settings.ANSWER_CDN_STALE_SECONDS}"
    )


def _answers() -> AnswerCache | None:
    store = generations.store() if settings.ANSWERS_SERVED else None
    if store is None:
        return None
    return AnswerCache(
        schema=schema.graphql_schema,
        store=store,
        recording=generations.recording,
        lifetimes=generations.lifetimes,
        strangers=_is_stranger,
        shared=is_shared,
        version=_version(),
        on_outcome=metrics.answer if settings.DD_AGENT_HOST else None,
    )


def _is_stranger(request: HttpRequest) -> bool:
    return not (request.user.is_authenticated or has_opened(request))


def _version() -> str:
    """Changes with the code and with the settings, so that no release reads another one's answers.

    Of the settings only this digest is told.
    """
    digest = hashlib.blake2b(digest_size=16)
    for folder in _CODE:
        for file in sorted(Path(settings.BASE_DIR, folder).rglob("*.py")):
            digest.update(file.read_bytes())
    values: Any = {name: getattr(settings, name) for name in dir(settings) if name.isupper()}
    digest.update(repr(sorted(values.items())).encode())
    return digest.hexdigest()


def _only_trusted(request: HttpRequest) -> bool:
    """Whether who asks may run the trusted operations only (GRAPHQL_TRUSTED_ONLY)."""
    user: Any = request.user
    bound = {
        "off": False,
        "anonymous": not user.is_authenticated,
        "customers": not user.is_staff,
        "everyone": True,
    }
    return bound[settings.GRAPHQL_TRUSTED_ONLY]


_known = Known(
    {operation.name: operation.text for operation in operations().values()},
    manifested(settings.GRAPHQL_TRUSTED_MANIFESTS),
)
service = Service(
    executor=Executor(
        schema.graphql_schema,
        introspection=settings.GRAPHQL_INTROSPECTION,
        limits=Limits(**settings.GRAPHQL_LIMITS),
        on_field=metrics.field if settings.DD_AGENT_HOST else None,
        kept=_known.texts,
        translate=retry_of,
    ),
    authenticate=authenticate,
    carries_credential=carries_credential,
    meter=CostMeter(),
    known=_known,
    only_known=_only_trusted,
    answers=_answers(),
    public=_public(),
    private_headers=tuple(TOKEN_HEADERS.values()),
    debug=settings.GRAPHQL_DEBUG,
    on_operation=metrics.operation if settings.DD_AGENT_HOST else None,
)
