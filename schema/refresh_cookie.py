"""The refresh token in a cookie that scripts cannot read, for browsers, where a shop allows it.

It is the only cookie of the API. It goes to the endpoint only, or with plain HTTP to all of that,
and is read only when a request comes from a page of an allowed origin, so that other sites cannot
use it.
"""

import datetime

from django.conf import settings
from django.http import HttpRequest

from schema.engine.errors import BadRequest, Forbidden

NAME = "shop_refresh"
_PATHS = ("/graphql", "/api")


def check(request: HttpRequest, *, wanted: bool) -> None:
    """Whether a request may ask for the cookie, if it does.

    Raises:
        BadRequest: the shop sets none.
        Forbidden: the page that asks is of another site, or nobody says of which.
    """
    if not wanted:
        return
    if not settings.REFRESH_COOKIE:
        raise BadRequest("This shop keeps no refresh tokens in cookies.")
    _check_origin(request)


def keep(request: HttpRequest, token: str, lifetime: datetime.timedelta) -> None:
    """Has the answer set the cookie."""
    _answer_with(request, token, int(lifetime.total_seconds()))


def read(request: HttpRequest) -> str | None:
    """The token that a browser sent; None without. Raises Forbidden as `check`."""
    token = request.COOKIES.get(NAME) if settings.REFRESH_COOKIE else None
    if token:
        _check_origin(request)
    return token


def drop(request: HttpRequest) -> None:
    """Has the answer remove the cookie, if the request brought one."""
    if settings.REFRESH_COOKIE and NAME in request.COOKIES:
        _answer_with(request, "", 0)


def _answer_with(request: HttpRequest, value: str, seconds: int) -> None:
    cookie = {
        "key": NAME,
        "value": value,
        "max_age": seconds,
        # Whoever signs in at one of them refreshes there.
        "path": next(path for path in _PATHS if request.path.startswith(path)),
        "secure": settings.HTTPS,
        "httponly": True,
        "samesite": settings.REFRESH_COOKIE_SAMESITE,
    }
    request.graphql_cookies = [cookie]  # type: ignore[attr-defined]


def _check_origin(request: HttpRequest) -> None:
    origin = request.headers.get("Origin", "")
    # A page of this very server, or one of those that may call the API.
    own = f"{request.scheme}://{request.get_host()}"
    if origin not in (own, *settings.CORS_ALLOWED_ORIGINS):
        raise Forbidden("The cookie is for pages of allowed origins only.")
