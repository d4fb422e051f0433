"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/) as one Django view."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
)

from schema.engine.errors import BadRequest, CodedError, Unauthenticated, present
from schema.engine.uploads import check_size, operation_from

MODERN = "application/graphql-response+json"
LEGACY = "application/json"
MAX_BATCH = 5
_WANTED = {"WWW-Authenticate": "Bearer"}
_STATUS = {"UNAUTHENTICATED": 401, "TOKEN_EXPIRED": 401, "FORBIDDEN": 403}


class Refused(Exception):
    """The request is refused before any GraphQL is looked at."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = BadRequest(message)
        self.headers = headers


@method_decorator(csrf_exempt, name="dispatch")
class GraphQLView(View):
    """The endpoint: queries by GET and POST, mutations by POST, GraphiQL for browsers.

    No cookie is read or set, so there is nothing for another site to forge (hence csrf_exempt);
    uploads need a header that makes browsers ask first.

    Args:
        executor: of the schema that is served.
        authenticate: request -> user; raises a CodedError for a bad token.
        graphiql: whether browsers get GraphiQL.
    """

    # `as_view` asks for a default; there is no serving without one.
    executor: Any = None
    authenticate: Callable[[HttpRequest], Any] | None = None
    graphiql = False
    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if (
            self.graphiql
            and "query=" not in request.META["QUERY_STRING"]
            and _prefers_html(request)
        ):
            return render(request, "graphiql.html", {"endpoint": request.path})
        return self._answer(request, _from_url)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        return self._answer(request, _from_body)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        refused = Refused(405, "Use GET or POST.", Allow="GET, POST, OPTIONS")
        return _refusal(refused, LEGACY)

    def _answer(self, request: HttpRequest, read: Callable[[HttpRequest], Any]) -> HttpResponseBase:
        media_type = LEGACY
        try:
            media_type = _negotiate(request)
            operations = read(request)
            batch = isinstance(operations, list)
            if batch and not 1 <= len(operations) <= MAX_BATCH:
                raise Refused(400, f"A batch has 1 to {MAX_BATCH} operations.")
            checked = [_checked(item) for item in (operations if batch else [operations])]
            request.user = self._user(request)
        except Refused as refused:
            return _refusal(refused, media_type)
        except CodedError as error:
            status = _STATUS.get(error.code, 400)
            headers = _WANTED if status == 401 else {}
            kept = media_type == MODERN
            return _json(
                {"errors": [error.formatted]}, media_type, status if kept else 200, headers
            )
        except Exception as error:  # noqa: BLE001 - masked, logged, told with an id.
            masked = present(GraphQLError("", original_error=error))
            return _json({"errors": [masked]}, media_type, 500)
        results = [self._run(request, item) for item in checked]
        if batch:
            return _json([formatted for formatted, _ in results], media_type, 200)
        formatted, status = results[0]
        kept = media_type == MODERN or status == 405
        headers = {"Allow": "POST"} if status == 405 else {}
        return _json(formatted, media_type, status if kept else 200, headers)

    def _run(self, request: HttpRequest, operation: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """The response map of one operation, and its status."""
        try:
            document = self.executor.document(operation["query"])
            if document.errors:
                return {"errors": [_invalid(error) for error in document.errors]}, 400
            name = operation.get("operationName")
            if request.method == "GET":
                _only_queries(document.ast, name)
        except Refused as refused:
            return {"errors": [refused.error.formatted]}, refused.status
        return _formatted(
            self.executor.execute(document, request, operation.get("variables"), name)
        )

    def _user(self, request: HttpRequest) -> Any:
        if self.authenticate is None:
            raise Unauthenticated("This server has no authentication.")
        return self.authenticate(request)


def _from_url(request: HttpRequest) -> dict[str, Any]:
    try:
        values = request.GET
    except SuspiciousOperation as error:
        raise Refused(400, "The address has too many parameters.") from error
    operation: dict[str, Any] = {
        key: values[key] for key in ("query", "operationName") if key in values
    }
    for key in ("variables", "extensions"):
        if values.get(key):
            operation[key] = _loads(values[key].encode(), f"`{key}` must be JSON.")
    return operation


def _from_body(request: HttpRequest) -> Any:
    try:
        if request.content_type == "application/json":
            charset = (
                request.content_params.get("charset", "utf-8")
                if request.content_params
                else "utf-8"
            )
            if charset.lower().replace("-", "") != "utf8":
                raise Refused(415, "JSON is read in UTF-8 only.")
            return _loads(request.body, "The body must be JSON.")
        if request.content_type == "multipart/form-data":
            check_size(request)
            return operation_from(request)
    except RequestDataTooBig as error:
        raise Refused(413, "The request is too large.") from error
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise Refused(400, "The multipart body is malformed.") from error
    except BadRequest as error:
        raise Refused(400, error.message) from error
    raise Refused(415, "Send application/json, or multipart/form-data for uploads.")


def _loads(text: bytes, message: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused(400, message) from error


def _checked(operation: Any) -> dict[str, Any]:
    """The parameters of a GraphQL request, each of the type that the specification gives it."""
    if not isinstance(operation, dict):
        raise Refused(400, "A request is a JSON object.")
    query = operation.get("query")
    if not isinstance(query, str) or not query.strip():
        raise Refused(400, "`query` must be a GraphQL document.")
    if not isinstance(operation.get("operationName"), str | None):
        raise Refused(400, "`operationName` must be a string.")
    for key in ("variables", "extensions"):
        if not isinstance(operation.get(key), dict | None):
            raise Refused(400, f"`{key}` must be an object.")
    return operation


def _only_queries(document: DocumentNode | None, name: str | None) -> None:
    found = get_operation_ast(document, name) if document else None
    if isinstance(found, OperationDefinitionNode) and found.operation != OperationType.QUERY:
        raise Refused(405, "GET is for queries only.", Allow="POST")


def _formatted(result: ExecutionResult) -> tuple[dict[str, Any], int]:
    errors = [present(error) for error in result.errors or ()]
    # Errors with a path come from execution; without one, nothing was executed.
    if result.data is None and errors and all("path" not in error for error in errors):
        return {"errors": errors}, 400
    if errors:
        return {"errors": errors, "data": result.data}, 200
    return {"data": result.data}, 200


def _invalid(error: GraphQLError) -> dict[str, Any]:
    extensions = {"code": "VALIDATION_FAILED", **(error.extensions or {})}
    return {**error.formatted, "extensions": extensions}


def _negotiate(request: HttpRequest) -> str:
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


def _prefers_html(request: HttpRequest) -> bool:
    accept = request.headers.get("Accept", "*/*")
    return _preferred(accept, [LEGACY, MODERN, "text/html"]) == "text/html"


def _preferred(accept: str, offered: list[str]) -> str | None:
    """The offered media type that an Accept header likes best; we speak UTF-8 only."""
    plain = re.sub(r";\s*charset=[^;,]*", "", accept, flags=re.IGNORECASE)
    request = HttpRequest()
    request.META["HTTP_ACCEPT"] = plain
    return request.get_preferred_type(offered)


def _refusal(refused: Refused, media_type: str) -> HttpResponse:
    content = {"errors": [refused.error.formatted]}
    return _json(content, media_type, refused.status, refused.headers)


def _json(
    content: Any, media_type: str, status: int, headers: dict[str, str] | None = None
) -> HttpResponse:
    body = orjson.dumps(content)
    content_type = f"{media_type}; charset=utf-8"
    return HttpResponse(body, status=status, content_type=content_type, headers=headers)
