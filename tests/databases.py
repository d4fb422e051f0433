"""The tests' database, for threads and for other processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, connections


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
