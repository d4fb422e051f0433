"""Who acts, and what their actions change, written down in the same transaction."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import connection, models, transaction

from shop.actions.audit.values import Difference, columns, difference, plain, without_values
from shop.models import AuditEntry, AuditSource

Facts = Callable[[Any], dict[str, Any]]
P = ParamSpec("P")
R = TypeVar("R")
# A row: its model's name and its primary key.
Key = tuple[str, int]


@contextmanager
def acting(user: Any, source: AuditSource, address: str | None) -> Iterator[None]:
    """Says who does what is done within.

    Args:
        user: a member of staff.
        source: by which way.
        address: of their machine.
    """
    mark = _actor.set(_Actor(user.pk, source, address or None))
    try:
        yield
    finally:
        _actor.reset(mark)


def is_somebody_acting() -> bool:
    """Whether what is done now is recorded."""
    return _actor.get() is not None


def recorded(action: str, facts: Facts | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes a function leave an entry of what it changed, if somebody acts.

    An action called "….create" makes the row that it returns, as does one whose first argument is
    no row; every other changes or removes its first argument.

    Recorded actions may call each other. An inner one leaves an entry of its own for another row;
    what it does to the same row is part of the outer one's entry.

    Args:
        action: noun and verb, such as "product.update".
        facts: (row) -> what is recorded of it; `columns` by default.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        first = next(iter(inspect.signature(function).parameters), "")

        @functools.wraps(function)
        def record(*args: P.args, **kwargs: P.kwargs) -> R:
            actor = _actor.get()
            if actor is None:
                return function(*args, **kwargs)
            subject = args[0] if args else kwargs.get(first)
            changed = [subject] if isinstance(subject, models.Model) else []
            makes = action.endswith(".create") or not changed
            with actor.recording(action, [] if makes else changed, facts) as record:
                result = function(*args, **kwargs)
                if makes:
                    record.created(result)
            return result

        return record

    return decorate


def changing(
    action: str, rows: Iterable[models.Model], facts: Facts | None = None
) -> AbstractContextManager[Any]:
    """Records what is done within to `rows`, as `recorded` does: for those who do it themselves."""
    actor = _actor.get()
    return actor.recording(action, rows, facts) if actor else nullcontext()


def created(action: str, row: models.Model, facts: Facts | None = None) -> None:
    """Records a row that was just made, as `recorded` does."""
    if actor := _actor.get():
        with actor.recording(action, [], facts) as record:
            record.created(row)


def held(row: models.Model) -> None:
    """Says that `row` is locked from here on, and nothing of it written yet.

    What it was before is read once more: somebody may have changed it while we waited.
    """
    if actor := _actor.get():
        for record in actor.open:
            record.held(_key(row))


def erase_later(keys: Iterable[Key]) -> None:
    """Has entries that are being recorded tell no values of these rows."""
    if actor := _actor.get():
        actor.erased.update(keys)
        if (_USER, actor.user_id) in actor.erased:
            actor.address = None


class _Actor:
    """Who acts, and what they are at.

    Attributes:
        open: actions that are being recorded, the outermost first.
        entries: of inner actions, written when the outermost ends.
        erased: rows of which no value may be told any more.
    """

    def __init__(self, user_id: int | None, source: AuditSource, address: str | None) -> None:
        self.user_id = user_id
        self.source = source
        self.address = address
        self.open: list[_Record] = []
        self.entries: list[AuditEntry] = []
        self.erased: set[Key] = set()

    @contextmanager
    def recording(
        self, action: str, rows: Iterable[models.Model], facts: Facts | None
    ) -> Iterator["_Record"]:
        mark = len(self.entries)
        # In the caller's transaction; a function without one gets one, to be undone with its entry.
        with nullcontext() if connection.in_atomic_block else transaction.atomic():
            record = _Record(action, rows, facts or columns)
            self.open.append(record)
            try:
                yield record
                self._close(record, mark)
            except BaseException:
                # What was undone was not done, even if the outer action goes on.
                del self.entries[mark:]
                raise
            finally:
                self.open.remove(record)

    def _close(self, record: "_Record", mark: int) -> None:
        found = record.differences()
        inner = [entry for entry in self.entries[mark:] if _key_of(entry) not in found]
        own = [
            AuditEntry(
                action=record.action,
                source=self.source,
                object_type=name,
                object_id=pk,
                difference=changes,
            )
            for (name, pk), changes in found.items()
            if changes is not None
        ]
        self.entries[mark:] = own + inner
        if (_USER, self.user_id) in record.removed:
            # Who removes themselves cannot be named any more.
            self.user_id = None
        if len(self.open) == 1:
            self._write()

    def _write(self) -> None:
        for entry in self.entries:
            entry.actor_id, entry.address = self.user_id, self.address
            if _key_of(entry) in self.erased:
                entry.difference = without_values(entry.difference)
        AuditEntry.objects.bulk_create(self.entries)
        self.entries.clear()


class _Record:
    """One action that is being recorded: what its rows were, and what they are now."""

    def __init__(self, action: str, rows: Iterable[models.Model], facts: Facts) -> None:
        self.action = action
        self.removed: set[Key] = set()
        self._facts = facts
        self._models: dict[Key, type[models.Model]] = {_key(row): type(row) for row in rows}
        self._before: dict[Key, dict[str, Any] | None] = self._read(self._models)
        self._held: set[Key] = set()

    def created(self, row: Any) -> None:
        self._models[_key(row)] = type(row)
        self._before[_key(row)] = None

    def held(self, key: Key) -> None:
        if key in self._before and key not in self._held:
            self._held.add(key)
            self._before |= self._read([key])

    def differences(self) -> dict[Key, Difference | None]:
        """What became of each row; None for those that are as they were."""
        after = self._read(self._before)
        self.removed.update(key for key, facts in after.items() if facts is None)
        return {key: difference(before, after[key]) for key, before in self._before.items()}

    def _read(self, keys: Iterable[Key]) -> dict[Key, dict[str, Any] | None]:
        """The facts of rows as they are stored; None for those that are not."""
        found: dict[Key, dict[str, Any] | None] = dict.fromkeys(keys)
        for model in {self._models[key] for key in found}:
            wanted = [pk for name, pk in found if name == model._meta.object_name]
            for row in model._base_manager.in_bulk(wanted).values():
                facts = self._facts(row).items()
                found[_key(row)] = {name: plain(value) for name, value in facts}
        return found


_actor: ContextVar[_Actor | None] = ContextVar("actor", default=None)
_USER = settings.AUTH_USER_MODEL.rpartition(".")[2]


def _key(row: Any) -> Key:
    return row._meta.object_name, row.pk


def _key_of(entry: AuditEntry) -> tuple[str, int | None]:
    return entry.object_type, entry.object_id
