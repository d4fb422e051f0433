"""Requests that come twice and are done once: a lost reply, an impatient finger, a retrying proxy.

The key is written in the transaction that does the work: whoever comes second waits for its end,
and gets its reply. What failed was not done, leaves no key, and may be tried again.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery
from django.utils import timezone

from shop.errors import Busy, IdempotencyConflict, Invalid
from shop.models import IdempotencyKey
from shop.models.idempotency import KEY_LENGTH
from shop.outbox.housekeeping import delete_in_batches

Reply = dict[str, Any]
_FIELD = ("idempotencyKey",)


def once(
    actor: str, operation: str, key: str | None, request: Any, perform: Callable[[], Reply]
) -> Reply:
    """What `perform` replies; when `key` came before, what it replied then. In one transaction.

    Args:
        actor: who asks, such as "user:12": keys of others are other keys.
        operation: the mutation's name.
        key: chosen by the client; without one `perform` is called each time.
        request: what is asked for, for JSON.
        perform: does it, and tells what came of it, for JSON.

    Raises:
        IdempotencyConflict: the key came before with another request.
        Invalid: no such key can be.
        Busy: the first request has not come to its end.
        RuntimeError: outside a transaction, where the key could be without the work.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A key is written in the transaction of what it stands for.")
    if key is None:
        return perform()
    if not 1 <= len(key) <= KEY_LENGTH or not key.isprintable():
        raise Invalid(f"A key has 1 to {KEY_LENGTH} printable characters.", field=_FIELD)
    digest = hashlib.sha256(orjson.dumps(request, default=str, option=orjson.OPT_SORT_KEYS))
    row = IdempotencyKey(
        actor=actor,
        operation=operation,
        key=key,
        request_hash=digest.hexdigest(),
        expires_at=timezone.now() + timedelta(hours=settings.IDEMPOTENCY_HOURS),
    )
    mine = IdempotencyKey.objects.filter(actor=actor, operation=operation, key=key)
    if not _insert(row):
        return _reply_of(mine.first(), row.request_hash)
    reply = perform()
    mine.update(reply=reply)
    return reply


def known(actor: str, operation: str, key: str) -> Reply | None:
    """What was replied to a request with this key; None when none has come to its end."""
    row = IdempotencyKey.objects.filter(actor=actor, operation=operation, key=key).first()
    return row.reply if row else None


def purge(now: datetime) -> int:
    """Forgets keys that have expired, and counts them."""
    return delete_in_batches(IdempotencyKey.objects.filter(expires_at__lt=now))


def _reply_of(row: IdempotencyKey | None, request_hash: str) -> Reply:
    if row is None:
        # It was rolled back, or has expired, between our two statements.
        raise Busy
    if row.request_hash != request_hash:
        raise IdempotencyConflict(field=_FIELD)
    if row.reply is None:
        raise Busy
    return row.reply


def _insert(row: IdempotencyKey) -> bool:
    """Whether there was no such key. Waits while a transaction that inserted it is under way.

    One statement and no savepoint: an error would spoil the transaction on PostgreSQL.
    """
    query = InsertQuery(IdempotencyKey, on_conflict=OnConflict.IGNORE)
    fields = [f for f in IdempotencyKey._meta.concrete_fields if not f.primary_key]
    query.insert_values(fields, [row])
    compiler: Any = query.get_compiler(connection=connection)
    with connection.cursor() as cursor:
        for sql, params in compiler.as_sql():
            cursor.execute(sql, params)
        return cursor.rowcount == 1
