"""Executing documents: parsed, validated and planned once, then run on the compiled path.

Two seams join the engine to graphql-core: connection and object fields carry what the planner
needs, and `CompiledExecutionContext.execute_field` runs them. Everything else is graphql-core.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import QuerySet
from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionContext,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    execute,
    located_error,
    visit,
)
from graphql.execution.values import get_argument_values
from graphql.language import Visitor
from graphql.pyutils import Path

from schema.engine.compiled import Run
from schema.engine.errors import TooComplex, Translate
from schema.engine.limits import Limits, cost_of
from schema.engine.metering import charge
from schema.engine.plan import NodePlan, NotProvable, PagePlan, plan_node, plan_page
from schema.engine.statements import Slot
from schema.engine.validation import MAX_ERRORS, parse_and_validate

logger = logging.getLogger(__name__)

# A parsed document with its plans takes 186 bytes a character, measured on a product list.
_WEIGHT = 200
# One that is refused is its text and its errors.
_REFUSED_WEIGHT = 4

# Of one document: each combination of its switches and each path has a plan of its own.
_MAX_PLANS = 128

# How planned fields were run: ("compiled", ""), ("generic", reason), ("fallback", exception).
counts: Counter[tuple[str, str]] = Counter()


class Document:
    """A document with what was found out about it.

    Attributes:
        errors: of parsing or validation; a document with errors is never executed.
        tokens: that were read of its text.
        plans: by operation, path and the values of variables in @skip and @include.
        questions: what the answer cache knows of it, by the name of the operation.
        digest: the hash under which it is persisted, once somebody has asked for it by that.
    """

    def __init__(
        self, ast: DocumentNode | None, errors: list[GraphQLError], size: int, tokens: int = 0
    ) -> None:
        self.ast = ast
        self.errors = errors
        self.size = size
        self.tokens = tokens
        self.cache: DocumentCache | None = None
        self.plans: dict[Any, PagePlan | NodePlan] = {}
        self.questions: dict[str | None, Any] = {}
        self.digest = ""
        self.switches = _switches(ast) if ast is not None and not errors else ()

    def grew(self, size: int) -> None:
        """Says that `size` more bytes hang on this document."""
        if self.cache is not None:
            self.cache.grow(self, size)


class DocumentCache:
    """Documents by their text, bounded by bytes; the least recently used go first.

    Args:
        max_bytes: of memory, estimated from the texts.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._texts: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, text: str) -> Document | None:
        with self._lock:
            document = self._documents.get(text)
            if document is not None:
                self._documents.move_to_end(text)
            return document

    def text_of(self, digest: str) -> str | None:
        """The text of a document that is here, and was asked for by this hash before."""
        return self._texts.get(digest)

    def remember(self, text: str, digest: str) -> None:
        """Keeps the hash of a document for as long as it is here itself."""
        with self._lock:
            document = self._documents.get(text)
            if document is not None and not document.digest:
                document.digest = digest
                self._texts[digest] = text

    def put(self, text: str, document: Document) -> None:
        with self._lock:
            replaced = self._documents.pop(text, None)
            self._bytes += document.size - (replaced.size if replaced else 0)
            self._documents[text] = document
            if replaced is not None:
                replaced.cache = None
                self._texts.pop(replaced.digest, None)
            document.cache = self
            self._evict()

    def grow(self, document: Document, size: int) -> None:
        with self._lock:
            # Evicted meanwhile, it is forgotten once its request ends.
            if document.cache is self:
                document.size += size
                self._bytes += size
                self._evict()

    def _evict(self) -> None:
        while self._bytes > self._max_bytes and len(self._documents) > 1:
            _, evicted = self._documents.popitem(last=False)
            evicted.cache = None
            self._texts.pop(evicted.digest, None)
            self._bytes -= evicted.size

    def __len__(self) -> int:
        return len(self._documents)


