"""One try: a signed POST to an address that is checked, pinned and watched by the clock.

requests-hardened looks the name up once, refuses private addresses and connects to the very address
it has checked, so that a name cannot change its mind in between. Added here: a stricter check of
that address, no redirects, cookies or proxies, and an end to the whole try, however slowly the
receiver trickles.
"""

import contextlib
import ipaddress
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from django.utils import timezone
from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from standardwebhooks import Webhook
from urllib3.exceptions import ReadTimeoutError

from shop.actions.webhooks import addresses
from shop.errors import UrlNotAllowed
from shop.models import WebhookDelivery, WebhookEndpoint

# What became of a try.
DELIVERED, FAILED, REFUSED = "delivered", "failed", "refused"

# Seconds to connect, to wait for the next bytes, and for the whole try.
CONNECT, READ = 3.0, 5.0
WHOLE = 10.0
# Bytes that are read of an answer, and characters that are kept of one that is no success.
_ANSWER, _KEPT = 64 * 1024, 500
_GONE = 410


@dataclass(frozen=True)
class Outcome:
    """How a try went.

    Attributes:
        result: DELIVERED, FAILED, or REFUSED where the address must not be called and was not.
        status: of the answer; None without one.
        error: for staff; empty on success.
        milliseconds: that it took.
    """

    result: str
    status: int | None = None
    error: str = ""
    milliseconds: int = 0

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing more."""
        return self.status == _GONE


def send(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> Outcome:
    """Sends `delivery` once. It takes at most WHOLE seconds and raises nothing."""
    body = delivery.body.encode()
    return post(endpoint.url, body, signed(delivery, endpoint.secret))


def signed(delivery: WebhookDelivery, secret: str) -> dict[str, str]:
    """The headers of Standard Webhooks, signed now."""
    now = timezone.now()
    return {
        "webhook-id": webhook_id(delivery.uid.hex),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id(delivery.uid.hex), now, delivery.body),
    }


def webhook_id(uid: str) -> str:
    """By which receivers know a delivery again; the same at every try."""
    return f"msg_{uid}"


def post(url: str, body: bytes, headers: dict[str, str]) -> Outcome:
    """One POST of JSON to `url`, in at most WHOLE seconds."""
    started = time.monotonic()
    try:
        addresses.check(url)
    except UrlNotAllowed as error:
        return Outcome(REFUSED, error=error.message)
    exchange = _Exchange(url, body, headers)
    # Looking up a name can be neither timed nor interrupted, so the waiting is another thread's.
    thread = threading.Thread(target=exchange.run, name="webhook", daemon=True)
    thread.start()
    thread.join(WHOLE)
    outcome = exchange.give_up()
    milliseconds = int((time.monotonic() - started) * 1000)
    return Outcome(outcome.result, outcome.status, outcome.error, milliseconds)


class _Exchange:
    """A request and its answer, in a thread that can be given up."""

    def __init__(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        self._url, self._body = url, body
        self._headers = {
            **headers,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        self._outcome: Outcome | None = None
        self._socket: socket.socket | None = None
        self._is_over = False
        self._lock = threading.Lock()

    def run(self) -> None:
        try:
            self._outcome = self._answered()
        except (InvalidIPAddress, UrlNotAllowed):
            message = "The name leads to an address that is not on the public internet."
            self._outcome = Outcome(REFUSED, error=message)
        except Exception as error:  # noqa: BLE001 - whatever a receiver provokes is a failed try.
            self._outcome = Outcome(FAILED, error=_told(error))

    def give_up(self) -> Outcome:
        """The outcome so far; a thread that still waits is let go."""
        with self._lock:
            self._is_over = True
            # What comes out of a connection that was cut is no answer.
            outcome = self._outcome
            if outcome is None and self._socket is not None:
                _cut(self._socket)
        message = f"There was no complete answer within {WHOLE:g} seconds."
        return outcome or Outcome(FAILED, error=message)

    def hold(self, connected: socket.socket | None) -> None:
        """Takes the socket, to cut it when the time is over. It may be over already."""
        with self._lock:
            self._socket = connected
            if self._is_over and connected is not None:
                _cut(connected)

    def check(self) -> None:
        """Raises TimeoutError when nobody waits any more."""
        if self._is_over:
            raise TimeoutError

    def _answered(self) -> Outcome:
        with _Session(self) as session:
            response = session.post(
                self._url,
                data=self._body,
                headers=self._headers,
                timeout=(CONNECT, READ),
                stream=True,
            )
            try:
                content = response.raw.read(_ANSWER, decode_content=False)
            finally:
                response.close()
        if 200 <= response.status_code < 300:
            return Outcome(DELIVERED, response.status_code)
        text = content[:_KEPT].decode(errors="replace")
        error = f"The answer was {response.status_code}. {text}"
        return Outcome(FAILED, response.status_code, _storable(error))


class _Session(HTTPSession):
    """A session for one request, with nothing in it from elsewhere."""

    def __init__(self, exchange: _Exchange) -> None:
        name = f"{settings.SHOP_NAME} webhooks"
        config = Config(
            ip_filter_enable=True,
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=(CONNECT, READ),
            user_agent_override=name.encode("ascii", "replace").decode(),
        )
        super().__init__(config)
        # No proxies, passwords or certificates named by the environment.
        self.trust_env = False
        for scheme in ("http", "https"):
            self.mount(f"{scheme}://", _Adapter(exchange, is_https=scheme == "https"))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: requests would read the whole answer, however large, to tell where it leads."""
        return None


class _Adapter(IPFilterAdapter):
    """Connects to public addresses, and hands its socket to the exchange."""

    def __init__(self, exchange: _Exchange, *, is_https: bool) -> None:
        super().__init__(is_https_proto=is_https)
        self._exchange = exchange

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        if settings.WEBHOOK_ALLOW_PRIVATE:
            return HTTPAdapter.build_connection_pool_key_attributes(self, request, verify, cert)
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        # By now the name is an address: the one that was checked and will be called.
        if not addresses.is_public(ipaddress.ip_address(host["host"].strip("[]"))):
            raise UrlNotAllowed
        return host, pool

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _watched(pool.ConnectionCls, self._exchange)
        return pool


def _watched(connection: Any, exchange: _Exchange) -> Any:
    """The class `connection`, whose connections hand their sockets to `exchange`."""

    class Watched(connection):
        def connect(self) -> None:
            exchange.check()
            super().connect()
            exchange.hold(self.sock)

    return Watched


def _cut(connected: socket.socket) -> None:
    """Ends a connection under the hands of the thread that reads it."""
    # It may have ended by itself.
    with contextlib.suppress(OSError):
        # Not the method of an SSL socket, which takes the encryption away and goes on.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _told(error: Exception) -> str:
    """What went wrong, for staff."""
    if isinstance(error, requests.ConnectTimeout):
        return f"There was no connection within {CONNECT:g} seconds."
    if isinstance(error, requests.ReadTimeout | ReadTimeoutError):
        return f"There was no answer within {READ:g} seconds."
    if isinstance(error, requests.exceptions.SSLError):
        return _storable(f"The certificate or its encryption was not accepted: {error}")
    return _storable(f"{type(error).__name__}: {error}")


def _storable(text: str) -> str:
    """`text` as every database can keep it."""
    return text.encode(errors="replace").decode().replace("\x00", "")[:1000].strip()
