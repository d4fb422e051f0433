"""The document of a request that does not send it: known beforehand, or persisted automatically.

A document is named by its SHA-256, in `extensions.persistedQuery` (Apollo) or in `documentId` (the
persisted documents of GraphQL over HTTP, which GraphQL Code Generator's client preset sends).

Automatic persisted queries are Apollo's protocol: a client sends the hash of its document instead
of the text (https://www.apollographql.com/docs/apollo-server/performance/apq). Texts live in the
shared cache, so that a document registered with one process is known to all; each process asks for
a text once, and knows it as long as it keeps its document.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.cache import cache
from graphql import GraphQLSyntaxError
from graphql.utilities import strip_ignored_characters

from schema.engine.errors import BadRequest, NotTrusted, PersistedQueryNotFound
from schema.engine.execution import Document, Executor

_SECONDS = 24 * 60 * 60
_DOCUMENT_ID = re.compile("(?:sha256:)?([0-9a-f]{64})")


class Known:
    """Documents that the server knows before anyone sends them.

    Args:
        named: texts by the name of their operation.
        others: texts that are known by their hash only.
    """

    def __init__(self, named: Mapping[str, str] | None = None, others: Iterable[str] = ()) -> None:
        self._named = dict(named or {})
        self.texts = frozenset([*self._named.values(), *others])
        self._hashed = {hashlib.sha256(text.encode()).hexdigest(): text for text in self.texts}
        self._stripped = {strip_ignored_characters(text): text for text in self.texts}
        self._longest = max(map(len, self.texts), default=0)

    def by_name(self, name: str | None) -> str | None:
        return self._named.get(name) if name else None

    def by_hash(self, digest: str) -> str | None:
        return self._hashed.get(digest)

    def like(self, text: str) -> str | None:
        """The known document that `text` is, but for comments, commas and white space."""
        if text in self.texts:
            return text
        # Whatever is longer than twice the longest is not worth reading.
        if len(text) > 2 * self._longest:
            return None
        try:
            return self._stripped.get(strip_ignored_characters(text))
        except GraphQLSyntaxError:
            return None


def document_of(
    operation: dict[str, Any], executor: Executor, known: Known, *, only_known: bool = False
) -> Document:
    """The document that a request names by its text, by a hash, by both, or by a known name.

    Args:
        only_known: whether whoever asks may run no other documents than the known ones.

    Raises:
        BadRequest: not the protocol, the hash is of another text, or nothing has this name.
        PersistedQueryNotFound: send the text as well.
        NotTrusted: not a known document.
    """
    query = operation.get("query")
    digest = _digest(operation)
    if query is not None and digest and hashlib.sha256(query.encode()).hexdigest() != digest:
        raise BadRequest("The provided hash is not the SHA-256 of this query.")
    if only_known:
        query = _known(query, digest, operation, known)
        if query is None:
            raise NotTrusted("You may run only operations that the server knows beforehand.")
        return executor.document(query)
    if query is not None:
        return _registered(query, digest, executor, known)
    if digest:
        document = executor.persisted(
            digest, lambda: known.by_hash(digest) or cache.get(f"persisted:{digest}")
        )
        if document is None:
            raise PersistedQueryNotFound("PersistedQueryNotFound")
        return document
    query = known.by_name(operation.get("operationName"))
    if query is None:
        raise BadRequest("`query` must be a GraphQL document, or `operationName` a known one's.")
    return executor.document(query)


def _known(
    query: str | None, digest: str | None, operation: dict[str, Any], known: Known
) -> str | None:
    if query is not None:
        return known.like(query)
    return known.by_hash(digest) if digest else known.by_name(operation.get("operationName"))


def _registered(query: str, digest: str | None, executor: Executor, known: Known) -> Document:
    document = executor.document(query)
    # What is not valid is never asked for again, and must not fill the cache.
    if digest and not document.errors and not known.by_hash(digest):
        cache.set(f"persisted:{digest}", query, _SECONDS)
    return document


def digest_of(document_id: str) -> str | None:
    """The hash in an id such as "sha256:<hash>", with or without the prefix; None without a hash.

    https://github.com/graphql/graphql-over-http/blob/main/spec/Appendix%20A%20--%20Persisted%20Documents.md
    """
    found = _DOCUMENT_ID.fullmatch(document_id)
    return found[1] if found else None


def _digest(operation: dict[str, Any]) -> str | None:
    """The hash of a document that is persisted, in hexadecimal. Raises BadRequest."""
    digest, document_id = _apollo_digest(operation), operation.get("documentId")
    if document_id is None:
        return digest
    found = digest_of(document_id)
    if found is None:
        raise BadRequest(
            "`documentId` must be `sha256:` and the hash of the document in hexadecimal."
        )
    if digest and digest != found:
        raise BadRequest("`documentId` and `persistedQuery` name different documents.")
    return found


def _apollo_digest(operation: dict[str, Any]) -> str | None:
    """The hash in `extensions.persistedQuery`. Raises BadRequest."""
    persisted = (operation.get("extensions") or {}).get("persistedQuery")
    if persisted is None:
        return None
    digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    version = persisted.get("version") if isinstance(persisted, dict) else None
    if not isinstance(digest, str) or len(digest) != 64 or version != 1 or version is True:
        raise BadRequest("`persistedQuery` needs version 1 and a `sha256Hash`.")
    return digest
