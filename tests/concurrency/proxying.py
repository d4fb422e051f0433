"""nginx as the project configures it, in front of a server of a test."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "deploy" / "nginx" / "nginx.conf"
# Distributions put it where only root looks.
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def configured(folder: Path, port: int, upstream: int, media: Path) -> str:
    """The project's configuration with other ports and paths."""
    text = CONFIGURATION.read_text()
    for usual, own in (
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("server web:8000", f"server 127.0.0.1:{upstream}"),
        ("/var/cache/nginx/", f"{folder}/"),
        ("/srv/static/", f"{ROOT / 'var' / 'static'}/"),
        ("/srv/media/", f"{media}/"),
        ("/dev/stdout", f"{folder}/access.log"),
        ("/dev/stderr", f"{folder}/error.log"),
    ):
        assert usual in text
        text = text.replace(usual, own)
    return text


@contextmanager
def proxied(folder: Path, upstream: int, media: Path | None = None) -> Iterator[int]:
    """The port of nginx in front of the server that listens on `upstream`."""
    assert NGINX
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = folder / "nginx.conf"
    file.write_text(configured(folder, port, upstream, media or folder))
    # Its workers read what the user of the tests may read.
    user = "user root;" if os.getuid() == 0 else ""
    command = [NGINX, "-c", str(file), "-p", str(folder), "-g", f"daemon off; {user}"]
    process = subprocess.Popen(command)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "error.log").read_text()
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)
