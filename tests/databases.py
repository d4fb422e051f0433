"""The tests' database, for threads and for other processes."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections, transaction

from shop.actions.customers.roles import ROLE_OF_GROUP, keep_groups

# Django's name of the test database on SQLite.
_IN_MEMORY = "file:memorydb_default?mode=memory&cache=shared"


@contextmanager
def migrated_before() -> Iterator[None]:
    """On SQLite, restores the tables that an earlier run with the same migrations made.

    `migrate` then finds nothing to do, which saves each test process several seconds.
    """
    template = _template()
    if connection.vendor != "sqlite" or not template.exists():
        yield
        return
    with closing(sqlite3.connect(_IN_MEMORY, uri=True)) as memory:
        with closing(sqlite3.connect(template)) as kept:
            kept.backup(memory)
        yield


def keep_migrated() -> None:
    """On SQLite, stores the tables as migrated, for `migrated_before` of later runs."""
    template = _template()
    if connection.vendor != "sqlite" or template.exists():
        return
    own = template.with_suffix(f".{os.getpid()}")
    own.unlink(missing_ok=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(own)])
    # In one step: other processes of the run do the same.
    own.replace(template)
    for older in template.parent.glob("migrated-*.sqlite3"):
        if older != template:
            older.unlink(missing_ok=True)


def migrated_file(path: Path) -> str:
    """Makes a migrated, empty SQLite database in the file `path`. Returns its DATABASE_URL."""
    url = f"sqlite:///{path}"
    if _template().exists():
        shutil.copyfile(_template(), path)
    else:
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        environment = os.environ | {"DATABASE_URL": url}
        subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=True)
    return url


def _template() -> Path:
    """The file for these migrations, of all apps, under this version of Django."""
    digest = hashlib.sha256(django.get_version().encode())
    for app in apps.get_app_configs():
        for path in sorted(Path(app.path).glob("migrations/*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return settings.VAR_DIR / f"migrated-{digest.hexdigest()[:16]}.sqlite3"


@contextmanager
def moved_to(path: Path) -> Iterator[None]:
    """Has tests use a copy of their SQLite database, in the file `path`."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])
    usual = connection.settings_dict["NAME"]
    # In memory the database lives as long as a connection to it.
    kept = connections["default"].connection
    connections["default"].connection = None
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
        connections["default"].connection = kept


def database_url() -> str:
    """The DATABASE_URL of the database that tests use now: a file of SQLite, or a server's."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    scheme, usual = {"postgresql": ("postgres", 5432), "mysql": ("mysql", 3306)}[connection.vendor]
    host, port = found["HOST"] or "127.0.0.1", found["PORT"] or usual
    password = f":{found['PASSWORD']}" if found["PASSWORD"] else ""
    return f"{scheme}://{found['USER']}{password}@{host}:{port}/{found['NAME']}"


def empty() -> None:
    """Deletes all rows but those that the migrations leave, which are as before.

    As `flush`, for tests that leave a few rows: emptying every table by TRUNCATE, and looking for
    each permission, takes longer than most of them.
    """
    lasting = (Permission, ContentType, Group, Group.permissions.through)
    kept = {model._meta.db_table for model in lasting}
    with (
        connection.constraint_checks_disabled(),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        if connection.vendor == "postgresql":
            # As TRUNCATE, it waits for what others have begun to write.
            each = ", ".join(f'"{name}"' for name in _tables())
            cursor.execute(f"LOCK TABLE {each} IN SHARE ROW EXCLUSIVE MODE")
        for name in filled_tables() - kept:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")
        Group.objects.exclude(name__in=ROLE_OF_GROUP).delete()
        keep_groups()


def vacuum() -> None:
    """Returns the space of dead rows, on PostgreSQL; not to be called in a transaction.

    Tests that are rolled back leave dead rows too. Where the server does not vacuum by itself
    (autovacuum off), tables grow with every test of a run, and so does the time of a sequential
    scan: a test of thousands of statements took ten times as long at the end of the suite.
    """
    if connection.vendor == "postgresql":
        each = ", ".join(f'"{name}"' for name in _tables())
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM {each}")


def filled_tables() -> set[str]:
    """The tables that have rows."""
    each = (
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(name)})"
        for name in _tables()
    )
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return {name for (name,) in cursor.fetchall()}


def _tables() -> list[str]:
    return connection.introspection.django_table_names(only_existing=True, include_views=False)
