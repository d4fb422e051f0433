"""A RabbitMQ of the tests' own, which they may stop and kill."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = next(
    (
        path
        for path in (
            "/usr/lib/rabbitmq/bin/rabbitmq-server",  # Debian; its wrapper in PATH changes user.
            shutil.which("rabbitmq-server") or "",
        )
        if path and Path(path).exists()
    ),
    None,
)


class Broker:
    """A node in a folder, on free ports of this machine. What it stored survives `kill`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port, self._distribution = _free_ports(2)
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "home").mkdir(parents=True)
        (folder / "plugins").write_text("[].")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.file.level = warning\n"
        )

    def start(self) -> None:
        """Starts it and waits until it answers."""
        environment = os.environ | {
            "HOME": str(self._folder / "home"),
            "RABBITMQ_NODENAME": f"shop{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(self._folder / "none"),
            # One scheduler less to wake: the machine is the tests' too.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +S 2",
        }
        with (self._folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                [str(SERVER)], env=environment, stdout=out, stderr=out, start_new_session=True
            )
        deadline = time.monotonic() + 120
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError((self._folder / "out").read_text()[-2000:])
            time.sleep(0.1)

    def kill(self) -> None:
        """Ends it without a chance to write anything down."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it in good order."""
        self._signal(signal.SIGTERM)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Has it not answer, with all its connections open."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, number)
            self._process.wait(timeout=60)
            self._process = None

    def _answers(self) -> bool:
        """Whether it speaks AMQP: the port opens before that."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(8))
        except OSError:
            return False


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
