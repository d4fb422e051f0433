"""The trusted operations as plain HTTP: queries by GET, mutations by POST, an address for each.

They run as GraphQL does, by the same service, and answer the same; only the status says more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from schema.engine.errors import BadRequest, NotFound
from schema.engine.http import (
    WANTED,
    as_json,
    as_kept,
    come_back,
    kept_private,
    left,
    refusal,
    revalidated,
    with_cookies,
)
from schema.engine.parameters import variables_of
from schema.engine.service import STATUS, Answer, Service
from schema.engine.transport import LEGACY, Refused, from_json
from schema.root import schema
from schema.trusted import Operation

# Of answers that came to nothing because of an error with this code.
CODES = STATUS | {"INTERNAL": 500}
# Codes of user errors that say that something is there already, or has changed meanwhile: 409. All
# others are 422.
CONFLICTS = frozenset(
    {
        "ALREADY_FINISHED",
        "CART_CHANGED",
        "CART_CLOSED",
        "CATEGORY_NOT_EMPTY",
        "DUPLICATE_CODE",
        "DUPLICATE_EMAIL",
        "DUPLICATE_OPTIONS",
        "DUPLICATE_SKU",
        "DUPLICATE_SLUG",
        "DUPLICATE_TAX_RATE",
        "IDEMPOTENCY_CONFLICT",
        "ILLEGAL_MOVE",
        "LAST_UNIT",
        "TOTAL_WOULD_CHANGE",
        "INSUFFICIENT_STOCK",
        "IN_USE",
        "OUT_OF_STOCK",
        "PAYMENT_PENDING",
        "SLUG_RESERVED",
        "TOTAL_CHANGED",
    }
)


class ApiView(View):
    """Base of what lies below /api/: JSON, whatever goes wrong.

    A request that writes is JSON: before it, browsers ask whether a page of another site may (hence
    csrf_exempt). Nothing here reads a cookie; resolvers may read and set one.

    Args:
        operations: by their slugs.
    """

    operations: Mapping[str, Operation] = {}
    http_method_names = ["get", "head", "post", "options"]

    @classmethod
    def serving(cls, operations: Iterable[Operation], **options: Any) -> Any:
        """A view of those of these operations that plain HTTP can serve."""
        served = {one.slug: one for one in operations if one.methods}
        return csrf_exempt(cls.as_view(operations=served, **options))

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return _refused(_not_allowed(self.allowed(**kwargs)))

    def allowed(self, **kwargs: Any) -> tuple[str, ...]:
        """The methods, but HEAD and OPTIONS, that this address takes."""
        raise NotImplementedError


class IndexView(ApiView):
    """The list of all operations."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        listed = [
            {
                "name": one.name,
                "kind": one.kind,
                "path": f"/api/{one.slug}",
                "methods": one.methods,
                "summary": one.summary,
                "access": one.access,
            }
            for one in self.operations.values()
        ]
        return revalidated(request, as_json({"operations": listed}, LEGACY, 200))

    def allowed(self, **kwargs: Any) -> tuple[str, ...]:
        return ("GET",)


class OperationView(ApiView):
    """One operation.

    Args:
        service: runs it.
    """

    # `as_view` asks for a default; there is no serving without one.
    service: Any = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(request, *args, **kwargs)
        return kept_private(request, response, self.service.private_headers)

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        return revalidated(request, self._answer(request, slug, "GET"))

    def post(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        return self._answer(request, slug, "POST")

    def options(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        methods = self.allowed(slug=slug)
        return HttpResponse(headers={"Allow": _allow(methods)}) if methods else _refused(_unknown())

    def allowed(self, **kwargs: Any) -> tuple[str, ...]:
        found = self.operations.get(kwargs["slug"])
        return found.methods if found else ()

    def _answer(self, request: HttpRequest, slug: str, method: str) -> HttpResponse:
        try:
            operation = self.operations.get(slug)
            if operation is None:
                raise _unknown()
            if method not in operation.methods:
                raise _not_allowed(operation.methods)
            self.service.identify(request)
            read = _from_address if method == "GET" else _from_body
            variables = read(request, operation)
        except Exception as error:  # noqa: BLE001 - masked, logged, told with an id.
            return _refused(error, self.service)
        answer = self.service.run(
            request, {"operationName": operation.name, "variables": variables}
        )
        status = status_of(operation, answer)
        if answer.kept is not None:
            return as_kept(request, answer.kept, LEGACY, self.service.public, status)
        headers = come_back([answer.content]) | left(request) | (WANTED if status == 401 else {})
        return with_cookies(request, as_json(answer.content, LEGACY, status, headers))


def status_of(operation: Operation, answer: Answer) -> int:
    """The status of an answer: what its content says, in HTTP's words."""
    if answer.kept is not None:
        return 404 if operation.is_lookup and answer.kept.is_empty else 200
    values = list((answer.content.get("data") or {}).values())
    nothing = all(value is None for value in values)
    if "errors" in answer.content:
        return CODES.get(answer.code, 400) if nothing else 200
    if operation.kind == "mutation":
        wrong = {error["code"] for value in values for error in value.get("userErrors", ())}
        return (409 if wrong & CONFLICTS else 422) if wrong else 200
    return 404 if operation.is_lookup and nothing else 200


def _from_address(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    try:
        parameters = request.GET
    except SuspiciousOperation as error:
        raise Refused(400, "The address has too many parameters.") from error
    definitions = operation.ast.variable_definitions
    return variables_of(schema.graphql_schema, definitions, parameters, secret=operation.secrets)


def _from_body(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    body = from_json(request, empty={})
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    if request.META["QUERY_STRING"]:
        raise BadRequest("By POST all values stand in the body, and none in the address.")
    if operation.takes_input:
        return {"input": body}
    for name in body:
        if name not in operation.variables:
            raise BadRequest(f"There is no variable `{name[:100]}`.", parameter=name[:100])
    return body


def _unknown() -> NotFound:
    return NotFound("There is no such operation; GET /api/ lists them.")


def _not_allowed(methods: tuple[str, ...]) -> Exception:
    if not methods:
        return _unknown()
    return Refused(405, f"Use {' or '.join(methods)}.", Allow=_allow(methods))


def _allow(methods: tuple[str, ...]) -> str:
    more = ("HEAD",) if "GET" in methods else ()
    return ", ".join((*methods, *more, "OPTIONS"))


def _refused(error: Exception, service: Service | None = None) -> HttpResponse:
    content, status, headers = refusal(error, service)
    return as_json(content, LEGACY, status, headers)
