"""What changed in the schema from release to release, as clients need to know it.

    python -m schema.changes             writes docs/schema-changelog.md
    python -m schema.changes release     keeps today's SDL as that of the version in pyproject.toml

Each release has its SDL in schema/releases. Nothing is loaded but those texts.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import (
    DangerousChangeType,
    GraphQLEnumType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
    is_input_object_type,
    is_specified_scalar_type,
)

ROOT = Path(__file__).resolve().parent.parent
RELEASES = ROOT / "schema" / "releases"
CURRENT = ROOT / "schema" / "schema.graphql"
PAGE = ROOT / "docs" / "schema-changelog.md"

_INTRODUCTION = """# Schema changelog

<!-- Written by `make schema` from schema/releases and schema/schema.graphql. Do not edit. -->

What changed in the GraphQL schema, newest first. What is *breaking* can fail operations that
worked: a reason is told for each. What is *to know* a strict client may stumble over, such as a
new value of an enum. What is *new* breaks nothing; inputs and payloads of mutations, pages and
orderings of lists are not named beside what they belong to.
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """Differences between two schemas: sentences, in the order of the names they begin with.

    Attributes:
        breaking: operations that worked may fail.
        dangerous: clients that assume too much may stumble.
        deprecated: what is to go, with what to use instead.
        added: what is new, by its kind. Inputs and payloads of mutations, and pages and orderings
            of lists, are not told beside these.
    """

    breaking: list[str]
    dangerous: list[str]
    deprecated: list[str]
    added: dict[str, list[str]]


def changes(old: GraphQLSchema, new: GraphQLSchema) -> Changes:
    """What is different in `new`."""
    return Changes(
        breaking=sorted(change.description for change in find_breaking_changes(old, new)),
        dangerous=[
            *_values_added(old, new),
            *sorted(
                change.description
                for change in find_dangerous_changes(old, new)
                if change.type is not DangerousChangeType.VALUE_ADDED_TO_ENUM
            ),
        ],
        deprecated=sorted(set(_deprecated(new)) - set(_deprecated(old))),
        added=_added(old, new),
    )


def undeclared(found: list[str], release: str, declared: dict[str, Any]) -> list[str]:
    """Of the breaking differences from a release, those that declared.toml does not tell."""
    known = {entry["change"] for entry in declared.get(release, ()) if entry["reason"].strip()}
    return [change for change in found if change not in known]


def releases() -> list[str]:
    """The versions that are kept, oldest first."""
    names = [path.stem for path in RELEASES.glob("*.graphql")]
    return sorted(names, key=lambda name: [int(part) for part in name.split(".")])


def declared() -> dict[str, Any]:
    return tomllib.loads((RELEASES / "declared.toml").read_text())


def schema_of(release: str | None) -> GraphQLSchema:
    """The schema of a release; without one, today's."""
    path = RELEASES / f"{release}.graphql" if release else CURRENT
    return build_schema(path.read_text())


def page() -> str:
    """docs/schema-changelog.md."""
    reasons = declared()
    sections = []
    known = releases()
    for old, new in reversed(list(zip(known, [*known[1:], None], strict=True))):
        title = new or "Unreleased"
        told = {entry["change"]: entry["reason"] for entry in reasons.get(old, ())}
        found = changes(schema_of(old), schema_of(new))
        sections.append(f"## {title}\n\nSince {old}.\n\n{_section(found, told)}")
    first = schema_of(known[0])
    sections.append(f"## {known[0]}\n\nThe first that is kept: {_figures(first)}.\n")
    return "\n".join([_INTRODUCTION, *sections])


def _section(found: Changes, reasons: dict[str, str]) -> str:
    breaking = [f"{text} {reasons.get(text, '')}".strip() for text in found.breaking]
    parts = [
        ("Breaking", breaking),
        ("Deprecated", found.deprecated),
        ("To know", found.dangerous),
        *((f"New {kind}", texts) for kind, texts in found.added.items()),
    ]
    told = [
        f"### {name}\n\n" + "".join(f"- {text}\n" for text in texts)
        for name, texts in parts
        if texts
    ]
    return "\n".join(told) or "Nothing yet.\n"


