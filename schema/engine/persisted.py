"""Automatic persisted queries: a client sends the hash of its document instead of the text.

Apollo's protocol (https://www.apollographql.com/docs/apollo-server/performance/apq). Texts live in
the shared cache, so that a document registered with one process is known to all.
"""

import hashlib
from typing import Any

from django.core.cache import cache

from schema.engine.errors import BadRequest, PersistedQueryNotFound
from schema.engine.execution import Document, Executor

_SECONDS = 24 * 60 * 60


def document_of(operation: dict[str, Any], executor: Executor) -> Document:
    """The document that a request names by hash, by text, or by both.

    Raises:
        BadRequest: not the protocol, or the hash is of another text.
        PersistedQueryNotFound: send the text as well.
    """
    query = operation.get("query")
    persisted = (operation.get("extensions") or {}).get("persistedQuery")
    if persisted is None:
        return executor.document(operation["query"])
    digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    version = persisted.get("version") if isinstance(persisted, dict) else None
    if not isinstance(digest, str) or len(digest) != 64 or version != 1 or version is True:
        raise BadRequest("`persistedQuery` needs version 1 and a `sha256Hash`.")
    if query is None:
        query = cache.get(f"persisted:{digest}")
        if query is None:
            raise PersistedQueryNotFound("PersistedQueryNotFound")
        return executor.document(query)
    if hashlib.sha256(query.encode()).hexdigest() != digest:
        raise BadRequest("The provided sha256Hash is not of this query.")
    document = executor.document(query)
    # What is not valid is never asked for again, and must not fill the cache.
    if not document.errors:
        cache.set(f"persisted:{digest}", query, _SECONDS)
    return document
