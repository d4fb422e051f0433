"""Limits on documents, checked in time linear in their length, before validation.

Each fragment is measured once, however often it is spread, so that fragments which fan out are
refused at once. The limits also bound the time of validation: `schema.engine.validation` says which
limit bounds which rule. The cost needs types and variables, and is known before execution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from schema.engine.errors import TooComplex

# Measured on a schema of 500 types: 190 ms for all of them, 2 ms for one. What is selected of them
# does not tell how many there are.
_INTROSPECTION = {"__schema": 10_000, "__type": 100}

# Introspection's own query is 13 levels deep; ours stay below it.
_MAX_RECURSION = 200

# A selection set, and the name of the fragment that writes it; empty for the operation.
_Written = tuple[SelectionSetNode, str]


@dataclass(frozen=True)
class Limits:
    """Each a maximum.

    In a selection set, fragments stand in the place of their spreads, and the selection sets of
    fields with one response key count as one, as execution merges them.

    Attributes:
        tokens: of the document.
        operations: of the document.
        depth: of nested fields.
        fields: of the document, with fragments in the place of their spreads.
        spreads: of the document, counted like `fields`; inline fragments are counted too.
        selection_fields: of one selection set.
        selection_spreads: of one selection set; inline fragments are counted too.
        repeats: of one response key in one selection set; of each further fragment that writes
            the key, one is not counted. Each component of a page has a fragment of its own, and
            each fragment asks for the id.
        merged_repeats: of one response key in one selection set, all of them.
        aliases: fields that are given another name.
        directives: applied in the document.
        root_fields: of one operation, meta fields and repetitions counted.
        mutations: root fields of one mutation.
        values: scalars, lists, objects and nulls in the variables of a request.
        cost: see `cost_of`.
    """

    tokens: int = 10_000
    operations: int = 10
    depth: int = 20
    fields: int = 1_000
    spreads: int = 300
    selection_fields: int = 300
    selection_spreads: int = 50
    repeats: int = 15
    merged_repeats: int = 50
    aliases: int = 100
    directives: int = 100
    root_fields: int = 50
    mutations: int = 10
    values: int = 10_000
    cost: int = 50_000


@dataclass
class _Size:
    """Size of a selection set, with fragments in the place of their spreads."""

    depth: int = 0
    fields: int = 0
    spreads: int = 0
    aliases: int = 0
    directives: int = 0

    def add(self, other: _Size, deeper: int = 0) -> None:
        self.depth = max(self.depth, other.depth + deeper)
        self.fields += other.fields
        self.spreads += other.spreads
        self.aliases += other.aliases
        self.directives += other.directives


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Checks what does not depend on types or variables.

    Raises:
        TooComplex: a limit is passed, or fragments go in a circle; names the limit and figures.
    """
    measure = _Measure(document)
    try:
        total = _Size()
        for root in measure.roots(limits):
            size = measure.definition(root)
            _check("depth", size.depth, limits.depth)
            total.add(size)
            _check("aliases", total.aliases, limits.aliases)
            _check("directives", total.directives, limits.directives)
            _check("fields", total.fields, limits.fields)
            _check("spreads", total.spreads, limits.spreads)
            if isinstance(root, OperationDefinitionNode):
                _check_root_fields(root, measure, limits)
            # After the totals: this takes a step for each field and spread that they count.
            measure.check_selections(root.selection_set, limits)
    except RecursionError as error:
        # A chain of fragments, each spreading the next, is as deep as it is long.
        raise TooComplex("The document is nested too deeply.", limit="depth") from error


def count_values(variables: Any, limits: Limits) -> int:
    """The number of values in variables; counting stops beyond `limits.values`."""
    count = 0
    pending = [variables]
    while pending and count <= limits.values:
        value = pending.pop()
        items = value.values() if isinstance(value, dict) else value
        count += len(items)
        pending.extend(item for item in items if isinstance(item, dict | list))
    return count


