"""Documents of front ends, from the files that their build tools write."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from graphql import GraphQLError, parse, validate

from schema.engine.persisted import digest_of
from schema.root import schema


def manifested(paths: Iterable[str]) -> list[str]:
    """The documents of front ends, which are trusted as our own operations are.

    Args:
        paths: of manifests of persisted queries, Apollo's (`{"operations": [{"id", "body"}]}`), or
            Relay's and that of GraphQL Code Generator's client preset (`{id: document}`). Each id
            is the SHA-256 of its document in hexadecimal, with or without the prefix "sha256:".

    Raises:
        ImproperlyConfigured: a file cannot be read, or a document is not valid; names the file.
    """
    return [text for path in paths for text in _manifest(Path(path))]


def _manifest(path: Path) -> list[str]:
    try:
        content = json.loads(path.read_text())
        listed = content.get("operations")
        texts = {item["id"]: item["body"] for item in listed} if listed is not None else content
        for digest, text in texts.items():
            if hashlib.sha256(text.encode()).hexdigest() != digest_of(digest):
                raise _bad(path, f"The id {digest} is not the SHA-256 of its document.")
            errors = validate(schema.graphql_schema, parse(text))
            if errors:
                raise _bad(path, f"{digest}: {errors[0].message}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, GraphQLError) as error:
        raise _bad(path, f"It is no manifest of persisted queries ({error}).") from error
    return list(texts.values())


def _bad(path: Path, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{path}: {why}")
