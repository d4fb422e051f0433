"""The addresses of the document: as JSON for programs, and in Swagger UI for people."""

from __future__ import annotations

import hashlib
from functools import cache

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from schema.openapi.document import document


@cache
def _served() -> tuple[bytes, str]:
    """The document and its ETag: made at the first request, the same until the process ends."""
    body = orjson.dumps(document())
    return body, f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


@require_safe
def as_json(request: HttpRequest) -> HttpResponseBase:
    """The OpenAPI document."""
    body, etag = _served()
    # Asked for again each time, and sent again only when it has changed.
    headers = {"ETag": etag, "Cache-Control": "public, no-cache"}
    response = HttpResponse(body, content_type="application/json", headers=headers)
    return get_conditional_response(request, etag=etag, response=response) or response


@require_safe
def in_swagger_ui(request: HttpRequest) -> HttpResponse:
    """The document in Swagger UI, from this server's own files."""
    context = {"shop": settings.SHOP_NAME, "document": reverse("openapi")}
    return render(request, "api_docs.html", context)