def _figures(schema: GraphQLSchema) -> str:
    queries = len(schema.query_type.fields) if schema.query_type else 0
    mutations = len(schema.mutation_type.fields) if schema.mutation_type else 0
    return f"{queries} queries, {mutations} mutations, {len(_types(schema))} types"


def _types(schema: GraphQLSchema) -> dict[str, Any]:
    return {
        name: found
        for name, found in schema.type_map.items()
        if not name.startswith("__") and not is_specified_scalar_type(found)
    }


def _values_added(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[str]:
    """A sentence for each enum, where graphql-core has one for each value."""
    before = _types(old)
    for name, found in sorted(_types(new).items()):
        known = before.get(name)
        if isinstance(found, GraphQLEnumType) and isinstance(known, GraphQLEnumType):
            values = [f"`{value}`" for value in found.values if value not in known.values]
            if values:
                yield f"`{name}` may also be {', '.join(values)}."


def _added(old: GraphQLSchema, new: GraphQLSchema) -> dict[str, list[str]]:
    """New root fields and types, and new fields of types that were there."""
    before, after = _types(old), _types(new)
    added: dict[str, list[str]] = {"queries": [], "mutations": [], "fields": [], "types": []}
    roots = {"queries": (old.query_type, new.query_type)}
    roots["mutations"] = (old.mutation_type, new.mutation_type)
    for kind, (root, later) in roots.items():
        added[kind] = list(_fields_added(root, later, ""))
    names = {root.name for _, root in roots.values() if root}
    for name, found in sorted(after.items()):
        if name not in before:
            if not _goes_with(name, new):
                added["types"].append(f"`{name}`: {_first_sentence(found.description)}")
        # New fields of inputs are told as what to know.
        elif name not in names and not is_input_object_type(found):
            added["fields"] += _fields_added(before[name], found, f"{name}.")
    return added


def _fields_added(old: Any, new: Any, prefix: str) -> Iterator[str]:
    known = getattr(old, "fields", {})
    for name, field in sorted(getattr(new, "fields", {}).items()):
        if name not in known:
            yield f"`{prefix}{name}`: {_first_sentence(field.description)}"


def _goes_with(name: str, schema: GraphQLSchema) -> bool:
    """Whether a type is there for a mutation or a list that is told by itself."""
    for suffix in ("Input", "Payload"):
        stem = name.removesuffix(suffix)
        field = stem[:1].lower() + stem[1:]
        if stem != name and schema.mutation_type and field in schema.mutation_type.fields:
            return True
    return name.endswith(("Connection", "Edge", "OrderField")) or f"{name}Field" in schema.type_map


def _deprecated(schema: GraphQLSchema) -> Iterator[str]:
    for name, found in _types(schema).items():
        members = found.values if isinstance(found, GraphQLEnumType) else None
        for member, item in (members or getattr(found, "fields", {})).items():
            if item.deprecation_reason:
                yield f"`{name}.{member}`: {item.deprecation_reason}"
            for argument, told in getattr(item, "args", {}).items():
                if told.deprecation_reason:
                    yield f"`{name}.{member}({argument})`: {told.deprecation_reason}"


def _first_sentence(description: str | None) -> str:
    text = " ".join((description or "").split())
    head, stop, _ = text.partition(". ")
    return f"{head}." if stop else text


def main(arguments: list[str]) -> None:
    if arguments == ["release"]:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        kept = RELEASES / f"{project['project']['version']}.graphql"
        if kept.exists():
            raise SystemExit(f"{kept.name} is kept already: raise the version first.")
        kept.write_text(CURRENT.read_text())
    elif arguments:
        raise SystemExit(__doc__)
    PAGE.write_text(page())


if __name__ == "__main__":
    main(sys.argv[1:])
