"""The one service behind every address of the API."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from schema.authentication import authenticate
from schema.engine.execution import Executor
from schema.engine.limits import Limits
from schema.engine.persisted import Known
from schema.engine.service import Service
from schema.manifests import manifested
from schema.metering import CostMeter
from schema.root import schema
from schema.trusted import operations
from shop import metrics


def _only_trusted(request: HttpRequest) -> bool:
    """Whether who asks may run the trusted operations only (GRAPHQL_TRUSTED_ONLY)."""
    user: Any = request.user
    bound = {
        "off": False,
        "anonymous": not user.is_authenticated,
        "customers": not user.is_staff,
        "everyone": True,
    }
    return bound[settings.GRAPHQL_TRUSTED_ONLY]


_known = Known(
    {operation.name: operation.text for operation in operations().values()},
    manifested(settings.GRAPHQL_TRUSTED_MANIFESTS),
)
service = Service(
    executor=Executor(
        schema.graphql_schema,
        introspection=settings.GRAPHQL_INTROSPECTION,
        limits=Limits(**settings.GRAPHQL_LIMITS),
        on_field=metrics.field if settings.DD_AGENT_HOST else None,
        kept=_known.texts,
    ),
    authenticate=authenticate,
    meter=CostMeter(),
    known=_known,
    only_known=_only_trusted,
    debug=settings.GRAPHQL_DEBUG,
    on_operation=metrics.operation if settings.DD_AGENT_HOST else None,
)
