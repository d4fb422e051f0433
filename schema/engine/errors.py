"""Errors of client programs and of the server, each with a code in `extensions`."""

import logging
import uuid
from collections.abc import Callable
from typing import Any

from graphql import GraphQLError

logger = logging.getLogger(__name__)

# Characters of a message.
_MAX_MESSAGE = 500


class CodedError(GraphQLError):
    """A request that cannot be served, told with a code that client programs act on."""

    code = "BAD_REQUEST"

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message, extensions={"code": self.code, **extensions})


class BadRequest(CodedError):
    """The request, or an argument in it, is malformed."""


class Unauthenticated(CodedError):
    """The request needs a valid access token."""

    code = "UNAUTHENTICATED"


class TokenExpired(CodedError):
    """The access token was valid once."""

    code = "TOKEN_EXPIRED"


class Forbidden(CodedError):
    """The signed-in user lacks a permission."""

    code = "FORBIDDEN"


class NotFound(CodedError):
    """There is nothing at this address."""

    code = "NOT_FOUND"


class Retry(CodedError):
    """Nothing is wrong with the request; sent again, it will likely succeed."""

    code = "RETRY"


class RateLimited(CodedError):
    """The same was asked for too often; `retryAfter` tells when to come back, in seconds."""

    code = "RATE_LIMITED"


class TooComplex(CodedError):
    """The document is beyond a limit."""

    code = "TOO_COMPLEX"


class PersistedQueryNotFound(CodedError):
    """The hash of a document that the server does not know yet."""

    code = "PERSISTED_QUERY_NOT_FOUND"


class NotTrusted(CodedError):
    """Whoever asks may run documents only that the server knows beforehand."""

    code = "OPERATION_NOT_TRUSTED"


def formatted(error: GraphQLError) -> dict[str, Any]:
    """`error` as the specification has it; a text that repeats a long name or value is cut."""
    found: dict[str, Any] = dict(error.formatted)
    if len(error.message) > _MAX_MESSAGE:
        found["message"] = f"{error.message[:_MAX_MESSAGE]}..."
    return found


# Translates an exception that passes by itself, such as a database that is away, into Retry, and
# logs it; None for all others.
Translate = Callable[[BaseException], CodedError | None]


def present(error: GraphQLError, translate: Translate | None = None) -> dict[str, Any]:
    """`error` as clients may see it.

    Errors that we raised, and those of parsing, validation and coercion, are shown. An exception
    that `translate` knows is shown as it says. Anything else becomes INTERNAL with an id; its text
    and traceback go to the log under that id only.
    """
    if isinstance(error, CodedError):
        return formatted(error)
    original = error.original_error
    if isinstance(original, CodedError):
        return {**formatted(error), "extensions": original.extensions}
    shown = formatted(error)
    if original is None or isinstance(original, GraphQLError):
        shown["extensions"] = {"code": "BAD_REQUEST", **shown.get("extensions", {})}
        return shown
    translated = translate(original) if translate else None
    if translated is not None:
        shown["message"] = translated.message
        shown["extensions"] = translated.extensions
        return shown
    error_id = uuid.uuid4().hex
    logger.error("Internal error %s at %s", error_id, error.path, exc_info=original)
    shown["message"] = "Something went wrong on our side."
    shown["extensions"] = {"code": "INTERNAL", "id": error_id}
    return shown
