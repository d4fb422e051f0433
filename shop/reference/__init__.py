"""The reference of the API at /docs/: pages that `make reference` built, in a frame of our own.

It is on where clients may ask for the schema anyway (GRAPHQL_REFERENCE in the settings).
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import mark_safe
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_safe

_PAGES = Path(__file__).parent / "pages"
_PICTURE = Path(settings.BASE_DIR) / "docs" / "erd.svg"

# The addresses below /docs/, in the order of the bar. `make erd` draws what stands on the last.
TITLES = {
    "queries": "Queries",
    "mutations": "Mutations",
    "objects": "Objects",
    "inputs": "Inputs",
    "values": "Enums and scalars",
    "changes": "Changes",
    "tables": "Tables",
}
# Nothing from elsewhere, nothing inline.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def built() -> dict[str, Any]:
    """What the pages were built from: digests of the SDL and the changelog, and counts."""
    return json.loads((_PAGES / "built.json").read_text())


@lru_cache(maxsize=len(TITLES) + 1)
def _page(name: str) -> bytes:
    """A whole page; the front page without a name."""
    path = _PAGES / f"{name}.html"
    # Built from our own SDL, whose descriptions no user wrote.
    content = mark_safe(path.read_text()) if path.exists() else ""  # noqa: S308
    return render_to_string(
        "reference.html",
        {
            "name": name,
            "title": TITLES.get(name, "API"),
            "titles": TITLES,
            "content": content,
            "shop": settings.SHOP_NAME,
            "counts": built()["counts"],
            "graphiql": settings.GRAPHQL_GRAPHIQL,
            "http_docs": _address("api_docs"),
        },
    ).encode()


def _address(name: str) -> str | None:
    """Where a page is that a shop may have switched off."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def _etag(request: HttpRequest, name: str = "") -> str | None:
    known = not name or name in TITLES
    return f'"{hashlib.blake2b(_page(name), digest_size=16).hexdigest()}"' if known else None


@require_safe
@gzip_page
@condition(etag_func=_etag)
def page(request: HttpRequest, name: str = "") -> HttpResponse:
    """A page of the reference."""
    if name and name not in TITLES:
        raise Http404
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "public, no-cache"}
    return HttpResponse(_page(name), headers=headers)


@require_safe
@gzip_page
def picture(request: HttpRequest) -> HttpResponse:
    """The tables of the shop, and how they refer to one another."""
    headers = {"Cache-Control": "public, no-cache"}
    return HttpResponse(_PICTURE.read_bytes(), content_type="image/svg+xml", headers=headers)
