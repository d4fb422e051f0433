"""Reads the models into plain tables, in words that do not depend on the database engine."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import groupby
from typing import Any

from django.apps import apps
from django.db import models

from shop.management.erd.rules import rules_of

APP = "shop"
MODELS_PACKAGE = "shop.models."

# The committed diagram is the same whatever engine the command runs on, so the names are fixed
# here instead of asked of a connection.
_TYPES = {
    "AutoField": "integer",
    "BigAutoField": "bigint",
    "BigIntegerField": "bigint",
    "BinaryField": "blob",
    "BooleanField": "boolean",
    "CharField": "varchar",
    "DateTimeField": "timestamp",
    "DecimalField": "numeric",
    "FileField": "varchar",
    "FloatField": "double",
    "GenericIPAddressField": "inet",
    "IntegerField": "integer",
    "JSONField": "json",
    "PositiveBigIntegerField": "bigint",
    "PositiveIntegerField": "integer",
    "PositiveSmallIntegerField": "smallint",
    "SlugField": "varchar",
    "SmallIntegerField": "smallint",
}


@dataclass(frozen=True)
class Column:
    """A column; with a `target` it is a foreign key, made by the model's field `label`."""

    name: str
    type: str
    label: str
    is_primary: bool = False
    is_unique: bool = False
    is_null: bool = False
    is_generated: bool = False
    target: str | None = None

    @property
    def keys(self) -> list[str]:
        flags = (("PK", self.is_primary), ("FK", self.target), ("UK", self.is_unique))
        return [key for key, flag in flags if flag]


@dataclass(frozen=True)
class Table:
    """The table of one model, or one that Django makes for a many-to-many field."""

    name: str
    domain: str
    db_table: str
    summary: str
    columns: tuple[Column, ...]
    rules: tuple[str, ...]

    @property
    def primary_row(self) -> int:
        return next(row for row, column in enumerate(self.columns) if column.is_primary)


@dataclass(frozen=True)
class Domain:
    """The tables of one module of models."""

    name: str
    summary: str
    tables: tuple[Table, ...]


def read_domains() -> list[Domain]:
    """Every table of the shop by domain, then the tables of Django that it refers to.

    A domain comes after those that it refers to.
    """
    registered = [
        model
        for model in apps.get_app_config(APP).get_models(include_auto_created=True)
        if not model._meta.proxy
    ]
    # Django makes the tables of many-to-many fields whenever the other model happens to load.
    made = sorted((m for m in registered if m._meta.auto_created), key=lambda m: m.__name__)
    own = [model for model in registered if not model._meta.auto_created] + made
    referred = {field.related_model for model in own for field in _foreign_keys(model)}
    foreign = sorted(referred - set(own), key=lambda model: model._meta.label)
    known = {*own, *foreign}
    return [*_referred_first(_by_domain(own, known)), *_by_domain(foreign, known)]


def _by_domain(
    members: Iterable[type[models.Model]], known: set[type[models.Model]]
) -> list[Domain]:
    tables = sorted((_table(model, known) for model in members), key=lambda table: table.domain)
    return [
        Domain(name, _domain_summary(name), tuple(group))
        for name, group in groupby(tables, key=lambda table: table.domain)
    ]


def _referred_first(domains: list[Domain]) -> list[Domain]:
    by_name = {domain.name: domain for domain in domains}
    home = {table.name: domain.name for domain in domains for table in domain.tables}
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(by_name, ()))
    for domain in domains:
        targets = {column.target for table in domain.tables for column in table.columns}
        homes = {home[target] for target in targets if target in home}
        sorter.add(domain.name, *(homes - {domain.name}))
    try:
        sorter.prepare()
    except CycleError:
        return domains
    ordered: list[Domain] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += (by_name[name] for name in ready)
        sorter.done(*ready)
    return ordered


def _foreign_keys(model: type[models.Model]) -> Iterable[Any]:
    return (field for field in model._meta.local_concrete_fields if field.remote_field)


def _table(model: type[models.Model], known: set[type[models.Model]]) -> Table:
    meta = model._meta
    return Table(
        name=model.__name__,
        domain=_domain_name(model),
        db_table=meta.db_table,
        summary=_summary(model),
        columns=tuple(_column(field, known) for field in meta.local_concrete_fields),
        rules=tuple(rules_of(model)) if meta.app_label == APP else (),
    )


def _column(field: Any, known: set[type[models.Model]]) -> Column:
    target = field.related_model if field.remote_field else None
    return Column(
        name=field.column,
        type=_type(field),
        label=field.name,
        is_primary=field.primary_key,
        is_unique=field.unique and not field.primary_key,
        is_null=field.null,
        is_generated=field.generated,
        target=target.__name__ if target in known else None,
    )


def _type(field: Any) -> str:
    if field.remote_field:
        return _type(field.target_field)
    if field.generated:
        return _type(field.output_field)
    internal = field.get_internal_type()
    name = _TYPES.get(internal, internal.removesuffix("Field").lower())
    return f"{name}({field.max_length})" if name == "varchar" else name


def _domain_name(model: type[models.Model]) -> str:
    if model._meta.app_label != APP:
        return model._meta.app_label
    return model.__module__.removeprefix(MODELS_PACKAGE).partition(".")[0]


def _domain_summary(name: str) -> str:
    module = sys.modules.get(MODELS_PACKAGE + name)
    if module is None:
        return "Django's own tables, as far as the shop refers to them."
    return _first_paragraph(module.__doc__)


def _summary(model: type[models.Model]) -> str:
    meta: Any = model._meta
    if meta.auto_created:
        owner, field = meta.auto_created, _many_to_many_of(model)
        return f"Made by Django for `{owner.__name__}.{field}`."
    if meta.app_label != APP:
        return f"Of Django's `{meta.app_label}`."
    # Where a model has no docstring, Django writes its signature there.
    is_signature = (model.__doc__ or "").startswith(f"{model.__name__}(")
    return "" if is_signature else _first_paragraph(model.__doc__)


def _many_to_many_of(through: type[models.Model]) -> str:
    owner: Any = through._meta.auto_created
    return next(f.name for f in owner._meta.local_many_to_many if f.remote_field.through is through)


def _first_paragraph(text: str | None) -> str:
    return " ".join((text or "").strip().split("\n\n")[0].split())
