"""Reading GraphQL requests from HTTP, and agreeing on the form of the answer."""

from __future__ import annotations

import re
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from schema.engine.errors import BadRequest
from schema.engine.uploads import check_size, operation_from

MODERN = "application/graphql-response+json"
LEGACY = "application/json"


class Refused(Exception):
    """The request is refused before any GraphQL is looked at.

    Args:
        status: of the answer.
        message: for the client's developer.
        headers: of the answer.
    """

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = BadRequest(message)
        self.headers = headers


def from_url(request: HttpRequest) -> dict[str, Any]:
    """The operation of a GET request. Raises Refused."""
    try:
        values = request.GET
    except SuspiciousOperation as error:
        raise Refused(400, "The address has too many parameters.") from error
    operation: dict[str, Any] = {
        key: values[key] for key in ("query", "operationName", "documentId") if key in values
    }
    for key in ("variables", "extensions"):
        if values.get(key):
            operation[key] = _loads(values[key].encode(), f"`{key}` must be JSON.")
    return operation


def from_body(request: HttpRequest) -> Any:
    """The operation, or the list of operations, of a POST request. Raises Refused."""
    if request.content_type == "application/json":
        return from_json(request)
    if request.content_type != "multipart/form-data":
        raise Refused(415, "Send application/json, or multipart/form-data for uploads.")
    try:
        check_size(request)
        return operation_from(request)
    except RequestDataTooBig as error:
        raise Refused(413, "The request is too large.") from error
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise Refused(400, "The multipart body is malformed.") from error
    except BadRequest as error:
        raise Refused(400, error.message) from error


def from_json(request: HttpRequest, *, empty: Any = None) -> Any:
    """What the JSON body of a request holds.

    Args:
        empty: what no body at all stands for; without it, it is no JSON.

    Raises:
        Refused: no JSON, not in UTF-8, or too large.
    """
    if request.content_type != "application/json":
        raise Refused(415, "Send application/json.")
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.lower().replace("-", "") != "utf8":
        raise Refused(415, "JSON is read in UTF-8 only.")
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise Refused(413, "The request is too large.") from error
    if not body and empty is not None:
        return empty
    return _loads(body, "The body must be JSON.")


def checked(operation: Any) -> dict[str, Any]:
    """The parameters of a GraphQL request, each of the type that the specification gives it."""
    if not isinstance(operation, dict):
        raise Refused(400, "A request is a JSON object.")
    for key in ("variables", "extensions"):
        if not isinstance(operation.get(key), dict | None):
            raise Refused(400, f"`{key}` must be an object.")
    for key in ("operationName", "documentId"):
        if not isinstance(operation.get(key), str | None):
            raise Refused(400, f"`{key}` must be a string.")
    query = operation.get("query")
    persisted = (operation.get("extensions") or {}).get("persistedQuery") is not None
    named = persisted or operation.get("operationName") or operation.get("documentId") is not None
    if not (query is None and named) and (not isinstance(query, str) or not query.strip()):
        raise Refused(400, "`query` must be a GraphQL document.")
    return operation


def negotiate(request: HttpRequest) -> str:
    """The media type of the answer. Raises Refused with 406 when none is acceptable."""
    accept = request.headers.get("Accept")
    if not accept:
        return LEGACY
    chosen = _preferred(accept, [LEGACY, MODERN])
    if chosen is None:
        if request.method == "GET" and "text/html" in accept:
            return LEGACY
        raise Refused(406, f"The answer comes as {MODERN} or {LEGACY}.")
    return chosen


def prefers_html(request: HttpRequest) -> bool:
    """Whether a browser asks, rather than a program."""
    accept = request.headers.get("Accept", "*/*")
    return _preferred(accept, [LEGACY, MODERN, "text/html"]) == "text/html"


def _preferred(accept: str, offered: list[str]) -> str | None:
    """The offered media type that an Accept header likes best; we speak UTF-8 only."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT"] = re.sub(r";\s*charset=[^;,]*", "", accept, flags=re.IGNORECASE)
    return request.get_preferred_type(offered)


def _loads(text: bytes, message: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused(400, message) from error
