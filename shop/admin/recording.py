"""How what Django's own forms write is recorded; screens that write through actions need none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from shop.actions import audit


class RecordedAdmin(ModelAdmin):
    """A screen whose rows are saved and deleted by the admin itself: each write leaves an entry."""

    def facts(self, row: Any) -> dict[str, Any]:
        """What entries tell of a row."""
        return audit.columns(row)

    @contextmanager
    def recorded_change(self, request: HttpRequest, object_id: str | None) -> Iterator[None]:
        """Records what the request makes of the row with this key."""
        found = None
        if request.method == "POST" and object_id is not None:
            found = self.get_object(request, unquote(object_id))
        with transaction.atomic(), self._changing("update", [found] if found else []):
            yield

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        with self.recorded_change(request, object_id):
            return super().changeform_view(request, object_id, *args, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        audit.created(f"{self.opts.model_name}.create", obj, self.facts)
        return super().log_addition(request, obj, message)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with self._changing("delete", [obj]):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        with self._changing("delete", queryset):
            super().delete_queryset(request, queryset)

    def _changing(self, verb: str, rows: Any) -> Any:
        return audit.changing(f"{self.opts.model_name}.{verb}", rows, self.facts)
