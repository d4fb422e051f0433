"""Trusted operations: documents of our own, reviewed and named, that any client may run.

Each is a file of `schema/operations`, named as its path below /api/ is: `product-list.graphql`
holds the operation ProductList. The comment at its top is its description. Fragments lie in one
file, and are appended to the operations that spread them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from django.core.exceptions import ImproperlyConfigured
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
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
    fragments = _fragments(folder / _FRAGMENTS)
    found = {}
    for path in sorted(folder.glob("*.graphql")):
        if path.name != _FRAGMENTS:
            operation = _load(path, fragments, graphql_schema)
            found[operation.name] = operation
    return MappingProxyType(found)


def manifested(paths: Iterable[str]) -> list[str]:
    """The documents of front ends that are trusted as well, from the files that their tools write.

    Args:
        paths: of manifests of persisted queries, Apollo's (`{"operations": [{"id", "body"}]}`) or
            Relay's (`{id: document}`), where each id is the SHA-256 of its document.

    Raises:
        ImproperlyConfigured: a file cannot be read, or a document is not valid; names the file.
    """
    return [text for path in paths for text in _manifest(Path(path))]


def _manifest(path: Path) -> list[str]:
    try:
        content = json.loads(path.read_text())
        listed = content.get("operations")
        texts = {item["id"]: item["body"] for item in listed} if listed is not None else content
        for digest, text in texts.items():
            if hashlib.sha256(text.encode()).hexdigest() != digest:
                raise _bad(path, f"The id {digest} is not the SHA-256 of its document.")
            errors = validate(schema.graphql_schema, parse(text))
            if errors:
                raise _bad(path, f"{digest}: {errors[0].message}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, GraphQLError) as error:
        raise _bad(path, f"It is no manifest of persisted queries ({error}).") from error
    return list(texts.values())


def slug_of(name: str) -> str:
    """The kebab-case of an operation's name: "ProductList" is "product-list"."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _load(path: Path, fragments: dict[str, str], graphql_schema: GraphQLSchema) -> Operation:
    comment, source = _split(path.read_text())
    ast = _operation(path, source)
    text = "\n".join([source, *_spread(ast, fragments)])
    document = parse(text)
    errors = validate(graphql_schema, document)
    if errors:
        raise _bad(path, errors[0].message)
    name = ast.name.value if ast.name else ""
    if slug_of(name) != path.stem:
        raise _bad(path, f"The operation is called {name or 'nothing'}, unlike its file.")
    if not comment.endswith("."):
        raise _bad(path, "It begins with no description in whole sentences.")
    access, is_public = _access(ast, graphql_schema)
    return Operation(
        name=name,
        slug=path.stem,
        kind="mutation" if ast.operation.value == "mutation" else "query",
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        summary=re.split(r"(?<=\.)\s", comment, maxsplit=1)[0],
        description=comment,
        access=access,
        is_public=is_public,
        ast=ast,
        document=document,
        is_lookup=_is_lookup(ast, graphql_schema),
        takes_files=any(
            _needs_file(node.type, graphql_schema) for node in ast.variable_definitions
        ),
    )


def _split(text: str) -> tuple[str, str]:
    """The description at the top of a file, and the rest."""
    lines = text.strip().splitlines()
    above = 0
    while above < len(lines) and lines[above].startswith("#"):
        above += 1
    said = [line.removeprefix("#").strip() for line in lines[:above]]
    # An empty line of a comment parts paragraphs; others are only there for the width.
    paragraphs = "\n".join(said).split("\n\n")
    description = "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)
    return description.strip(), "\n".join(lines[above:]).strip() + "\n"


def _operation(path: Path, source: str) -> OperationDefinitionNode:
    try:
        definitions = parse(source).definitions
    except GraphQLError as error:
        raise _bad(path, error.message) from error
    (first, *others) = definitions
    if others or not isinstance(first, OperationDefinitionNode):
        raise _bad(path, "A file holds one operation and nothing else.")
    return first


def _fragments(path: Path) -> dict[str, str]:
    """The text of each fragment, by name."""
    if not path.exists():
        return {}
    source = path.read_text()
    try:
        definitions = parse(source).definitions
    except GraphQLError as error:
        raise _bad(path, error.message) from error
    found = {}
    for node in definitions:
        if not isinstance(node, FragmentDefinitionNode) or node.loc is None:
            raise _bad(path, "It holds fragments only.")
        found[node.name.value] = source[node.loc.start : node.loc.end] + "\n"
    return found


def _spread(ast: OperationDefinitionNode, fragments: dict[str, str]) -> list[str]:
    """The texts of the fragments that an operation spreads, also by way of others."""
    wanted: dict[str, str] = {}

    class Collect(Visitor):
        def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
            name = node.name.value
            # One that is missing is told by validation.
            if name in fragments and name not in wanted:
                wanted[name] = fragments[name]
                visit(parse(fragments[name]), Collect())

    visit(ast, Collect())
    return list(wanted.values())


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
