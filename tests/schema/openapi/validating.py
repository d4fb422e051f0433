"""Holds requests and answers against the document."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from schema.openapi.document import document


@cache
def served() -> dict[str, Any]:
    """The document, made once."""
    return document()


def pointer(*steps: str) -> str:
    """The JSON pointer of a place in the document."""
    return "#/" + "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)


def problems(value: Any, *steps: str) -> list[str]:
    """What the schema at a place in the document has against `value`."""
    # References within the document lead somewhere only when it is around them.
    schema = served() | {"$ref": pointer(*steps)}
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


def problems_of_answer(response: Any, method: str, path: str) -> list[str]:
    """What the document has against an answer: its status, media type, headers or content."""
    status = str(response.status_code)
    known = served()["paths"][path][method.lower()]["responses"]
    if status not in known:
        return [f"{method} {path} is not said to answer {status}: {response.content[:300]!r}"]
    place = ("paths", path, method.lower(), "responses", status)
    if "$ref" in known[status]:
        name = known[status]["$ref"].rpartition("/")[2]
        known, place = (
            {status: served()["components"]["responses"][name]},
            ("components", "responses", name),
        )
    headers = served()["components"]["headers"]
    missing = [
        name
        for name in known[status]["headers"]
        if headers[name]["required"] and name not in response.headers
    ]
    found = [f"the header {name} is missing" for name in missing]
    if "content" not in known[status]:
        return found + (["there is content"] if response.content else [])
    media_type = response.headers["Content-Type"].partition(";")[0]
    if media_type not in known[status]["content"]:
        return [*found, f"it comes as {media_type}"]
    return found + problems(response.json(), *place, "content", media_type, "schema")