def check_values(count: int, limits: Limits) -> None:
    """Raises TooComplex for more values in variables than are allowed."""
    if count > limits.values:
        raise TooComplex(
            f"The variables have more than {limits.values} values.",
            limit="values",
            actual=count,
            max=limits.values,
        )


def _check_root_fields(
    operation: OperationDefinitionNode, measure: _Measure, limits: Limits
) -> None:
    roots = measure.root_fields(operation.selection_set)
    _check("root fields", roots, limits.root_fields)
    if operation.operation == OperationType.MUTATION:
        _check("mutations", roots, limits.mutations)


def _check(name: str, actual: int, maximum: int, where: str = "document") -> None:
    if actual > maximum:
        shown = min(actual, 10**9)
        raise TooComplex(
            f"The {where} has {name} of {shown}; at most {maximum} are allowed.",
            limit=name,
            actual=shown,
            max=maximum,
        )


class _Measure:
    """Sizes of selections; those of fragments are remembered."""

    def __init__(self, document: DocumentNode) -> None:
        self._definitions = document.definitions
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._sizes: dict[str, _Size | None] = {}
        self._roots: dict[str, int] = {}

    def roots(self, limits: Limits) -> Iterator[OperationDefinitionNode | FragmentDefinitionNode]:
        """The operations, and then the fragments that none of the roots before them spreads."""
        operations = [
            node for node in self._definitions if isinstance(node, OperationDefinitionNode)
        ]
        _check("operations", len(operations), limits.operations)
        yield from operations
        for node in self._definitions:
            if isinstance(node, FragmentDefinitionNode) and node.name.value not in self._sizes:
                yield node

    def definition(self, node: OperationDefinitionNode | FragmentDefinitionNode) -> _Size:
        if isinstance(node, FragmentDefinitionNode):
            return self.fragment(node.name.value)
        size = self.selections(node.selection_set, 0)
        size.directives += len(node.directives)
        size.directives += sum(len(variable.directives) for variable in node.variable_definitions)
        return size

    def fragment(self, name: str) -> _Size:
        if name in self._sizes:
            size = self._sizes[name]
            if size is None:
                raise TooComplex(f"The fragment {name} spreads itself.", limit="fragments")
            return size
        fragment = self._fragments.get(name)
        if fragment is None:
            return _Size()
        self._sizes[name] = None
        size = self.selections(fragment.selection_set, 0)
        size.directives += len(fragment.directives)
        self._sizes[name] = size
        return size

    def selections(self, selection_set: SelectionSetNode | None, level: int) -> _Size:
        size = _Size()
        if level > _MAX_RECURSION:
            raise TooComplex("The document is nested too deeply.", limit="depth")
        for node in selection_set.selections if selection_set else ():
            size.directives += len(node.directives)
            if isinstance(node, FieldNode):
                size.fields += 1
                size.aliases += node.alias is not None
                if node.selection_set is None:
                    size.depth = max(size.depth, 1)
                else:
                    size.add(self.selections(node.selection_set, level + 1), deeper=1)
            elif isinstance(node, InlineFragmentNode):
                size.spreads += 1
                size.add(self.selections(node.selection_set, level + 1))
            elif isinstance(node, FragmentSpreadNode):
                size.spreads += 1
                size.add(self.fragment(node.name.value))
        return size

    def root_fields(self, selection_set: SelectionSetNode) -> int:
        count = 0
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                count += 1
            elif isinstance(node, InlineFragmentNode):
                count += self.root_fields(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                if name not in self._roots and name in self._fragments:
                    self._roots[name] = 0
                    self._roots[name] = self.root_fields(self._fragments[name].selection_set)
                count += self._roots.get(name, 0)
        return count

    def check_selections(self, selection_set: SelectionSetNode, limits: Limits) -> None:
        """Checks the selection set and all below it, each as execution merges it."""
        pending: list[list[_Written]] = [[(selection_set, "")]]
        while pending:
            merged, spreads = self._merged(pending.pop())
            fields = sum(map(len, merged.values()))
            _check("selection fields", fields, limits.selection_fields, "selection set")
            _check("selection spreads", spreads, limits.selection_spreads, "selection set")
            for nodes in merged.values():
                if len(nodes) > min(limits.repeats, limits.merged_repeats):
                    _check("merged repeats", len(nodes), limits.merged_repeats, "selection set")
                    writers = len({writer for _, writer in nodes})
                    repeats = len(nodes) - writers + 1
                    _check("repeats", repeats, limits.repeats, "selection set")
                below = [(node.selection_set, by) for node, by in nodes if node.selection_set]
                if below:
                    pending.append(below)

    def _merged(self, sets: list[_Written]) -> tuple[dict[str, list[tuple[FieldNode, str]]], int]:
        """The fields of these selection sets by response key, and the number of their spreads.

        Each field comes with the name of the fragment that writes it, empty for the operation.
        """
        merged: dict[str, list[tuple[FieldNode, str]]] = {}
        spreads = 0
        seen: set[str] = set()
        pending = list(sets)
        while pending:
            selection_set, writer = pending.pop()
            for node in selection_set.selections:
                if isinstance(node, FieldNode):
                    key = node.alias or node.name
                    merged.setdefault(key.value, []).append((node, writer))
                    continue
                spreads += 1
                if isinstance(node, InlineFragmentNode):
                    pending.append((node.selection_set, writer))
                elif isinstance(node, FragmentSpreadNode) and (name := node.name.value) not in seen:
                    # Execution too visits a fragment once in a selection set.
                    seen.add(name)
                    if name in self._fragments:
                        pending.append((self._fragments[name].selection_set, name))
        return merged, spreads


def cost_of(
    schema: GraphQLSchema,
    fragments: dict[str, FragmentDefinitionNode],
    operation: OperationDefinitionNode,
    variables: dict[str, Any],
) -> int:
    """The cost of an operation, before it runs.

    A field that returns an object costs 1; a connection costs 2 and, for each item of its page,
    1 and what is selected of the item; a mutation costs 10 and what is selected of its payload.
    Leaf fields are free. Fields declare other costs by `cost` on their resolver: a function of
    (arguments, cost of the selection). Introspection costs 10,000, and of a single type 100.
    """
    root = schema.get_root_type(operation.operation)
    counter = _Cost(schema, fragments, variables)
    return counter.selections(root, operation.selection_set)


class _Cost:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: dict[str, FragmentDefinitionNode],
        variables: dict[str, Any],
    ) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = fragments
        self._costs: dict[str, int] = {}

    def selections(self, parent: Any, selection_set: SelectionSetNode | None) -> int:
        total = 0
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                total += self._field(parent, node)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else parent
                total += self.selections(inner, node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                total += self._fragment(node.name.value)
        return total

    def _fragment(self, name: str) -> int:
        if name not in self._costs:
            fragment = self._fragments[name]
            on = self._schema.get_type(fragment.type_condition.name.value)
            self._costs[name] = self.selections(on, fragment.selection_set)
        return self._costs[name]

    def _field(self, parent: Any, node: FieldNode) -> int:
        if node.name.value in _INTROSPECTION:
            return _INTROSPECTION[node.name.value]
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None or node.selection_set is None:
            return 0
        inner = self.selections(get_named_type(definition.type), node.selection_set)
        declared = getattr(definition.resolve, "cost", None)
        if declared is not None:
            return declared(lambda name: self._argument(node, name), inner)
        if isinstance(parent, GraphQLObjectType) and parent is self._schema.mutation_type:
            return 10 + inner
        return 1 + inner

    def _argument(self, node: FieldNode, name: str) -> Any:
        """The value of an integer argument, or the number of items of a list; None if not given."""
        for argument in node.arguments:
            if argument.name.value != name:
                continue
            value: Any = argument.value
            if isinstance(value, VariableNode):
                value = self._variables.get(value.name.value)
                return len(value) if isinstance(value, list) else value
            if isinstance(value, IntValueNode):
                return int(value.value)
            values = getattr(value, "values", None)
            return None if values is None else len(values)
        return None
