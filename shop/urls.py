"""Addresses: the API, the staff screens, and uploaded pictures."""

from django.conf import settings
from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, re_path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView
from django.views.static import serve

from schema.engine.http import GraphQLView
from schema.keys import jwks
from schema.openapi import views as openapi
from schema.rest import IndexView, OperationView
from schema.serving import service
from schema.trusted import operations
from shop import customer_pages, providers, reference
from shop.actions import jobs
from shop.admin import mails, second_factor
from shop.errors import NotFound

handler500 = "shop.middleware.server_error"

# Where a browser finds something to look at.
HOME = "/graphql/" if settings.GRAPHQL_GRAPHIQL else "/admin/"


def uploaded(request: HttpRequest, path: str) -> HttpResponseBase:
    """An uploaded picture."""
    return serve(request, path, document_root=settings.MEDIA_ROOT)


@require_safe
def download(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """What a job came to, for whoever holds a link; its last part is for people only."""
    try:
        found = jobs.open_download(token)
    except NotFound:
        raise Http404 from None
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return FileResponse(
        found.file,
        as_attachment=True,
        filename=found.name,
        content_type=found.content_type,
        headers=headers,
    )


urlpatterns = [
    path(
        "",
        RedirectView.as_view(url=HOME),
        name="home",
    ),
    # With or without the slash: a redirect would turn a POST into a GET.
    re_path(
        r"^graphql/?$",
        GraphQLView.as_view(service=service, graphiql=settings.GRAPHQL_GRAPHIQL),
        name="graphql",
    ),
    re_path(r"^api/?$", IndexView.serving(operations().values()), name="api"),
    path("api/openapi.json", openapi.as_json, name="openapi"),
    *(
        [re_path(r"^api/docs/?$", openapi.in_swagger_ui, name="api_docs")]
        if settings.API_DOCS
        else []
    ),
    # After all other addresses below /api/: whatever is left names an operation, or nothing.
    re_path(
        r"^api/(?P<slug>[^/]+)/?$",
        OperationView.serving(operations().values(), service=service),
        name="operation",
    ),
    path(".well-known/jwks.json", jwks, name="jwks"),
    *(
        [
            path("docs/", reference.page, name="reference"),
            path("docs/erd.svg", reference.picture, name="reference_picture"),
            path("docs/<slug:name>/", reference.page, name="reference_page"),
        ]
        if settings.GRAPHQL_REFERENCE
        else []
    ),
    path("downloads/<str:token>/<str:name>", download, name="download"),
    re_path(r"^deliveries/(?P<token>[0-9a-f]{64})/?$", customer_pages.delivery, name="delivery"),
    # As storefronts have them, for shops that have none.
    re_path(r"^account/confirm/?$", customer_pages.confirm, name="confirm_page"),
    re_path(r"^account/reset/?$", customer_pages.reset, name="reset_page"),
    re_path(r"^account/email/?$", customer_pages.email, name="email_page"),
    re_path(r"^orders/(?P<number>[A-Za-z0-9-]+)/?$", customer_pages.order, name="order_page"),
    re_path(r"^cart/?$", customer_pages.cart, name="cart_page"),
    path("payments/demo/confirm/", providers.confirm_demo, name="confirm_demo"),
    # With or without the slash, as it is told to the provider.
    re_path(r"^payments/(?P<provider>[a-z]+)/?$", providers.message, name="provider_message"),
    path("admin/mails/", mails.index, name="mails"),
    path("admin/second-factor/", second_factor.page, name="second_factor"),
    path("admin/", admin.site.urls),
    # Uploads on this disk; their content was checked and their names are ours. A busy shop lets
    # its web server or a bucket serve them (docs/operations.md).
    re_path(r"^media/(?P<path>products/[\w.-]+)$", uploaded, name="media"),
]
