"""Request buffers of the shop, as the settings say (docs/operations.md, "Slow clients")."""

from collections.abc import Callable, Iterable

from django.conf import settings

from schema.engine.uploads import largest_multipart
from shop.buffering import BodyLimits, BufferedWSGI, Quota
from shop.client_address import client_address

FORM = "multipart/form-data"


def largest_body(content_type: str) -> int:
    """Bytes of the largest body that any view reads; each view then applies its own limit."""
    if content_type == FORM:
        return largest_multipart(is_staff=True)
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def client_of(peer: str, headers: dict[bytes, bytes]) -> str:
    """Address of the client, as ClientAddressMiddleware finds it."""
    forwarded_for = headers.get(b"x-forwarded-for", b"").decode("latin-1")
    return client_address(peer, forwarded_for, settings.TRUSTED_PROXIES)


def buffered(application: Callable[..., Iterable[bytes]]) -> BufferedWSGI:
    """Puts a WSGI application behind request buffers."""
    return BufferedWSGI(
        application,
        threads=settings.SERVER_THREADS,
        limits=BodyLimits(
            timeout=settings.BODY_TIMEOUT,
            min_rate=settings.BODY_MIN_RATE,
            largest=largest_body,
            discarded=settings.UPLOAD_MAX_BYTES,
        ),
        bodies=Quota(settings.BODY_BUFFER_CLIENT_BYTES, settings.BODY_BUFFER_BYTES),
        responses=Quota(settings.RESPONSE_BUFFER_CLIENT_BYTES),
        send_timeout=settings.SEND_TIMEOUT,
        client_of=client_of,
    )
