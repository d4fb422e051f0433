"""Translates an ASGI scope to a WSGI environ (PEP 3333)."""

import sys
from typing import Any

from shop.buffering.bodies import Body, BodyRefused

# Key of the environ: the BodyRefused of a request whose body the application cannot read.
REFUSED = "shop.body_refused"

_UNPREFIXED = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
# They describe the transfer from the client; the application gets a body of known length.
_TRANSFER = frozenset({b"transfer-encoding", b"trailer", b"te", b"expect"})


def build(scope: dict[str, Any], body: Body, refused: BodyRefused | None) -> dict[str, Any]:
    """Builds the environ of a request.

    Args:
        scope: of the ASGI connection.
        body: was received whole.
        refused: why the application cannot read it, if it was refused.
    """
    server, client = scope.get("server") or ("", ""), scope.get("client") or ("", "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # WSGI carries bytes in strings of Latin-1.
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(server[0]) or "localhost",
        "SERVER_PORT": str(server[1] or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": str(client[0]),
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body.file,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    _add_headers(environ, scope["headers"])
    if body.size:
        environ["CONTENT_LENGTH"] = str(body.size)
    if refused is not None:
        environ[REFUSED] = refused
    return environ


def _add_headers(environ: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    for name, value in headers:
        # `X_Real_IP` would take the place of `X-Real-IP`: nobody needs such names.
        if name in _TRANSFER or b"_" in name:
            continue
        key = _UNPREFIXED.get(name) or f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"
        text = value.decode("latin-1")
        if key in environ:
            separator = "; " if key == "HTTP_COOKIE" else ","
            text = f"{environ[key]}{separator}{text}"
        environ[key] = text
