"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/) as one Django view."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from graphql import GraphQLError

from schema.engine.answers import Kept, etag_of
from schema.engine.errors import CodedError, present
from schema.engine.metering import Budget
from schema.engine.service import Service, status_of
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
WANTED = {"WWW-Authenticate": "Bearer"}


@method_decorator(csrf_exempt, name="dispatch")
class GraphQLView(View):
    """The endpoint: queries by GET and POST, mutations by POST, GraphiQL for browsers.

    Mutations come as JSON, and uploads with a header: before either, browsers ask whether a page of
    another site may (hence csrf_exempt). Nothing here reads a cookie; resolvers may set some.

    Args:
        service: runs the operations.
        graphiql: whether browsers get GraphiQL.
    """

    # `as_view` asks for a default; there is no serving without one.
    service: Any = None
    graphiql = False
    http_method_names = ["get", "head", "post", "options"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(request, *args, **kwargs)
        return kept_private(request, response, self.service.private_headers)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if self.graphiql and not _has_request(request) and prefers_html(request):
            return render(request, "graphiql.html", {"endpoint": request.path})
        return revalidated(request, self._answer(request, from_url))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        return self._answer(request, from_body)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        refused = Refused(405, "Use GET or POST.", Allow="GET, HEAD, POST, OPTIONS")
        content, status, headers = refusal(refused)
        return as_json(content, LEGACY, status, headers)

    def _answer(self, request: HttpRequest, read: Callable[[HttpRequest], Any]) -> HttpResponse:
        media_type = LEGACY
        try:
            media_type = negotiate(request)
            self.service.identify(request)
            operations = read(request)
            batch = isinstance(operations, list)
            if batch and not 1 <= len(operations) <= MAX_BATCH:
                raise Refused(400, f"A batch has 1 to {MAX_BATCH} operations.")
            items = [checked(item) for item in (operations if batch else [operations])]
        except Exception as error:  # noqa: BLE001 - masked, logged, told with an id.
            content, status, headers = refusal(error, self.service)
            kept = media_type == MODERN or not isinstance(error, CodedError)
            return as_json(content, media_type, status if kept else 200, headers)
        answers = [self.service.run(request, item) for item in items]
        if not batch and answers[0].kept is not None:
            return as_kept(request, answers[0].kept, media_type, self.service.public)
        headers = come_back([answer.content for answer in answers]) | left(request)
        if batch:
            response = as_json([answer.content for answer in answers], media_type, 200, headers)
        else:
            (answer,) = answers
            if answer.status == 405:
                headers["Allow"] = "POST"
            if answer.status == 401:
                headers |= WANTED
            kept = media_type == MODERN or answer.status == 405 or answer.status >= 500
            response = as_json(answer.content, media_type, answer.status if kept else 200, headers)
        return with_cookies(request, response)


def _has_request(request: HttpRequest) -> bool:
    # Looked for in the raw text: parsing it may fail, which is told as JSON.
    query = request.META["QUERY_STRING"]
    return any(
        f"{name}=" in query for name in ("query", "extensions", "operationName", "documentId")
    )


def refusal(
    error: Exception, service: Service | None = None
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Content, status and headers of the answer to a request that came to no operation.

    Args:
        service: knows exceptions that pass by themselves.
    """
    if isinstance(error, Refused):
        return {"errors": [error.error.formatted]}, error.status, error.headers
    if isinstance(error, CodedError):
        status = status_of(error)
        return {"errors": [error.formatted]}, status, WANTED if status == 401 else {}
    if service is None:
        return {"errors": [present(GraphQLError("", original_error=error))]}, 500, {}
    answer = service.failure(error)
    return answer.content, answer.status, come_back([answer.content])


def revalidated(request: HttpRequest, response: HttpResponse) -> HttpResponseBase:
    """The answer to a GET request, or that the one that the client has still holds."""
    # The same question has the same answer until something changes: clients may keep it, and
    # ask whether it still holds.
    if response.status_code == 200:
        etag = response.headers.get("ETag") or etag_of(response.content)
        response.headers["ETag"] = etag
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return get_conditional_response(request, etag=etag, response=response) or response
    # What is refused now, such as a hash not yet registered, may be answered in a moment.
    response.headers["Cache-Control"] = "no-store"
    return response


def kept_private(
    request: HttpRequest, response: HttpResponseBase, private_headers: Collection[str]
) -> HttpResponseBase:
    """`response`, told to caches as one of the sender alone where it has one of these headers."""
    patch_vary_headers(response, private_headers)
    if any(header in request.headers for header in private_headers):
        patch_cache_control(response, private=True)
    return response


def with_cookies(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """`response` with the cookies of the operations."""
    # Resolvers have no response to write to: what they want set they leave here.
    for cookie in getattr(request, "graphql_cookies", ()):
        response.set_cookie(**cookie)
    return response


def come_back(contents: list[dict[str, Any]]) -> dict[str, str]:
    """The header that says when to come back, if any of the answers says so."""
    errors = [error for content in contents for error in content.get("errors", ())]
    waits = [error.get("extensions", {}).get("retryAfter", 0) for error in errors]
    return {"Retry-After": str(max(waits))} if any(waits) else {}


def left(request: HttpRequest) -> dict[str, str]:
    """The headers that say what the client may still spend, if anything was charged."""
    budget: Budget | None = getattr(request, "graphql_budget", None)
    return {} if budget is None else budget.headers


def as_json(
    content: Any, media_type: str, status: int, headers: dict[str, str] | None = None
) -> HttpResponse:
    """`content` as an answer that depends on who asks."""
    return _response(orjson.dumps(content), media_type, status, headers)


def as_kept(
    request: HttpRequest, kept: Kept, media_type: str, public: str, status: int = 200
) -> HttpResponse:
    """An answer that is the same for everyone who is not signed in, as it was kept.

    Args:
        public: Cache-Control, where others may keep it as well.
    """
    # What one client may spend is nothing to tell to those who get a copy.
    response = _response(kept.body, media_type, status, {} if public else left(request))
    if request.method != "POST" and status == 200:
        response.headers["ETag"] = kept.etag
        if public:
            response.headers["Cache-Control"] = public
    return response


def _response(
    body: bytes, media_type: str, status: int, headers: dict[str, str] | None = None
) -> HttpResponse:
    content_type = f"{media_type}; charset=utf-8"
    response = HttpResponse(body, status=status, content_type=content_type, headers=headers)
    patch_vary_headers(response, ["Accept", "Authorization"])
    return response
