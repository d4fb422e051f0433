"""Rows in hand may be older than the database; an action works on the row as it is now."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import IntegrityError, OperationalError, connection, models, transaction
from django.db.models import F, Func, IntegerField

from shop.actions import audit
from shop.compiled import Compiled
from shop.database import is_conflict
from shop.errors import Busy, Conflict, NotFound

T = TypeVar("T")
_HELD: dict[type[models.Model], Compiled[models.Model]] = {}


def locked(rows: models.QuerySet, *, nowait: bool = False) -> models.QuerySet:
    """`rows`, locked in the order of their keys until the transaction ends.

    On PostgreSQL without the key: rows that refer to these may be written meanwhile. Their foreign
    keys take a share of the key, and would deadlock with us. SQLite ignores the lock, but its
    transactions are immediate: there is one writer at a time.

    Args:
        nowait: raise OperationalError where somebody else has locked one of them.
    """
    no_key = connection.features.has_select_for_no_key_update
    return rows.select_for_update(no_key=no_key, nowait=nowait).order_by("pk")


def hold(row: models.Model) -> None:
    """Reads `row` again and keeps others from writing it until the transaction ends.

    Raises:
        NotFound: it has been deleted meanwhile.
    """
    model: Any = type(row)
    if model not in _HELD:
        _HELD[model] = Compiled(lambda key: locked(model._default_manager.filter(pk=key)))
    try:
        # By the model's own way: it may do more when it is read again.
        row.refresh_from_db(from_queryset=_Held(model, _HELD[model]))  # type: ignore[arg-type]
    except model.DoesNotExist:
        raise NotFound(f"The {model._meta.verbose_name} has been deleted.") from None
    audit.held(row)


class _Held:
    """What `refresh_from_db` asks of a queryset: a row by its key, locked; compiled once."""

    def __init__(self, model: Any, rows: Compiled[models.Model], key: Any = None) -> None:
        self._model, self._rows, self._key = model, rows, key

    def filter(self, *, pk: Any) -> "_Held":
        return _Held(self._model, self._rows, pk)

    def only(self, *names: str) -> models.QuerySet:
        """For rows of which not everything was read."""
        return locked(self._model._default_manager.filter(pk=self._key)).only(*names)

    def get(self) -> models.Model:
        found = self._rows.first(key=self._key)
        if found is None:
            raise self._model.DoesNotExist
        return found


def atomically(work: Callable[[], T], *, tries: int = 3) -> T:
    """What `work` returns, in a transaction of its own; done again when others were in the way.

    Raises:
        Busy, IntegrityError: as `retried`.
    """

    def once() -> T:
        with transaction.atomic():
            return work()

    return retried(once, tries=tries)


def retried(work: Callable[[], T], *, tries: int = 3) -> T:
    """What `work` returns, which has a transaction of its own; again when others were in the way.

    A unique key that somebody else took between our check and our write is a conflict too: checked
    again, it is an ordinary refusal.

    Raises:
        Busy: others were in the way each time.
        IntegrityError: it is no conflict.
    """
    # Conflict is a Busy.
    for left in reversed(range(tries)):
        try:
            return work()
        except (IntegrityError, Conflict):
            if not left:
                raise
        except OperationalError as error:
            if not is_conflict(error):
                raise
    raise Busy


class Each(Func):
    """What `units` holds for a row, by primary key: CASE id WHEN 7 THEN 2 ... END.

    Django's own Case takes the time of several statements to say so for ten rows.
    """

    def __init__(self, units: Mapping[int, int]) -> None:
        super().__init__(F("pk"), output_field=IntegerField())
        self.units = [number for pair in units.items() for number in pair]

    def as_sql(  # type: ignore[override]
        self, compiler: Any, connection: Any, **context: Any
    ) -> tuple[str, list[Any]]:
        (key,) = self.get_source_expressions()
        column, params = compiler.compile(key)
        cases = " ".join(["WHEN %s THEN %s"] * (len(self.units) // 2))
        return f"CASE {column} {cases} END", [*params, *self.units]
