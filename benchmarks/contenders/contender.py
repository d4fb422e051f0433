"""What a contender is, and what those that speak GraphQL have in common."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.test import RequestFactory

from contenders.questions import Values

_factory = RequestFactory()


@dataclass
class Contender:
    """A Django view that answers the questions.

    Attributes:
        view: called directly, so that dispatch and serialisation count, but no middleware.
        request: (question, values, tag) -> a request that `view` answers once. A tag makes the
            text of a GraphQL document one that was never seen before.
        plain: the content of an answer -> the same data as every contender's.
        remarks: anything to report after the measurement, such as fall-backs.
    """

    view: Callable[[HttpRequest], HttpResponseBase]
    request: Callable[[str, Values, str], HttpRequest]
    plain: Callable[[dict[str, Any]], dict[str, Any]]
    remarks: Callable[[], dict[str, int]] = field(default=dict)


def graphql_contender(
    view: Callable[[HttpRequest], HttpResponseBase],
    documents: dict[str, str],
    variables: Callable[[Values], dict[str, Any]],
    **options: Any,
) -> Contender:
    """A contender that takes documents by POST."""

    def request(question: str, values: Values, tag: str) -> HttpRequest:
        document = f"{documents[question]} # {tag}" if tag else documents[question]
        body = json.dumps({"query": document, "variables": variables(values)})
        return _factory.post("/graphql/", body, content_type="application/json")

    return Contender(view, request, _plain_graphql, **options)


def rest_contender(views: dict[str, Callable[[HttpRequest], HttpResponseBase]]) -> Contender:
    """A contender that takes values by GET; one view for each path."""

    def request(question: str, values: Values, tag: str) -> HttpRequest:
        return _factory.get(f"/{question}/", values)

    def view(request: HttpRequest) -> HttpResponseBase:
        return views[request.path](request)

    return Contender(view, request, _plain_rest)


def array_cursor(offset: int) -> str:
    """The cursor of the item before `offset`, as graphql-relay and strawberry make them."""
    return base64.b64encode(f"arrayconnection:{offset - 1}".encode()).decode()


def _plain_graphql(content: dict[str, Any]) -> dict[str, Any]:
    if content.get("errors"):
        raise ValueError(str(content["errors"])[:500])
    data = content["data"]
    plain = {key: _without_edges(value) for key, value in data.items()}
    if "products" in data:
        plain["more"] = data["products"]["pageInfo"]["hasNextPage"]
    return plain


def _without_edges(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_edges(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "edges" in value:
        return [_without_edges(edge["node"]) for edge in value["edges"]]
    return {
        key: _key_of(item) if key == "id" else _without_edges(item) for key, item in value.items()
    }


def _key_of(global_id: str) -> int:
    return int(base64.b64decode(global_id).decode().partition(":")[2])


def _plain_rest(content: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in content.items() if key != "next"}
    if "products" in content:
        plain["more"] = content["next"] is not None
    return plain
