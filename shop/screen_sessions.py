"""Sessions of the staff screens in the database, as Django's, but not by their keys.

A key signs a browser in: only its digest is stored, so that a copy of the database lets nobody in.
The server speaks WSGI; nothing here is for Django's asynchronous requests.
"""

import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Any:
        key = self.session_key
        rows = self.model.objects.filter(expire_date__gt=timezone.now())
        found = rows.filter(session_key=_digest(key)).first() if key else None
        if found is None:
            # Nobody chooses the key of a session that is to be.
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return super().exists(_digest(session_key))

    def create_model_instance(self, data: Any) -> Any:
        row = super().create_model_instance(data)
        row.session_key = _digest(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            super().delete(_digest(key))


def _digest(key: str) -> str:
    """160 bits of a SHA-256: 40 characters are what Django's column holds."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]
