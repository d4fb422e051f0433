"""HTTP concerns that belong to every answer."""

import sys
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views import defaults

from shop import database, request_ids
from shop.actions import audit
from shop.buffering import REFUSED, BodyRefused
from shop.client_address import client_address, is_proxy
from shop.models import AuditSource

# GraphiQL's editor sets style attributes and starts workers from its own origin.
API_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: https: http:; font-src 'self'; connect-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# The admin theme's scripts evaluate Alpine.js expressions and write inline styles.
ADMIN_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: https: http:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
# What no page of ours asks a browser for.
PERMISSIONS_POLICY = ", ".join(
    f"{name}=()"
    for name in (
        "accelerometer",
        "browsing-topics",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "hid",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "serial",
        "usb",
    )
)


class RequestIdMiddleware:
    """Names each request: by the X-Request-ID of a proxy of the shop's own, else by a new one.

    It comes before the client's address takes the place of the proxy's. What others send as an id
    is their own invention, and might be that of somebody else's request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = None
        peer = request.META.get("REMOTE_ADDR", "")
        if settings.TRUSTED_PROXIES and is_proxy(peer, settings.TRUSTED_PROXIES):
            sent = request_ids.accepted(request.headers.get("X-Request-ID", ""))
        name = sent or request_ids.fresh()
        token = request_ids.current.set(name)
        try:
            response = self.get_response(request)
        finally:
            request_ids.current.reset(token)
        response.headers["X-Request-ID"] = name
        return response


class HealthMiddleware:
    """Answers /health/ and /health/live/ before hosts, schemes or sessions are looked at.

    Load balancers and containers ask by address, over plain HTTP. /health/ is about readiness: 200
    when the database answers and has all its tables, else 503, after two seconds at most.
    /health/live/ is about the process alone: it touches nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path.rstrip("/")
        if path == "/health/live":
            return JsonResponse({"status": "ok"})
        if path != "/health":
            return self.get_response(request)
        state = database.readiness()
        if state == database.OK:
            return JsonResponse({"status": state})
        return JsonResponse({"status": state}, status=503, headers={"Retry-After": "5"})


class OutageMiddleware:
    """Answers 503 with Retry-After where a view fails because the database is not available.

    The API answers for itself, in its own form; this is for the admin and other pages.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return _unavailable(exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: as OutageMiddleware, for failures of other middleware."""
    return _unavailable(sys.exc_info()[1]) or defaults.server_error(request)


def _unavailable(error: BaseException | None) -> HttpResponse | None:
    """A page that says when to come back; None when the error is a bug."""
    outage = database.outage_of(error)
    if outage is None:
        return None
    database.report(outage)
    # Without the request: its user and its session are in the database.
    page = render_to_string("unavailable.html", {"message": outage.message})
    headers = {"Retry-After": str(outage.seconds), "Cache-Control": "no-store"}
    return HttpResponse(page, status=503, headers=headers)


class ClientAddressMiddleware:
    """Makes REMOTE_ADDR the client's address, where proxies of the shop's own stand in front."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = request.META.get("REMOTE_ADDR", "")
        forwarded_for = request.headers.get("X-Forwarded-For", "")
        address = client_address(peer, forwarded_for, settings.TRUSTED_PROXIES)
        request.META["REMOTE_ADDR"] = address
        return self.get_response(request)


class RefusedBodyMiddleware:
    """Answers requests whose body the server did not receive, or discarded.

    It comes after CORS, so that pages of other origins can read why.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refused: BodyRefused | None = request.META.get(REFUSED)
        if refused is None:
            return self.get_response(request)
        error = {"message": refused.message, "extensions": {"code": refused.code}}
        headers = {"Retry-After": str(refused.retry_after)} if refused.retry_after else {}
        return JsonResponse({"errors": [error]}, status=refused.status, headers=headers)


class StaffTimeZoneMiddleware:
    """Reads and shows times on staff pages in the shop's time zone; everything else is in UTC.

    A middleware and not the admin site, because responses are rendered after the view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/admin/"):
            return self.get_response(request)
        with timezone.override(settings.SHOP_TIME_ZONE):
            return self.get_response(request)


class AuditMiddleware:
    """Has what staff do on their screens recorded, and what they lack the permission for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self._is_recorded(request):
            return self.get_response(request)
        with audit.acting(request.user, AuditSource.ADMIN, request.META.get("REMOTE_ADDR")):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, PermissionDenied) and self._is_recorded(request):
            screen = request.resolver_match.view_name if request.resolver_match else request.path
            address = request.META.get("REMOTE_ADDR")
            audit.refuse(request.user, screen, address, source=AuditSource.ADMIN)

    @staticmethod
    def _is_recorded(request: HttpRequest) -> bool:
        # Who signs in is nobody yet; looking leaves no entry.
        writes = request.method == "POST" and request.path.startswith("/admin/")
        return writes and request.user.is_staff


class SecurityHeadersMiddleware:
    """Sets what browsers are told beside what Django's own middleware tells them.

    A Content-Security-Policy, one for the API and its pages and one for the admin; no permissions;
    and that other sites may load pictures from here, and nothing else.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_admin = request.path.startswith("/admin/")
        # Storefronts on other hosts show the pictures of products.
        is_public = request.path.startswith((settings.MEDIA_URL, settings.STATIC_URL))
        for name, value in (
            ("Content-Security-Policy", ADMIN_POLICY if is_admin else API_POLICY),
            ("Cross-Origin-Resource-Policy", "cross-origin" if is_public else "same-origin"),
            ("Permissions-Policy", PERMISSIONS_POLICY),
            ("X-Content-Type-Options", "nosniff"),
        ):
            response.headers.setdefault(name, value)
        return response
