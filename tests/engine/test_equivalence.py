"""The compiled and the generic path give the same answers."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from schema.engine import execution
from schema.engine.errors import present
from schema.engine.execution import Executor
from schema.root import schema

DOCUMENTS = sorted((Path(__file__).parents[1] / "documents").glob("*.graphql"))
COMPILED = Executor(schema.graphql_schema, introspection=True)
GENERIC = Executor(schema.graphql_schema, introspection=True, compiled=False)


def run(executor: Executor, document: str, variables: dict[str, Any], user: Any) -> dict[str, Any]:
    """The whole response of one path."""
    request = RequestFactory().post("/graphql/")
    request.user = user
    found = executor.document(document)
    assert not found.errors, found.errors
    result = executor.execute(found, request, variables)
    return {"data": result.data, "errors": [present(error) for error in result.errors or ()]}


@pytest.mark.parametrize("who", ["anonymous", "staff"])
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_documents_answer_alike_on_both_paths(
    path: Path, who: str, world: SimpleNamespace, gid: Any, staff: Any
) -> None:
    document = path.read_text()
    declared = set(re.findall(r"\$(\w+):", document))
    values = {
        "after": "2100-01-01T00:00:00Z",
        "product": gid(world.products[0]),
        "category": gid(world.mugs),
    }
    variables = {key: value for key, value in values.items() if key in declared}
    user = staff if who == "staff" else AnonymousUser()
    execution.counts.clear()
    compiled = run(COMPILED, document, variables, user)
    assert not [count for count in execution.counts if count[0] == "fallback"]
    assert compiled == run(GENERIC, document, variables, user)
    # A second time, with the plan and its statements ready.
    assert compiled == run(COMPILED, document, variables, user)
