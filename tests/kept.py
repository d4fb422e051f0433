"""Rows that hundreds of tests find: made once in a process, and copied within the database."""

import pickle
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test import override_settings

from shop.models import OutboxEvent
from tests.databases import empty, filled_tables

HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class Kept:
    """What a fixture makes, and all rows that came of it, under the ids that they had.

    Making them takes some hundred statements, and all that the shop thinks of them; copying them,
    one for each table. Events of the copies count as dispatched.

    Args:
        name: of this one, among others of the process.
        make: writes the rows, into tables that have none. What it returns is pickled.
    """

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        self._copies: list[str] = []
        # As Django's own TestCase: what is called outside transactions may be called within this.
        around: Any = transaction.atomic()
        around._from_testcase = True
        with override_settings(BACKGROUND="inline", PASSWORD_HASHERS=HASHERS), around:
            before = filled_tables()
            self._made = pickle.dumps(make())
            OutboxEvent.objects.filter(dispatched_at=None).update(dispatched_at=Now())
            for table in filled_tables() - before:
                self._keep(table, f"kept_{name}_{len(self._copies)}")
            connection.run_on_commit.clear()
        empty()

    def copied(self) -> Any:
        """Writes the rows, and returns what came of making them."""
        # What refers to rows of other tables may come before them.
        with (
            connection.constraint_checks_disabled(),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            for copy in self._copies:
                cursor.execute(copy)
        return pickle.loads(self._made)

    def _keep(self, table: str, kept: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {kept} AS SELECT * FROM {table}")
        columns = _columns(table)
        self._copies.append(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {kept}")


def _columns(table: str) -> str:
    """What can be written: the database computes the others."""
    models = apps.get_models(include_auto_created=True)
    (model,) = (model for model in models if model._meta.db_table == table)
    names = (field.column for field in model._meta.concrete_fields if not field.generated)
    return ", ".join(map(connection.ops.quote_name, names))
