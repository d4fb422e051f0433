"""The web server as `make serve` starts it."""

import sys


def granian(
    port: int | str,
    *,
    workers: int,
    application: str = "shop.asgi:application",
    interface: str = "asginl",
) -> list[str]:
    """The command of the server; threads of each worker are the setting SERVER_THREADS."""
    command = [sys.executable, "-m", "granian", "--interface", interface, "--http", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    return [*command, "--log-level", "error", application]


def threads(number: int) -> dict[str, str]:
    """The settings of workers with this many threads."""
    # Fewer requests than threads may wait for a payment provider; none pays here.
    return {"SERVER_THREADS": str(number), "PAYMENT_CALLS": str(min(number - 1, 2))}
