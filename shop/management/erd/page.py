"""Writes the page: the diagram in Mermaid, which GitHub draws, and every table in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shop.management.erd.tables import Column, Domain, Table

_HEAD = """\
# Entity-relationship diagram

<!-- Written by `make erd` from shop/models. Do not edit: `make check` compares. -->

![The tables of the shop and how they refer to one another](erd.svg)

The same in Mermaid, then each table in words. Foreign keys and unique columns have an index \
without being listed; a generated column is computed by the database.
"""


def draw_page(domains: list[Domain]) -> str:
    """The whole of `docs/erd.md`."""
    return "\n".join([_HEAD, *_mermaid(domains), *_sections(domains)])


def _mermaid(domains: Iterable[Domain]) -> Iterator[str]:
    tables = [table for domain in domains for table in domain.tables]
    yield "```mermaid\nerDiagram"
    for table in tables:
        yield f"    {table.name} {{"
        yield from (f"        {_attribute(column)}" for column in table.columns)
        yield "    }"
    for table in tables:
        for column in table.columns:
            if column.target:
                line = f"{column.target} {_cardinality(column)} {table.name}"
                yield f"    {line} : {column.label}"
    yield "```\n"


def _attribute(column: Column) -> str:
    notes = [
        note
        for note, applies in (("generated", column.is_generated), ("null", column.is_null))
        if applies
    ]
    parts = [column.type, column.name, ", ".join(column.keys)]
    if notes:
        parts.append(f'"{", ".join(notes)}"')
    return " ".join(filter(None, parts))


def _cardinality(column: Column) -> str:
    one = "|o" if column.is_null else "||"
    many = "o|" if column.is_unique or column.is_primary else "o{"
    return f"{one}--{many}"


def _sections(domains: Iterable[Domain]) -> Iterator[str]:
    for domain in domains:
        yield f"## {domain.name.capitalize()}\n\n{domain.summary}\n"
        for table in domain.tables:
            yield from _section(table)


def _section(table: Table) -> Iterator[str]:
    yield f"### {table.name}\n\n" + f"{table.summary} Table `{table.db_table}`.".strip() + "\n"
    if table.rules:
        yield "\n".join(f"- {rule}" for rule in table.rules) + "\n"
