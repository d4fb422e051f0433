"""What operations answer: statuses, with the codes that come under each, headers and bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus

from graphql import FieldNode

from schema.engine import errors
from schema.openapi.examples import Example
from schema.openapi.inputs import Schema, reference
from schema.rest import CODES, CONFLICTS
from schema.trusted import Operation
from shop.errors import ErrorCode

# Errors about documents that clients send: here they send none.
_OF_DOCUMENTS = {errors.PersistedQueryNotFound.code, errors.NotTrusted.code}

_ERROR: Schema = {
    "type": "object",
    "description": "Why the request, or a part of it, came to nothing.",
    "properties": {
        "message": {"type": "string", "description": "For developers, in one sentence."},
        "path": {
            "type": "array",
            "items": {"type": ["string", "integer"]},
            "description": "Which part of `data` is null because of it.",
        },
        "locations": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"line": {"type": "integer"}, "column": {"type": "integer"}},
                "required": ["line", "column"],
            },
            "description": "Where in the operation's document.",
        },
        "extensions": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "description": "What programs branch on."},
                "retryAfter": {"type": "integer", "description": "Seconds to wait."},
            },
            "required": ["code"],
            "description": "What went wrong, for programs; some codes have more facts.",
        },
    },
    "required": ["message", "extensions"],
}
_PARTLY: Schema = {
    "type": "array",
    "items": reference("Error"),
    "minItems": 1,
    "description": "Why parts of `data` are null.",
}
_HEADERS = {
    "ETag": "Sent back as `If-None-Match`, it asks whether this answer still holds.",
    "RateLimit": "The points that are left (`r`), and the seconds until none are missing (`t`).",
    "RateLimit-Policy": "The points that one can have at once (`q`), and the seconds that it takes "
    "to get that many (`w`).",
    "Retry-After": "Seconds to wait.",
    "WWW-Authenticate": "`Bearer`: an access token is asked for.",
}
# Nobody's points are counted where a shop sets no limit, nor before it is known who asks.
_ALWAYS = {"ETag", "WWW-Authenticate"}


class Responses:
    """Answers by status.

    Args:
        data: the schemas of the operations' `data`, by name.

    Attributes:
        components: schemas by name, of all answers asked for so far.
        errors: the answers that are the same for all operations, by name.
        headers: by name.
    """

    def __init__(self, data: Mapping[str, Schema]) -> None:
        self._data = data
        self._refusals = _refusals()
        self.components: dict[str, Schema] = {"Error": _ERROR}
        self.errors: dict[str, Schema] = {}
        self.headers: dict[str, Schema] = {
            name: {
                "description": said,
                "required": name in _ALWAYS,
                "schema": {"type": "integer" if name == "Retry-After" else "string"},
            }
            for name, said in _HEADERS.items()
        }

    def of(self, operation: Operation, method: str, example: Example | None) -> Schema:
        """The answers to one method of an operation."""
        found = dict(self._with_data(operation, method))
        if method == "GET":
            found[304] = _answer(304, ("ETag",))
        for status in _statuses(operation, method):
            # A lookup that finds nothing has a 404 with data.
            if status not in found:
                found[status] = self._error(status)
        if example is not None and example.status in found and example.method == method:
            found[example.status]["content"]["application/json"]["example"] = example.answer
        return {str(status): found[status] for status in sorted(found)}

    def _with_data(self, operation: Operation, method: str) -> Iterator[tuple[int, Schema]]:
        body: Schema = {
            "type": "object",
            "properties": {"data": self._data[operation.name]},
            "required": ["data"],
            "additionalProperties": False,
        }
        partly = body | {"properties": body["properties"] | {"errors": _PARTLY}}
        yield 200, _answer(200, ("ETag",) if method == "GET" else (), partly)
        if operation.kind == "mutation":
            for status in (409, 422):
                said = {"properties": {"userErrors": self._component(f"UserErrors{status}")}}
                payloads = {"properties": dict.fromkeys(_keys(operation), said)}
                yield (
                    status,
                    _answer(status, (), {"allOf": [body, {"properties": {"data": payloads}}]}),
                )
        elif operation.is_lookup:
            yield 404, _answer(404, (), body)

    def _error(self, status: int) -> Schema:
        """An answer that is the same for all operations."""
        name = f"Errors{status}"
        if name not in self.errors:
            self.errors[name] = _answer(status, _headers_of(status), self._component(name))
        return {"$ref": f"#/components/responses/{name}"}

    def _component(self, name: str) -> Schema:
        self.components[name] = self._refusals[name]
        return reference(name)


def _refusals() -> dict[str, Schema]:
    """Components: the errors of each status, and the user errors."""
    found = {}
    for status, codes in _codes().items():
        first: Schema = {"properties": {"extensions": {"properties": {"code": {"enum": codes}}}}}
        found[f"Errors{status}"] = {
            "type": "object",
            "description": f"The code is {_listed(codes)}.",
            "properties": {
                "errors": {
                    "type": "array",
                    "description": "Why nothing came of it.",
                    "minItems": 1,
                    # The first error decides the status.
                    "prefixItems": [{"allOf": [reference("Error"), first]}],
                    "items": reference("Error"),
                },
                "data": {
                    "type": ["object", "null"],
                    "additionalProperties": {"type": "null"},
                    "description": "Nothing came of anything that was asked for.",
                },
            },
            "required": ["errors"],
            "additionalProperties": False,
        }
    others = sorted(code.value for code in ErrorCode if code.value not in CONFLICTS)
    # One that conflicts decides the status; otherwise none does.
    found["UserErrors409"] = _user_errors(sorted(CONFLICTS), "contains")
    found["UserErrors422"] = _user_errors(others, "items")
    return found


def _user_errors(codes: list[str], rule: str) -> Schema:
    return {
        "description": f"Why nothing was done; a code is {_listed(codes)}.",
        rule: {"properties": {"code": {"enum": codes}}, "required": ["code"]},
        "minItems": 1,
    }


def _keys(operation: Operation) -> list[str]:
    """Those of `data`."""
    selections = operation.ast.selection_set.selections
    nodes = [node for node in selections if isinstance(node, FieldNode)]
    return [node.alias.value if node.alias else node.name.value for node in nodes]


def _codes() -> dict[int, list[str]]:
    """The codes of errors, by the status that they make."""
    found: dict[int, list[str]] = {413: ["BAD_REQUEST"], 415: ["BAD_REQUEST"]}
    classes = errors.CodedError.__subclasses__()
    for code in sorted({"INTERNAL", *(one.code for one in classes)} - _OF_DOCUMENTS):
        found.setdefault(CODES.get(code, 400), []).append(code)
    return found


def _statuses(operation: Operation, method: str) -> list[int]:
    """Of answers that are errors."""
    found = [400, 401, 429, 500, 503]
    if method == "POST":
        found += [413, 415]
    if operation.kind == "mutation" or not operation.is_public:
        found += [403]
    return found


def _headers_of(status: int) -> tuple[str, ...]:
    return {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}.get(
        status, ()
    )


def _answer(status: int, headers: tuple[str, ...], schema: Schema | None = None) -> Schema:
    # Every operation that runs is charged for.
    names = (*headers, *(() if status == 304 else ("RateLimit", "RateLimit-Policy")))
    answer: Schema = {
        "description": f"{HTTPStatus(status).phrase}.",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }
    if schema is not None:
        answer["content"] = {"application/json": {"schema": schema}}
    return answer


def _listed(codes: list[str]) -> str:
    *most, last = (f"`{code}`" for code in codes)
    return f"{', '.join(most)} or {last}" if most else last
