"""Trusted operations: documents of our own, reviewed and named, that any client may run.

Each is a file of `schema/operations`, named as its path below /api/ is: `product-list.graphql`
holds the operation ProductList. The comment at its top is its description. Fragments lie in one
file, and are appended to the operations that spread them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from django.core.exceptions import ImproperlyConfigured
from graphql import (
    DefinitionNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    Source,
    TypeNode,
    parse,
    type_from_ast,
    validate,
    visit,
)
from graphql import GraphQLNonNull as NonNull
from graphql.language import Visitor

from schema.permissions import ANYONE, permission_of, sentence
from schema.root import schema

FOLDER = Path(__file__).parent / "operations"
_FRAGMENTS = "fragments.graphql"
# Variables whose values are secrets: addresses end up in logs and histories.
_SECRET = "token"  # noqa: S105 - the name of a variable.


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One trusted operation.

    Attributes:
        name: of the operation, such as "ProductList".
        slug: the same in kebab-case: its file, and its path below /api/.
        kind: what it is.
        text: the whole document, fragments included.
        sha256: of the text, in hexadecimal, by which clients may ask for it.
        summary: the first sentence of the description.
        description: all of it, in Markdown.
        access: who may run it, in sentences.
        is_public: whether nobody needs to be signed in.
        ast: the operation.
        document: the operation and its fragments.
        takes_files: whether a variable must hold an upload, which only GraphQL takes.
        is_lookup: whether it looks one thing up that may not be there.
    """

    name: str
    slug: str
    kind: Literal["query", "mutation"]
    text: str
    sha256: str
    summary: str
    description: str
    access: str
    is_public: bool
    ast: OperationDefinitionNode = field(repr=False)
    document: DocumentNode = field(repr=False)
    takes_files: bool
    is_lookup: bool

    @property
    def secrets(self) -> tuple[str, ...]:
        """Variables of a query that never stand in an address."""
        if self.kind == "mutation":
            return ()
        return tuple(name for name in self.variables if name == _SECRET)

    @property
    def variables(self) -> dict[str, TypeNode]:
        """The types of the variables, by their names."""
        return {node.variable.name.value: node.type for node in self.ast.variable_definitions}

    @property
    def root_fields(self) -> list[str]:
        """Names of the fields that it selects at its root."""
        selections = self.ast.selection_set.selections
        return [node.name.value for node in selections if isinstance(node, FieldNode)]

    @property
    def required(self) -> tuple[str, ...]:
        """Variables that must be given."""
        return tuple(
            node.variable.name.value
            for node in self.ast.variable_definitions
            if node.type.kind == "non_null_type" and node.default_value is None
        )

    @property
    def takes_input(self) -> bool:
        """Whether `input` is its only variable: the body of a request then is the input itself."""
        return self.kind == "mutation" and list(self.variables) == ["input"]

    @property
    def methods(self) -> tuple[str, ...]:
        """Of HTTP, below /api/; none if it takes files.

        Mutations are posted. Queries come by GET; what takes a secret may be posted, and must be
        where the secret is required.
        """
        if self.takes_files:
            return ()
        if self.kind == "mutation" or set(self.secrets) & set(self.required):
            return ("POST",)
        return ("GET", "POST") if self.secrets else ("GET",)


@cache
def operations() -> Mapping[str, Operation]:
    """The trusted operations by name.

    Raises:
        ImproperlyConfigured: a file holds no valid operation; names the file.
    """
    return load(FOLDER, schema.graphql_schema)


def load(folder: Path, graphql_schema: GraphQLSchema) -> Mapping[str, Operation]:
    """The operations of a folder, by name. Raises as `operations` does."""
    paths = sorted(path for path in folder.glob("*.graphql") if path.name != _FRAGMENTS)
    fragments = _fragments(folder / _FRAGMENTS)
    asts = [_operation(path) for path in paths]
    # All at once, so that fragments are validated once, whoever spreads them.
    errors = validate(graphql_schema, DocumentNode(definitions=(*asts, *fragments.values())))
    if errors:
        raise ImproperlyConfigured(f"{_file_of(errors[0])}: {errors[0].message}")
    found = [
        _described(path, ast, fragments, graphql_schema)
        for path, ast in zip(paths, asts, strict=True)
    ]
    return MappingProxyType({operation.name: operation for operation in found})


