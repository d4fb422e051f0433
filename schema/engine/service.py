"""Runs one operation of a request, whatever way it came: authenticated, admitted, counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest
from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
)
from graphql.execution.collect_fields import collect_fields
from graphql.execution.values import get_variable_values

from schema.engine.answers import AnswerCache, Kept
from schema.engine.errors import (
    CodedError,
    NotTrusted,
    Translate,
    Unauthenticated,
    formatted,
    present,
)
from schema.engine.execution import Document, Executor
from schema.engine.limits import check_values, count_values
from schema.engine.metering import MIN_CHARGE, Budget, Meter, charge, check_budget
from schema.engine.persisted import Known, document_of
from schema.engine.transport import Refused
from schema.engine.validation import MAX_ERRORS

# Of answers that are nothing but an error with this code; of all others 400.
STATUS = {
    "UNAUTHENTICATED": 401,
    "TOKEN_EXPIRED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "OPERATION_NOT_TRUSTED": 403,
    "RATE_LIMITED": 429,
    "RETRY": 503,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one operation.

    Attributes:
        content: the response map; of an answer that is kept, its data may be JSON already.
        status: of HTTP, as the media type application/graphql-response+json has it.
        kept: ready to be sent, when it is the same for everyone who is not signed in.
    """

    content: dict[str, Any]
    status: int = 200
    kept: Kept | None = None

    @property
    def code(self) -> str:
        """That of the first error; "OK" without one."""
        errors = self.content.get("errors")
        return errors[0].get("extensions", {}).get("code", "BAD_REQUEST") if errors else "OK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The operations of one schema, for every view that serves them.

    Attributes:
        executor: of the schema that is served.
        authenticate: request -> user; raises a CodedError for a bad token.
        carries_credential: whether a field of a root type says by its arguments who asks, so that
            it runs with a bad token as without one.
        meter: of what clients may spend; none, and nobody is counted.
        known: documents that requests may name instead of sending them.
        only_known: whether who asks may run no others, of a request whose user is known.
        answers: of strangers, kept for others; none are without it.
        public: Cache-Control of such answers to GET; empty, they are as private as all others.
        private_headers: request headers whose answers are for the sender alone, such as those that
            carry tokens.
        debug: whether requests may ask for SQL counts and times (`extensions: {debug: true}`).
        on_operation: told the code of each operation's first error ("OK" without one) and the
            seconds that it took.
    """

    executor: Executor
    authenticate: Callable[[HttpRequest], Any] | None = None
    carries_credential: Callable[[GraphQLObjectType, str], bool] = lambda root, name: False
    meter: Meter | None = None
    known: Known = field(default_factory=Known)
    only_known: Callable[[HttpRequest], bool] | None = None
    answers: AnswerCache | None = None
    public: str = ""
    private_headers: tuple[str, ...] = ()
    debug: bool = False
    on_operation: Callable[[str, float], None] | None = None

    def identify(self, request: HttpRequest) -> None:
        """Sets the user of a request: of one with a bad token, nobody.

        Its operations then fail with the error of the token, but those that carry a credential of
        their own.
        """
        if self.authenticate is None:
            raise Unauthenticated("This server has no authentication.")
        try:
            request.user = self.authenticate(request)
        except CodedError as error:
            request.user = AnonymousUser()
            request.graphql_token_error = error  # type: ignore[attr-defined]

    def run(self, request: HttpRequest, operation: dict[str, Any]) -> Answer:
        """The answer to one operation of a request, whose user is known.

        Args:
            operation: `query`, `extensions.persistedQuery`, `documentId` or the name of a known
                document, `operationName`, `variables`, `extensions`; each of the type that GraphQL
                over HTTP gives it.
        """
        if self.on_operation is None:
            return self._metered(request, operation)
        started = time.perf_counter()
        answer = self._metered(request, operation)
        self.on_operation(answer.code, time.perf_counter() - started)
        return answer

    def _metered(self, request: HttpRequest, operation: dict[str, Any]) -> Answer:
        """The answer, charged for: in execution, or here when it did not come to that."""
        request.graphql_meter = self.meter  # type: ignore[attr-defined]
        request.graphql_charged = False  # type: ignore[attr-defined]
        # That of the operation before it, in a batch.
        vars(request).pop("graphql_cost", None)
        request.graphql_size = MIN_CHARGE  # type: ignore[attr-defined]
        try:
            answer = self._run(request, operation)
        except Exception as error:  # noqa: BLE001 - masked, logged, told with an id.
            # A failure outside of the execution, such as in the response cache.
            return self.failure(error)
        if "data" in answer.content or request.graphql_charged:  # type: ignore[attr-defined]
            return answer
        # Else garbage would be free, however long it took to read.
        try:
            charge(request, request.graphql_size, drain=True)  # type: ignore[attr-defined]
        except CodedError as error:
            return Answer({"errors": [error.formatted]}, status_of(error))
        return answer

    def failure(self, error: Exception) -> Answer:
        """The answer to a request that failed with an exception before anything was executed."""
        shown = present(GraphQLError("", original_error=error), self.executor.translate)
        return Answer({"errors": [shown]}, STATUS.get(shown["extensions"]["code"], 500))

    def _run(self, request: HttpRequest, operation: dict[str, Any]) -> Answer:
        try:
            limits, variables = self.executor.limits, operation.get("variables") or {}
            values = count_values(variables, limits)
            request.graphql_size += values  # type: ignore[attr-defined]
            check_values(values, limits)
            text = operation.get("query")
            if self.meter is not None and text and not self.executor.has(text):
                check_budget(request, len(text))
            document = self._document(request, operation)
            request.graphql_size += document.tokens  # type: ignore[attr-defined]
            if document.errors:
                return Answer({"errors": [_invalid(error) for error in document.errors]}, 400)
            name = operation.get("operationName")
            if request.method != "POST":
                _only_queries(document.ast, name)
        except Refused as refused:
            return Answer({"errors": [refused.error.formatted]}, refused.status)
        except CodedError as error:
            return Answer({"errors": [error.formatted]}, status_of(error))
        asked = operation.get("extensions") or {}
        with_debug, with_cost = self.debug and asked.get("debug"), asked.get("cost")
        if not (with_debug or with_cost):
            return self._kept_or_new(request, document, operation)
        run = self._debugged if with_debug else self._executed
        answer = run(request, document, operation)
        return self._with_cost(request, answer) if with_cost else answer

    def _document(self, request: HttpRequest, operation: dict[str, Any]) -> Document:
        """The document of an operation that the client may run. Raises CodedError."""
        only_known = self.only_known is not None and self.only_known(request)
        error: CodedError | None = getattr(request, "graphql_token_error", None)
        try:
            found = document_of(operation, self.executor, self.known, only_known=only_known)
        except NotTrusted:
            query = operation.get("query")
            if error and not (
                query and self._needs_no_token(self.executor.document(query), operation)
            ):
                # With a valid token the client may be free to run it.
                raise error from None
            raise
        if error and not self._needs_no_token(found, operation):
            raise error
        return found

    def _needs_no_token(self, document: Document, operation: dict[str, Any]) -> bool:
        """Whether an operation cannot run, or all its root fields carry their own credential."""
        schema, ast = self.executor.schema, document.ast
        if ast is None or document.errors:
            return True
        node = get_operation_ast(ast, operation.get("operationName"))
        root = schema.get_root_type(node.operation) if node else None
        if node is None or root is None:
            return False
        try:
            names = _root_fields(schema, ast, node, root, operation.get("variables") or {})
        except GraphQLError:
            # Wrong variables: execution finds them as well, and runs nothing.
            return True
        return bool(names) and all(self.carries_credential(root, name) for name in names)

    def _kept_or_new(
        self, request: HttpRequest, document: Document, operation: dict[str, Any]
    ) -> Answer:
        """The answer that is kept for those who ask the same, or a new one."""
        key = self.answers.key(request, document, operation) if self.answers else ""
        if self.answers is None or not key:
            return self._executed(request, document, operation)
        found = self.answers.find(key, lambda: self._executed(request, document, operation))
        return Answer(found.content, kept=found) if isinstance(found, Kept) else found

    def _executed(
        self, request: HttpRequest, document: Document, operation: dict[str, Any]
    ) -> Answer:
        name, variables = operation.get("operationName"), operation.get("variables")
        result = self.executor.execute(document, request, variables, name)
        return _formatted(result, self.executor.translate)

    def _with_cost(self, request: HttpRequest, answer: Answer) -> Answer:
        """The answer with what it costs, which is known when it is worked out."""
        if hasattr(request, "graphql_cost"):
            cost = {"requested": request.graphql_cost, "max": self.executor.limits.cost}
            budget: Budget | None = getattr(request, "graphql_budget", None)
            if budget is not None:
                cost["throttleStatus"] = budget.status
            answer.content.setdefault("extensions", {})["cost"] = cost
        return answer

    def _debugged(self, request: HttpRequest, document: Any, operation: dict[str, Any]) -> Answer:
        """The answer with what it took: SQL statements, milliseconds, cost, and ways of running."""
        statements: list[str] = []

        def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            statements.append(sql)
            return execute(sql, params, many, context)

        started = time.perf_counter()
        with connection.execute_wrapper(count):
            answer = self._executed(request, document, operation)
        answer.content["extensions"] = {
            "debug": {
                "sql": len(statements),
                "milliseconds": round((time.perf_counter() - started) * 1000, 3),
                "cost": getattr(request, "graphql_cost", None),
                "fields": getattr(request, "graphql_ways", []),
            }
        }
        return answer


def status_of(error: CodedError) -> int:
    """The status of an answer that is nothing but this error."""
    return STATUS.get(error.code, 400)


def _only_queries(document: DocumentNode | None, name: str | None) -> None:
    found = get_operation_ast(document, name) if document else None
    if isinstance(found, OperationDefinitionNode) and found.operation != OperationType.QUERY:
        raise Refused(405, "GET is for queries only.", Allow="POST")


def _root_fields(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    root: GraphQLObjectType,
    given: dict[str, Any],
) -> set[str]:
    """Names of the root fields that an operation selects. Raises GraphQLError for bad variables."""
    variables = get_variable_values(schema, operation.variable_definitions, given, MAX_ERRORS, True)
    if isinstance(variables, list):
        raise variables[0]
    nodes = (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
    fragments = {node.name.value: node for node in nodes}
    fields = collect_fields(schema, fragments, variables, root, operation.selection_set)
    return {nodes[0].name.value for nodes in fields.values()} - {"__typename"}


def _formatted(result: ExecutionResult, translate: Translate | None) -> Answer:
    errors = [present(error, translate) for error in result.errors or ()]
    # Errors with a path come from execution; without one, nothing was executed.
    if result.data is None and errors and all("path" not in error for error in errors):
        return Answer({"errors": errors}, STATUS.get(errors[0]["extensions"]["code"], 400))
    if errors:
        return Answer({"errors": errors, "data": result.data})
    return Answer({"data": result.data})


def _invalid(error: GraphQLError) -> dict[str, Any]:
    extensions = {"code": "VALIDATION_FAILED", **(error.extensions or {})}
    return {**formatted(error), "extensions": extensions}
