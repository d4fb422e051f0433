"""Statements that serve many viewers: what tells one from another comes with each request.

Viewers of one class see rows by the same SQL, each with another key in it.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model

from schema.engine.statements import ViewerSlot
from schema.opened import opened


def class_of(request: Any, opened_model: type[Model] | None = None) -> str:
    """The class of those who see what is their own, and what they have opened.

    Args:
        opened_model: of which a secret opens rows; None where nothing of the kind is.
    """
    owner = "nobody" if request.user.pk is None else "somebody"
    return f"{owner}, {len(opened(request, opened_model))} opened"


def values_of(request: Any, opened_model: type[Model] | None = None) -> Sequence[Any]:
    """What tells the viewer from others of the class: the places are those of `AnyViewer`."""
    return [request.user.pk, *opened(request, opened_model)]


class AnyViewer:
    """A request in which slots stand for the viewer's values; all else is of the request itself."""

    def __init__(self, request: Any, opened_model: type[Model] | None = None) -> None:
        self._request = request
        self.user = _AnyUser(request.user)
        slots = [ViewerSlot(place) for place, _ in enumerate(opened(request, opened_model), 1)]
        self.opened_rows = {opened_model: slots}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


class _AnyUser:
    """A user whose key is a slot; nobody stays nobody."""

    def __init__(self, user: Any) -> None:
        self._user = user
        self.pk = self.id = None if user.pk is None else ViewerSlot(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._user, name)