class Executor:
    """Executes documents of one schema.

    Args:
        schema: the schema.
        introspection: whether documents may ask for the schema, and errors suggest names of it.
        limits: what documents may ask for.
        on_field: told how each planned field was run, as in `counts`.
        compiled: off, everything runs on the generic path (for comparison).
        cache_bytes: of parsed documents and their plans.
        kept: texts whose documents stay, however many others come; beside `cache_bytes`.
        translate: tells exceptions that pass by themselves (`schema.engine.errors.Translate`). A
            field that fails with one is not run again on the generic path.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        introspection: bool = False,
        compiled: bool = True,
        limits: Limits | None = None,
        on_field: Callable[[str, str], None] | None = None,
        cache_bytes: int = 32 * 1024 * 1024,
        kept: Collection[str] = (),
        translate: Translate | None = None,
    ) -> None:
        self.schema = schema
        self._introspection = introspection
        self.limits = limits or Limits()
        self._on_field = on_field
        self.translate = translate
        self._context_class = CompiledExecutionContext if compiled else LimitedExecutionContext
        self._documents = DocumentCache(cache_bytes)
        self._kept: dict[str, Document | None] = dict.fromkeys(kept)

    def has(self, text: str) -> bool:
        """Whether `document` has `text` without parsing it."""
        return self._kept.get(text) is not None or self._documents.get(text) is not None

    def document(self, text: str) -> Document:
        """The parsed and validated document of `text`."""
        if text in self._kept:
            document = self._kept[text]
            if document is None:
                document = self._kept[text] = self._parsed(text)
            return document
        document = self._documents.get(text)
        if document is None:
            document = self._parsed(text)
            self._documents.put(text, document)
        return document

    def persisted(self, digest: str, find: Callable[[], str | None]) -> Document | None:
        """The document of a text whose hash is `digest`; None when nobody knows it.

        Args:
            find: looks for the text elsewhere, where it is not here.
        """
        text = self._documents.text_of(digest) or find()
        if text is None:
            return None
        document = self.document(text)
        self._documents.remember(text, digest)
        return document

    def execute(
        self,
        document: Document,
        context: Any,
        variables: dict[str, Any] | None = None,
        operation_name: str | None = None,
    ) -> ExecutionResult:
        """The result of one operation of a valid document."""
        context.graphql_document = document
        context.graphql_limits = self.limits
        context.graphql_on_field = self._on_field
        context.graphql_translate = self.translate
        return execute(  # type: ignore[return-value]
            self.schema,
            document.ast,  # type: ignore[arg-type]
            context_value=context,
            variable_values=variables,
            operation_name=operation_name,
            max_coercion_errors=MAX_ERRORS,
            hide_suggestions=not self._introspection,
            execution_context_class=self._context_class,
        )

    def _parsed(self, text: str) -> Document:
        parsed = parse_and_validate(
            self.schema, text, self.limits, introspection=self._introspection
        )
        # A refused document takes little room: it must not push out documents that run.
        if parsed.errors:
            return Document(None, parsed.errors, len(text) * _REFUSED_WEIGHT, parsed.tokens)
        return Document(parsed.ast, [], len(text) * _WEIGHT, parsed.tokens)


class LimitedExecutionContext(ExecutionContext):
    """Refuses operations that cost too much, or more than is left, before anything runs."""

    def execute_operation(self, operation: OperationDefinitionNode, root_value: Any) -> Any:
        request, variables = self.context_value, self.variable_values
        request.graphql_cost = cost_of(self.schema, self.fragments, operation, variables)
        maximum = request.graphql_limits.cost
        if request.graphql_cost > maximum:
            raise TooComplex(
                f"The operation costs {request.graphql_cost}; at most {maximum} is allowed.",
                limit="cost",
                actual=min(request.graphql_cost, 10**9),
                max=maximum,
            )
        charge(request, request.graphql_cost)
        return super().execute_operation(operation, root_value)


class CompiledExecutionContext(LimitedExecutionContext):
    """Runs planned fields on the compiled path, and on the generic one where that cannot be."""

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_nodes: list[FieldNode],
        path: Path,
    ) -> Any:
        definition = parent_type.fields.get(field_nodes[0].name.value)
        resolver = getattr(definition, "resolve", None)
        is_root = getattr(getattr(resolver, "connection", None), "is_root", False)
        if is_root or hasattr(resolver, "lookups") or hasattr(resolver, "global_ids"):
            try:
                result = self._compiled(parent_type, source, field_nodes, path)
                self._count(path, "compiled", "")
                return result
            except NotProvable as reason:
                self._count(path, "generic", str(reason))
            except GraphQLError:
                # What is wrong with the request is told by the generic path.
                pass
            except Exception as error:
                if (final := self._final(error)) is not None:
                    located = located_error(final, field_nodes, path.as_list())
                    return self.handle_field_error(located, definition.type, path)
                self._count(path, "fallback", type(error).__name__)
                logger.warning("Fell back to the generic path at %s", path.as_list(), exc_info=True)
        return super().execute_field(parent_type, source, field_nodes, path)

    def _final(self, error: Exception) -> Exception | None:
        """The error to answer with where the generic path would fail as well; else None."""
        translate = self.context_value.graphql_translate
        if translate is not None and (translated := translate(error)) is not None:
            return translated
        # A transaction that a failed statement has broken cannot run another one.
        is_broken = isinstance(error, DatabaseError) and connection.in_atomic_block
        return error if is_broken else None

    def _count(self, path: Path, way: str, reason: str) -> None:
        counts[way, reason] += 1
        request = self.context_value
        if request.graphql_on_field is not None:
            request.graphql_on_field(way, reason)
        ways = [*getattr(request, "graphql_ways", ()), {"path": path.as_list(), "way": way}]
        if reason:
            ways[-1]["reason"] = reason
        request.graphql_ways = ways

    def _compiled(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_nodes: list[FieldNode],
        path: Path,
    ) -> Any:
        definition = parent_type.fields[field_nodes[0].name.value]
        resolver: Any = definition.resolve
        document: Document = self.context_value.graphql_document
        name = self.operation.name.value if self.operation.name else None
        switches = tuple(self.variable_values.get(switch) for switch in document.switches)
        key = (name, tuple(path.as_list()), switches)
        info = self.build_resolve_info(definition, field_nodes, parent_type, path)
        run = Run(self.context_value, self.variable_values)

        if len(document.plans) >= _MAX_PLANS:
            document.plans.clear()

        def plan_of(object_type: Any) -> NodePlan:
            place = (*key, object_type.name)
            plan = document.plans.get(place)
            if plan is None:
                plan = document.plans[place] = plan_node(info, object_type, field_nodes)
            return _proven(plan)  # type: ignore[return-value]

        if hasattr(resolver, "connection"):
            page = document.plans.get(key)
            if page is None:
                page = plan_page(info, resolver.connection, definition, field_nodes)
                document.plans[key] = page
            return run.page(_proven(page))  # type: ignore[arg-type]
        arguments = get_argument_values(definition, field_nodes[0], self.variable_values)
        if hasattr(resolver, "global_ids"):
            return self._nodes(resolver.global_ids(info, **arguments), plan_of, run)
        plan = plan_of(_node_type(definition))
        result = self._object(plan, resolver.lookups(source, info, **arguments), run)
        if result is None and isinstance(definition.type, GraphQLNonNull):
            raise NotProvable("null in a field that is never null")
        return result

    def _object(self, plan: NodePlan, tries: Iterable[dict[str, Any]], run: Run) -> Any:
        for lookups in tries:
            slots = {lookup: Slot(index) for index, lookup in enumerate(lookups)}
            found = run.objects(
                plan,
                self._node_type(plan),
                partial(_matching, slots),
                tuple(lookups),
                list(lookups.values()),
            )
            for built in found.values():
                return built
        return None

    def _nodes(self, wanted: Any, plan_of: Callable[[Any], NodePlan], run: Run) -> Any:
        """One object, or a list of objects in the order of their ids; null where there is none."""
        pairs = wanted if isinstance(wanted, list) else [wanted]
        found: dict[tuple[str, int], Any] = {}
        for object_type in {pair[0].name: pair[0] for pair in pairs}.values():
            plan = plan_of(object_type)
            keys = sorted({pk for other, pk in pairs if other is object_type})
            node_type = self._node_type(plan)
            for pk, item in run.objects(plan, node_type, _among, ("keys",), keys=keys).items():
                found[object_type.name, pk] = item
        ordered = [found.get((object_type.name, pk)) for object_type, pk in pairs]
        return ordered if isinstance(wanted, list) else ordered[0]

    def _node_type(self, plan: NodePlan) -> Any:
        return self.schema.get_type(plan.type_name).graphene_type  # type: ignore[union-attr]


def _matching(slots: dict[str, Any], rows: QuerySet) -> QuerySet:
    return rows.filter(**slots)


def _among(rows: QuerySet) -> QuerySet:
    return rows.filter(pk__in=[Slot("parents")])


def _proven(plan: PagePlan | NodePlan) -> PagePlan | NodePlan:
    if plan.generic:
        raise NotProvable(plan.generic)
    return plan


def _node_type(definition: Any) -> Any:
    type_ = definition.type
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def _switches(ast: DocumentNode) -> tuple[str, ...]:
    """Names of the variables that decide which fields are selected."""
    if ast.loc and "@" not in ast.loc.source.body:
        # Without directives there is nothing to look for.
        return ()
    names: set[str] = set()

    class Collect(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            for argument in node.arguments:
                if isinstance(argument.value, VariableNode):
                    names.add(argument.value.name.value)

    visit(ast, Collect())
    return tuple(sorted(names))
