"""Both ways of executing a document."""

import json
from typing import Any

from django.test import RequestFactory

from schema.engine.errors import present
from schema.engine.execution import Executor
from schema.engine.limits import Limits
from schema.root import schema

WIDE = Limits(aliases=10_000, depth=100, cost=10**12)
COMPILED = Executor(schema.graphql_schema, limits=WIDE)
GENERIC = Executor(schema.graphql_schema, limits=WIDE, compiled=False)


def run(executor: Executor, document: str, variables: dict[str, Any], user: Any) -> str:
    """The whole response of one path, with the order of its keys."""
    request = RequestFactory().post("/graphql/")
    request.user = user
    # Parsed and validated once: both paths do that alike.
    found = COMPILED.document(document)
    assert not found.errors, found.errors
    result = executor.execute(found, request, variables)
    errors = [present(error) for error in result.errors or ()]
    return json.dumps({"data": result.data, "errors": errors})
