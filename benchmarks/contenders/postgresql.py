"""The PostgreSQL server that benchmarks make databases of their own on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg2


def server() -> str:
    """The address of the server, as DATABASE_URL names it.

    Raises:
        SystemExit: it names another kind of database.
    """
    url = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
    if not url.startswith("postgres"):
        print("DATABASE_URL must name a PostgreSQL server.")
        raise SystemExit(2)
    return url


@contextmanager
def fresh_database(url: str, name: str) -> Iterator[str]:
    """The address of an empty database of this name, which is dropped in the end."""
    administer(url, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        administer(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def administer(url: str, *statements: str) -> None:
    """Runs these statements, each by itself."""
    with connected(url) as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def connected(url: str) -> Iterator[psycopg2.extensions.cursor]:
    """A cursor on a connection of its own, which commits each statement."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()
