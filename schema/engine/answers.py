"""Whole answers, kept for those who ask the same.

Only queries of strangers are kept, and only those of which all fields are declared to show the same
to every stranger: one that nobody has thought of keeps its documents out. Each answer is kept with
the generations of what it was read from, as a store tells them; it holds as long as they are the
same.

What is kept is the answer's body, ready to be sent. One of several who ask for the same works it
out, the others wait for it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from django.http import HttpRequest
from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    get_operation_ast,
    print_ast,
    visit,
)
from graphql.language import Visitor

from schema.engine.execution import Document

# Bytes of an answer that is kept.
MAX_SIZE = 512 * 1024
# Seconds that somebody waits for the answer that another works out.
WAIT = 2.0
# What is kept in the place of an answer that must not be, and for how many seconds.
_UNFIT, _UNFIT_SECONDS = b"-", 5.0
_FIRST_NAP, _LONGEST_NAP = 0.002, 0.02


class Reading(Protocol):
    """What a store has under a key: an entry, the generations, and whether we may work it out."""

    @property
    def entry(self) -> bytes | None: ...

    @property
    def generations(self) -> Mapping[str, str]: ...

    @property
    def claim(self) -> str: ...


class Store(Protocol):
    """Where answers are kept. Whatever fails is answered as if nothing were there."""

    def read(self, key: str) -> Reading | None: ...

    def claim(self, key: str, before: Any) -> Reading | None: ...

    def keep(self, key: str, claim: str, entry: bytes, seconds: float) -> bool: ...

    def release(self, key: str, claim: str) -> None: ...


class Reads(Protocol):
    """What was read: names that have generations, and whether there was anything else."""

    names: set[str]
    others: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is the same for every stranger.

    Attributes:
        body: of the response, as JSON.
        etag: changes with the body.
        is_empty: whether all root fields are null.
    """

    body: bytes
    etag: str
    is_empty: bool

    @property
    def content(self) -> dict[str, Any]:
        """The response map; its data is JSON already."""
        return {"data": orjson.Fragment(self.body[len(b'{"data":') : -1])}


