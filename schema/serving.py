"""The one service behind every address of the API."""

from django.conf import settings

from schema.authentication import authenticate
from schema.engine.execution import Executor
from schema.engine.limits import Limits
from schema.engine.service import Service
from schema.metering import CostMeter
from schema.root import schema
from shop import metrics

service = Service(
    executor=Executor(
        schema.graphql_schema,
        introspection=settings.GRAPHQL_INTROSPECTION,
        limits=Limits(**settings.GRAPHQL_LIMITS),
        on_field=metrics.field if settings.DD_AGENT_HOST else None,
    ),
    authenticate=authenticate,
    meter=CostMeter(),
    debug=settings.GRAPHQL_DEBUG,
    on_operation=metrics.operation if settings.DD_AGENT_HOST else None,
)
