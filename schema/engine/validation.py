"""Parsing and validating documents, in time linear in their length.

Hostile documents reach every rule of graphql-core, and some rules take time that grows faster than
the document. The limits (`schema.engine.limits`) are checked before any rule runs, and bound them:

- OverlappingFieldsCanBeMerged compares all pairs of fields with one response key in a merged
  selection set: at most `repeats` / 2 comparisons for each of at most `fields` fields, and
  `merged_repeats` / 2 where each comes with the bytes of another fragment. It also
  compares all pairs of fragments that are spread in a selection set: at most
  `selection_spreads` / 2 comparisons for each of at most `spreads` spreads. Both hold at every
  level, because the counts are those of merged selection sets: fields that are nested in a pair
  are themselves a pair of the merged selection set below, and are counted there.
- NoUndefinedVariables, NoUnusedVariables, VariablesInAllowedPosition and NoUnusedFragments follow
  the fragments of each operation: at most `operations` times the length of the document, and in all
  no more spreads than `spreads`.
- NoFragmentCycles follows each spread once. Cycles are refused before it runs.
- PossibleFragmentSpreads and FieldsOnCorrectType look at the possible types of a type, and
  ProvidedRequiredArguments and ValuesOfCorrectType at the arguments or input fields of a type: as
  many as the schema has, for each of at most `tokens` nodes.
- All other rules do one step for each node, name, argument, directive, variable or value: at most
  `tokens` steps. Comments count as tokens. Names, strings and white space are read by regular
  expressions and slices, once for each character.
- Errors are expensive: their locations, suggestions and texts. At most `MAX_ERRORS` are made, equal
  ones are told once, texts are cut, and the lines of a document are found once for all its errors.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    Source,
    SourceLocation,
    ValueNode,
    ValuesOfCorrectTypeRule,
    specified_rules,
    validate,
)
from graphql.language.parser import Parser
from graphql.validation.validate import ValidationAbortedError

from schema.engine.errors import TooComplex
from schema.engine.limits import Limits, check_document

MAX_ERRORS = 10
_NEWLINE = re.compile(r"\r\n|[\n\r]")


@dataclass(frozen=True, slots=True)
class Parsed:
    """Result of parsing and validating a text.

    Attributes:
        ast: the document; None when it could not be parsed or is beyond a limit.
        errors: why the document cannot be executed; empty when it can.
        tokens: that were read, comments counted.
    """

    ast: DocumentNode | None
    errors: list[GraphQLError]
    tokens: int


class IndexedSource(Source):
    """A source that finds its lines once, however many errors ask where they are."""

    @cached_property
    def _lines(self) -> tuple[list[int], list[int]]:
        breaks = [match.span() for match in _NEWLINE.finditer(self.body)]
        return [start for start, _ in breaks], [end for _, end in breaks]

    def get_location(self, position: int) -> SourceLocation:
        starts, ends = self._lines
        before = bisect_left(starts, position)
        line_start = ends[before - 1] if before else 0
        return SourceLocation(before + 1, position + 1 - line_start)


class LocatedValuesRule(ValuesOfCorrectTypeRule):
    """Gives the errors that scalars raise the location of the value."""

    _value: ValueNode | None = None

    def is_valid_value_node(self, node: ValueNode) -> None:
        self._value = node
        super().is_valid_value_node(node)

    def report_error(self, error: GraphQLError) -> None:
        if not error.nodes:
            error = GraphQLError(error.message, self._value, extensions=error.extensions)
        super().report_error(error)


_RULES = tuple(
    LocatedValuesRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules
)


def parse_and_validate(
    schema: GraphQLSchema, text: str, limits: Limits, *, introspection: bool
) -> Parsed:
    """The document of `text`, checked.

    Args:
        introspection: whether documents may ask for the schema, and errors suggest names of it.
    """
    parser = Parser(IndexedSource(text), max_tokens=limits.tokens)
    try:
        ast = parser.parse_document()
        check_document(ast, limits)
    except GraphQLError as error:
        # The parser has no public count. It reads one token more than it allows.
        tokens = min(parser._token_counter, limits.tokens)
        if f"more than {limits.tokens} tokens" in error.message:
            message = f"The document has more than {limits.tokens} tokens."
            error = TooComplex(message, limit="tokens", max=limits.tokens)
        return Parsed(None, [error], tokens)
    except RecursionError:
        deep = TooComplex("The document is nested too deeply.", limit="depth")
        return Parsed(None, [deep], parser._token_counter)
    rules = _RULES
    if not introspection:
        rules = (*_RULES, NoSchemaIntrospectionCustomRule)
    errors = validate(schema, ast, rules, MAX_ERRORS, hide_suggestions=not introspection)
    return Parsed(ast, _told(errors), parser._token_counter)


def _told(errors: Iterable[GraphQLError]) -> list[GraphQLError]:
    """The errors, each message once; the error that validation stopped only if it is alone."""
    messages: dict[str, GraphQLError] = {}
    aborted = None
    for error in errors:
        if isinstance(error, ValidationAbortedError):
            aborted = TooComplex("The document is too complex to validate.", limit="validation")
        else:
            messages.setdefault(error.message, error)
    return list(messages.values()) or ([aborted] if aborted else [])
