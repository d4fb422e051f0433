"""Addresses: the API, the staff screens, and uploaded pictures in development."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from schema.authentication import authenticate
from schema.engine.execution import Executor
from schema.engine.http import GraphQLView
from schema.root import schema

urlpatterns = [
    path("", RedirectView.as_view(url="/graphql/"), name="home"),
    path(
        "graphql/",
        GraphQLView.as_view(
            executor=Executor(schema.graphql_schema, introspection=settings.GRAPHQL_INTROSPECTION),
            authenticate=authenticate,
            graphiql=settings.GRAPHQL_GRAPHIQL,
            debug=settings.GRAPHQL_DEBUG,
        ),
        name="graphql",
    ),
    path("admin/", admin.site.urls),
    # Only with DEBUG on; in production the web server or the bucket serves them.
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
