"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/) as one Django view."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_vary_headers
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

from schema.engine.errors import CodedError, Unauthenticated, present
from schema.engine.persisted import document_of
from schema.engine.transport import (
    LEGACY,
    MODERN,
    Refused,
    checked,
    from_body,
    from_url,
    negotiate,
    prefers_html,
)

MAX_BATCH = 5
_STATUS = {"UNAUTHENTICATED": 401, "TOKEN_EXPIRED": 401, "FORBIDDEN": 403}
_WANTED = {"WWW-Authenticate": "Bearer"}
Answer = tuple[dict[str, Any], int]


@method_decorator(csrf_exempt, name="dispatch")
class GraphQLView(View):
    """The endpoint: queries by GET and POST, mutations by POST, GraphiQL for browsers.

    Mutations come as JSON, and uploads with a header: before either, browsers ask whether a page of
    another site may (hence csrf_exempt). Nothing here reads a cookie; resolvers may set some.

    Args:
        executor: of the schema that is served.
        authenticate: request -> user; raises a CodedError for a bad token.
        graphiql: whether browsers get GraphiQL.
        debug: whether requests may ask for SQL counts and times (`extensions: {debug: true}`).
        on_operation: told the code of each operation's first error ("OK" without one) and the
            seconds that it took.
    """

    # `as_view` asks for a default; there is no serving without one.
    executor: Any = None
    authenticate: Callable[[HttpRequest], Any] | None = None
    graphiql = False
    debug = False
    on_operation: Callable[[str, float], None] | None = None
    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if self.graphiql and not _has_request(request) and prefers_html(request):
            return render(request, "graphiql.html", {"endpoint": request.path})
        response = self._answer(request, from_url)
        # The same question has the same answer until something changes: clients may keep it, and
        # ask whether it still holds.
        if response.status_code == 200:
            etag = f'"{hashlib.blake2b(response.content, digest_size=16).hexdigest()}"'
            response.headers["ETag"] = etag
            response.headers["Cache-Control"] = "private, no-cache"
            return get_conditional_response(request, etag=etag, response=response) or response
        # What is refused now, such as a hash not yet registered, may be answered in a moment.
        response.headers["Cache-Control"] = "no-store"
        return response

    def post(self, request: HttpRequest) -> HttpResponseBase:
        return self._answer(request, from_body)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        refused = Refused(405, "Use GET or POST.", Allow="GET, HEAD, POST, OPTIONS")
        return _refusal(refused, LEGACY)

    def _answer(self, request: HttpRequest, read: Callable[[HttpRequest], Any]) -> HttpResponse:
        media_type = LEGACY
        try:
            media_type = negotiate(request)
            # Before a body of many megabytes is read.
            request.user = self._user(request)
            operations = read(request)
            batch = isinstance(operations, list)
            if batch and not 1 <= len(operations) <= MAX_BATCH:
                raise Refused(400, f"A batch has 1 to {MAX_BATCH} operations.")
            items = [checked(item) for item in (operations if batch else [operations])]
        except Refused as refused:
            return _refusal(refused, media_type)
        except CodedError as error:
            status = _STATUS.get(error.code, 400)
            headers = _WANTED if status == 401 else {}
            content = {"errors": [error.formatted]}
            return _json(content, media_type, status if media_type == MODERN else 200, headers)
        except Exception as error:  # noqa: BLE001 - masked, logged, told with an id.
            masked = present(GraphQLError("", original_error=error))
            return _json({"errors": [masked]}, media_type, 500)
        answers = [self._observed(request, item) for item in items]
        headers = _come_back([content for content, _ in answers])
        if batch:
            response = _json([content for content, _ in answers], media_type, 200, headers)
        else:
            content, status = answers[0]
            if status == 405:
                headers["Allow"] = "POST"
            kept = media_type == MODERN or status == 405
            response = _json(content, media_type, status if kept else 200, headers)
        # Resolvers have no response to write to: what they want set they leave here.
        for cookie in getattr(request, "graphql_cookies", ()):
            response.set_cookie(**cookie)
        return response

    def _observed(self, request: HttpRequest, operation: dict[str, Any]) -> Answer:
        if self.on_operation is None:
            return self._run(request, operation)
        started = time.perf_counter()
        content, status = self._run(request, operation)
        errors = content.get("errors")
        code = errors[0].get("extensions", {}).get("code", "BAD_REQUEST") if errors else "OK"
        self.on_operation(code, time.perf_counter() - started)
        return content, status

    def _run(self, request: HttpRequest, operation: dict[str, Any]) -> Answer:
        """The response map of one operation, and its status."""
        try:
            document = document_of(operation, self.executor)
            if document.errors:
                return {"errors": [_invalid(error) for error in document.errors]}, 400
            name = operation.get("operationName")
            if request.method != "POST":
                _only_queries(document.ast, name)
        except Refused as refused:
            return {"errors": [refused.error.formatted]}, refused.status
        except CodedError as error:
            return {"errors": [error.formatted]}, 400
        asked = operation.get("extensions") or {}
        if self.debug and asked.get("debug"):
            return self._debugged(request, document, operation)
        content, status = _formatted(
            self.executor.execute(document, request, operation.get("variables"), name)
        )
        if asked.get("cost") and hasattr(request, "graphql_cost"):
            limit = self.executor.limits.cost
            content["extensions"] = {"cost": {"requested": request.graphql_cost, "max": limit}}
        return content, status

    def _debugged(self, request: HttpRequest, document: Any, operation: dict[str, Any]) -> Answer:
        """The answer with what it took: SQL statements, milliseconds, cost, and ways of running."""
        statements: list[str] = []

        def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            statements.append(sql)
            return execute(sql, params, many, context)

        started = time.perf_counter()
        with connection.execute_wrapper(count):
            name = operation.get("operationName")
            variables = operation.get("variables")
            content, status = _formatted(self.executor.execute(document, request, variables, name))
        content["extensions"] = {
            "debug": {
                "sql": len(statements),
                "milliseconds": round((time.perf_counter() - started) * 1000, 3),
                "cost": getattr(request, "graphql_cost", None),
                "fields": getattr(request, "graphql_ways", []),
            }
        }
        return content, status

    def _user(self, request: HttpRequest) -> Any:
        if self.authenticate is None:
            raise Unauthenticated("This server has no authentication.")
        return self.authenticate(request)


