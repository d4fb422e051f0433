"""Runs the GraphQL documents that make the data of webhooks."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from graphql import (
    DefinitionNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)

from schema.engine.errors import present
from schema.engine.execution import Document, Executor
from schema.engine.limits import Limits, cost_of
from shop.database import outage_of

_CACHE_BYTES = 4 * 1024 * 1024


class PayloadExecutor:
    """Checks and runs queries whose only variable is `$id`, within the limits of the API.

    It is what `shop.actions.webhooks.payloads` calls an Executor.

    Args:
        schema: against which they run.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        limits = Limits(**settings.GRAPHQL_LIMITS)
        self._executor = Executor(schema, limits=limits, cache_bytes=_CACHE_BYTES)

    def check(self, document: str) -> str | None:
        """Why `document` cannot be run, in one sentence; None when it can."""
        parsed = self._executor.document(document)
        if parsed.errors:
            return _sentence(parsed.errors[0].message)
        operations = _operations(parsed)
        if len(operations) != 1 or operations[0].operation != OperationType.QUERY:
            return "The document must have one operation, and that a query."
        (operation,) = operations
        if any(item.variable.name.value != "id" for item in operation.variable_definitions):
            return "The only variable that is given is $id."
        fragments = {
            node.name.value: node
            for node in _definitions(parsed)
            if isinstance(node, FragmentDefinitionNode)
        }
        cost = cost_of(self._executor.schema, fragments, operation, {"id": ""})
        maximum = self._executor.limits.cost
        if cost > maximum:
            return f"The document costs {cost}; at most {maximum} is allowed."
        return None

    def execute(self, document: str, subject: str, viewer: Any) -> dict[str, Any]:
        """The result, `data` and perhaps `errors`, as `viewer` may see it.

        Args:
            subject: global id, for the variable `$id`.
        """
        parsed = self._executor.document(document)
        # The schema may have changed since the document was checked.
        errors: list[GraphQLError] = parsed.errors
        data = None
        if not errors:
            variables = {"id": subject} if _takes_id(parsed) else {}
            result = self._executor.execute(parsed, _request(viewer), variables)
            data, errors = result.data, result.errors or []
            for error in errors:
                # Not for the receiver: the task that sends it is tried again.
                if outage_of(error.original_error) is not None:
                    raise error.original_error or error
        found: dict[str, Any] = {"data": data}
        if errors:
            found["errors"] = [present(error) for error in errors]
        return found


def _definitions(document: Document) -> tuple[DefinitionNode, ...]:
    return document.ast.definitions if document.ast else ()


def _operations(document: Document) -> list[OperationDefinitionNode]:
    return [node for node in _definitions(document) if isinstance(node, OperationDefinitionNode)]


def _takes_id(document: Document) -> bool:
    return any(operation.variable_definitions for operation in _operations(document))


class _Request(HttpRequest):
    # What is answered goes to others than the viewer.
    is_message = True

    def _get_scheme(self) -> str:
        return "https" if settings.HTTPS else "http"


def _request(viewer: Any) -> HttpRequest:
    """A request of `viewer`, as resolvers want one; it came to the first of the shop's hosts."""
    request = _Request()
    host = next((name for name in settings.ALLOWED_HOSTS if name.strip("*.")), "localhost")
    request.META |= {
        "SERVER_NAME": host.strip("*.").partition(":")[0] if "[" not in host else host,
        "SERVER_PORT": "443" if settings.HTTPS else "80",
    }
    request.user = viewer
    return request


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