@dataclass(frozen=True, slots=True)
class _Question:
    """What an operation of a document asks.

    Attributes:
        digest: of the document and the operation's name.
        variables: names of those that it declares.
    """

    digest: bytes
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCache:
    """Answers of one schema.

    Attributes:
        schema: the schema.
        store: where they are kept.
        recording: records what this thread reads while the context is open.
        lifetimes: generations -> seconds for which an answer may hold that is read from now on,
            by the name of what it is read from; "" stands for everything.
        strangers: whether a request, whose user is known, comes from nobody in particular.
        shared: whether a field of an object type shows the same to every stranger.
        version: of the code and its settings; no other version reads what this one keeps.
        on_outcome: told of each question what came of it: "hit", "waited" for another who asked the
            same, "miss", "stale" for a miss where there was an older answer, "unfit" to be kept,
            or "away", the store.
    """

    schema: GraphQLSchema
    store: Store
    recording: Callable[[], AbstractContextManager[Reads]]
    lifetimes: Callable[[Mapping[str, str]], Mapping[str, float]]
    strangers: Callable[[HttpRequest], bool]
    shared: Callable[[GraphQLObjectType, str], bool]
    version: str = ""
    on_outcome: Callable[[str], None] | None = None

    def key(self, request: HttpRequest, document: Document, operation: dict[str, Any]) -> str:
        """Names the question that a request asks; empty when its answer is never kept.

        Args:
            request: its user is known.
            operation: as `Service.run` takes it.
        """
        if not self.strangers(request):
            return ""
        question = self._question(document, operation.get("operationName"))
        if question is None:
            return ""
        given = operation.get("variables") or {}
        values = {name: given[name] for name in question.variables if name in given}
        # Addresses in answers begin with the one that was asked.
        place = f"{request.scheme}://{request.get_host()} {self.version}"
        digest = hashlib.blake2b(question.digest, digest_size=16)
        digest.update(place.encode())
        try:
            digest.update(orjson.dumps(values, option=orjson.OPT_SORT_KEYS))
        except TypeError:
            return ""  # No JSON: a file, or a number beyond all bounds.
        return digest.hexdigest()

    def find(self, key: str, work_out: Callable[[], Any]) -> Any:
        """The answer that is kept under `key`; or the one that `work_out` gives, if it is not kept.

        Args:
            work_out: gives an answer, whose `content` is the response map.
        """
        reading = self.store.read(key)
        if reading is None:
            self._count("away")
            return work_out()
        found = _holding(reading)
        if found is not None:
            self._count("hit")
            return found
        missed = "miss" if reading.entry is None else "stale"
        nap, until = _FIRST_NAP, time.monotonic() + WAIT
        while reading is not None and reading.entry != _UNFIT:
            # What was kept between both looks is found by this one.
            reading = self.store.claim(key, reading)
            if reading is None:
                break
            found = _holding(reading)
            if found is not None:
                if reading.claim:
                    self.store.release(key, reading.claim)
                self._count("waited")
                return found
            if reading.claim:
                self._count(missed)
                return self._work_out(key, reading, work_out)
            if time.monotonic() > until:
                break
            time.sleep(nap)
            nap = min(nap * 1.5, _LONGEST_NAP)
        self._count("unfit" if reading and reading.entry == _UNFIT else "away")
        return work_out()

    def _work_out(self, key: str, reading: Reading, work_out: Callable[[], Any]) -> Any:
        """Works out an answer that is ours to work out, and keeps it."""
        began = time.monotonic()
        is_kept = False
        try:
            # Both before anything is read: what changes from here on ends the answer.
            seconds = self.lifetimes(reading.generations)
            with self.recording() as reads:
                answer = work_out()
            if "errors" in answer.content:
                # It may be the fault of the one who asked.
                return answer
            kept = _fit(answer.content, reads, reading.generations)
            if kept is None:
                is_kept = self.store.keep(key, reading.claim, _UNFIT, _UNFIT_SECONDS)
                return answer
            allowed = min(seconds.get(name, seconds[""]) for name in ("", *reads.names))
            entry = _entry(kept, {name: reading.generations[name] for name in reads.names})
            left = allowed - (time.monotonic() - began)
            is_kept = self.store.keep(key, reading.claim, entry, left)
            return kept
        finally:
            if not is_kept:
                self.store.release(key, reading.claim)

    def _question(self, document: Document, name: str | None) -> _Question | None:
        """What is asked, found out once for each operation of a document."""
        if name in document.questions:
            return document.questions[name]
        operation = get_operation_ast(document.ast, name) if document.ast else None
        if operation is None or operation.operation != OperationType.QUERY:
            return None
        question = document.questions[name] = self._examined(document, operation, name)
        return question

    def _examined(self, document: Document, operation: Any, name: str | None) -> _Question | None:
        types = TypeInfo(self.schema)
        finder = _FindPrivate(types, self.shared)
        visit(document.ast, TypeInfoVisitor(types, finder))  # type: ignore[arg-type]
        if finder.found:
            return None
        text = f"{print_ast(document.ast)}\0{name or ''}"  # type: ignore[arg-type]
        variables = (item.variable.name.value for item in operation.variable_definitions)
        digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
        return _Question(digest, tuple(sorted(variables)))

    def _count(self, outcome: str) -> None:
        if self.on_outcome is not None:
            self.on_outcome(outcome)


def etag_of(body: bytes) -> str:
    """The ETag of a response."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


class _FindPrivate(Visitor):
    """Looks for a field that strangers may see differently, in all operations and fragments."""

    def __init__(self, types: TypeInfo, shared: Callable[[GraphQLObjectType, str], bool]) -> None:
        super().__init__()
        self._types = types
        self._shared = shared
        self.found = False

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, name = self._types.get_parent_type(), node.name.value
        # What an interface has, such as an id, tells nothing of whose it is.
        if name != "__typename" and isinstance(parent, GraphQLObjectType):
            is_meta = name.startswith("__")
            self.found = self.found or is_meta or not self._shared(parent, name)


def _fit(content: dict[str, Any], reads: Reads, generations: Mapping[str, str]) -> Kept | None:
    """The answer as it is kept, unless it must not be."""
    if reads.others or not reads.names <= generations.keys():
        return None
    body = orjson.dumps(content)
    if len(body) > MAX_SIZE:
        return None
    is_empty = all(value is None for value in content["data"].values())
    return Kept(body, etag_of(body), is_empty)


def _entry(kept: Kept, generations: Mapping[str, str]) -> bytes:
    told = {"etag": kept.etag, "empty": kept.is_empty, "generations": generations}
    head = orjson.dumps(told)
    return b"\n".join((head, kept.body))


def _holding(reading: Reading) -> Kept | None:
    """The answer that is kept, if it holds."""
    if reading.entry is None or reading.entry == _UNFIT:
        return None
    head, _, body = reading.entry.partition(b"\n")
    known = orjson.loads(head)
    for name, generation in known["generations"].items():
        if reading.generations.get(name) != generation:
            return None
    return Kept(body, known["etag"], known["empty"])