def _has_request(request: HttpRequest) -> bool:
    # Looked for in the raw text: parsing it may fail, which is told as JSON.
    query = request.META["QUERY_STRING"]
    return "query=" in query or "extensions=" in query


def _only_queries(document: DocumentNode | None, name: str | None) -> None:
    found = get_operation_ast(document, name) if document else None
    if isinstance(found, OperationDefinitionNode) and found.operation != OperationType.QUERY:
        raise Refused(405, "GET is for queries only.", Allow="POST")


def _formatted(result: ExecutionResult) -> Answer:
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


def _refusal(refused: Refused, media_type: str) -> HttpResponse:
    content = {"errors": [refused.error.formatted]}
    return _json(content, media_type, refused.status, refused.headers)


def _come_back(contents: list[dict[str, Any]]) -> dict[str, str]:
    """The header that says when to come back, if any of the answers says so."""
    errors = [error for content in contents for error in content.get("errors", ())]
    waits = [error.get("extensions", {}).get("retryAfter", 0) for error in errors]
    return {"Retry-After": str(max(waits))} if any(waits) else {}


def _json(
    content: Any, media_type: str, status: int, headers: dict[str, str] | None = None
) -> HttpResponse:
    body = orjson.dumps(content)
    content_type = f"{media_type}; charset=utf-8"
    response = HttpResponse(body, status=status, content_type=content_type, headers=headers)
    patch_vary_headers(response, ["Accept", "Authorization"])
    return response