def slug_of(name: str) -> str:
    """The kebab-case of an operation's name: "ProductList" is "product-list"."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _described(
    path: Path,
    ast: OperationDefinitionNode,
    fragments: dict[str, FragmentDefinitionNode],
    graphql_schema: GraphQLSchema,
) -> Operation:
    definitions = (ast, *_spread(ast, fragments))
    text = "\n".join(map(_text_of, definitions))
    comment = _comment(_body_of(ast))
    if not comment.endswith("."):
        raise _bad(path, "It begins with no description in whole sentences.")
    access, is_public = _access(ast, graphql_schema)
    return Operation(
        name=ast.name.value if ast.name else "",
        slug=path.stem,
        kind="mutation" if ast.operation.value == "mutation" else "query",
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        summary=re.split(r"(?<=\.)\s", comment, maxsplit=1)[0],
        description=comment,
        access=access,
        is_public=is_public,
        ast=ast,
        document=DocumentNode(definitions=definitions),
        is_lookup=_is_lookup(ast, graphql_schema),
        takes_files=any(
            _needs_file(node.type, graphql_schema) for node in ast.variable_definitions
        ),
    )


def _operation(path: Path) -> OperationDefinitionNode:
    (first, *others) = _parsed(path).definitions
    if others or not isinstance(first, OperationDefinitionNode):
        raise _bad(path, "A file holds one operation and nothing else.")
    name = first.name.value if first.name else ""
    if slug_of(name) != path.stem:
        raise _bad(path, f"The operation is called {name or 'nothing'}, unlike its file.")
    return first


def _fragments(path: Path) -> dict[str, FragmentDefinitionNode]:
    """The fragments by name."""
    definitions = _parsed(path).definitions if path.exists() else ()
    found = {}
    for node in definitions:
        if not isinstance(node, FragmentDefinitionNode):
            raise _bad(path, "It holds fragments only.")
        found[node.name.value] = node
    return found


def _parsed(path: Path) -> DocumentNode:
    try:
        return parse(Source(path.read_text(), f"{path.parent.name}/{path.name}"))
    except GraphQLError as error:
        raise _bad(path, error.message) from error


def _spread(
    node: OperationDefinitionNode | FragmentDefinitionNode,
    fragments: dict[str, FragmentDefinitionNode],
) -> list[FragmentDefinitionNode]:
    """The fragments that a definition spreads, also by way of others."""
    wanted: dict[str, FragmentDefinitionNode] = {}

    class Collect(Visitor):
        def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
            name = node.name.value
            if name not in wanted:
                wanted[name] = fragments[name]
                visit(fragments[name], Collect())

    visit(node, Collect())
    return list(wanted.values())


def _text_of(node: DefinitionNode) -> str:
    location: Any = node.loc
    return _body_of(node)[location.start : location.end] + "\n"


def _body_of(node: DefinitionNode) -> str:
    """The file that a definition is in."""
    location: Any = node.loc
    return location.source.body


def _comment(text: str) -> str:
    """The description at the top of a file."""
    lines = takewhile(lambda line: line.startswith("#"), text.strip().splitlines())
    said = "\n".join(line.removeprefix("#").strip() for line in lines)
    # An empty line of a comment parts paragraphs; others are only there for the width.
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in said.split("\n\n")).strip()


def _file_of(error: GraphQLError) -> str:
    location: Any = error.nodes[0].loc if error.nodes else None
    return location.source.name if location else "operations"


def _access(ast: OperationDefinitionNode, graphql_schema: GraphQLSchema) -> tuple[str, bool]:
    """Who may read or do what the root fields are about."""
    root: Any = graphql_schema.get_root_type(ast.operation)
    said: dict[str, bool] = {}
    for node in ast.selection_set.selections:
        if isinstance(node, FieldNode):
            for permission, own_rows in permission_of(root, node.name.value):
                said[sentence(permission, own_rows=own_rows)] = permission == ANYONE
    return " ".join(said), all(said.values())


def _is_lookup(ast: OperationDefinitionNode, graphql_schema: GraphQLSchema) -> bool:
    root: Any = graphql_schema.get_root_type(ast.operation)
    (node, *others) = ast.selection_set.selections
    if others or ast.operation.value != "query" or not isinstance(node, FieldNode):
        return False
    # Without an argument it is about who asks, who need not be anybody.
    return bool(node.arguments) and not isinstance(root.fields[node.name.value].type, NonNull)


def _needs_file(node: TypeNode, graphql_schema: GraphQLSchema) -> bool:
    type_: Any = type_from_ast(graphql_schema, node)
    if not isinstance(type_, NonNull):
        return False
    fields = getattr(type_.of_type, "fields", {})
    return any(str(item.type) == "Upload!" for item in fields.values())


def _bad(path: Path, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{path.parent.name}/{path.name}: {why}")
