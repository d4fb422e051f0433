"""This project's endpoint."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from contenders.contender import Contender, graphql_contender
from contenders.documents import documents
from contenders.questions import Values
from schema.authentication import authenticate
from schema.engine.execution import Executor, counts
from schema.engine.http import GraphQLView
from schema.engine.keyset import Ordering, encode_cursor
from schema.engine.service import Service
from schema.root import schema

_ORDER = "orderBy: {field: PRICE, direction: ASC}"
_BY_PRICE = ("$min: Decimal!", f"filter: {{price: {{min: $min}}}}, {_ORDER}")
_DOCUMENTS = documents(
    lists={
        "nested": _BY_PRICE,
        "flat": _BY_PRICE,
        "deep": ("$after: String!", f"after: $after, {_ORDER}"),
        "subtree": ("$category: String!", f"filter: {{category: $category}}, {_ORDER}"),
    },
    by_name="orderBy: {field: NAME, direction: ASC}",
)


def contender(*, compiled: bool = True) -> Contender:
    executor = Executor(schema.graphql_schema, compiled=compiled)
    view: Callable[[HttpRequest], HttpResponseBase] = GraphQLView.as_view(
        service=Service(executor=executor, authenticate=authenticate)
    )
    return graphql_contender(view, _DOCUMENTS, _variables, remarks=_remarks)


def _variables(values: Values) -> dict[str, Any]:
    if "slug" in values:
        return values
    found: dict[str, Any] = {"size": values["size"]}
    if "price_min" in values:
        found["min"] = f"{values['price_min'] / 100:.2f}"
    if "category" in values:
        found["category"] = values["category"]
    if "offset" in values:
        ordering = Ordering("Product:PRICE:asc", "price_key", descending=False)
        found["after"] = encode_cursor(ordering, values["price"], values["key"])
    return found


def _remarks() -> dict[str, int]:
    """How often planned fields ran which way: fall-backs must not hide in the figures."""
    return {" ".join(part for part in key if part): count for key, count in counts.items()}
