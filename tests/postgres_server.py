"""A PostgreSQL of a test's own, which can be stopped, killed and filled with clients."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg2
import pytest

# Debian keeps the server's programs out of the PATH.
_PLACES = [
    os.environ.get("PATH", ""),
    *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)),
]
_INITDB = shutil.which("initdb", path=os.pathsep.join(_PLACES))
needs_postgres_programs = pytest.mark.skipif(
    _INITDB is None, reason="needs initdb and pg_ctl of PostgreSQL"
)


class Postgres:
    """A server on a port of its own, with the database "shop".

    Args:
        folder: of its data.
        max_connections: as many clients are let in, beside three superusers.
    """

    def __init__(self, folder: Path, *, max_connections: int = 30) -> None:
        self._folder = folder
        self._max_connections = max_connections
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8")
        self.start()
        with self.connected("postgres", database="postgres") as admin:
            admin.execute("CREATE ROLE shop LOGIN")
            admin.execute("CREATE DATABASE shop OWNER shop")

    @property
    def url(self) -> str:
        return f"postgres://shop@127.0.0.1:{self.port}/shop"

    def start(self) -> None:
        options = (
            f"-p {self.port} -h 127.0.0.1 -k {self._folder} -F "
            f"-c max_connections={self._max_connections + 3} -c superuser_reserved_connections=3"
        )
        self._run("pg_ctl", "start", "--wait", "--silent", "-o", options, "-l", "/dev/null")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "--mode", mode, "--wait", "--silent")

    @contextmanager
    def connected(self, user: str = "shop", database: str = "shop") -> Iterator[Any]:
        """A cursor of a session of its own, which commits each statement."""
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user=user, dbname=database, connect_timeout=10
        )
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def _run(self, program: str, *arguments: str) -> None:
        assert _INITDB is not None
        command = [str(Path(_INITDB).with_name(program)), "-D", str(self._folder / "data")]
        # The server refuses to run as root.
        user = "postgres" if os.getuid() == 0 else None
        subprocess.run(
            [*command, *arguments], user=user, check=True, cwd="/", stdout=subprocess.DEVNULL
        )


@contextmanager
def postgres(**options: Any) -> Iterator[Postgres]:
    """A server that ends with the context."""
    # A short path, for its socket, and one that its user may enter.
    with TemporaryDirectory(prefix="shop-postgres-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            found = pwd.getpwnam("postgres")
            os.chown(folder, found.pw_uid, found.pw_gid)
        server = Postgres(folder, **options)
        try:
            yield server
        finally:
            server.stop()
