"""Who of the staff changed what, for looking only."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from shop.admin.filters import DayRangeFilter
from shop.admin.writing import ReadOnlyAdmin
from shop.models import AuditEntry, AuditOutcome
from shop.models.audit import view_permission

_LABELS = {AuditOutcome.DONE.label: "success", AuditOutcome.REFUSED.label: "danger"}
_MAX_KEY = 2**63


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did it shows for those who may view users, and what changed for those who may view it."""

    # There may be very many, and to count them takes longer than to show a page.
    paginator = InfinitePaginator
    list_display = ("created_at", "who", "action", "subject", "shown_outcome", "source")
    list_filter = (
        ("outcome", ChoicesDropdownFilter),
        ("source", ChoicesDropdownFilter),
        ("actor", AutocompleteSelectFilter),
        ("created_at", DayRangeFilter),
    )
    list_select_related = ("actor",)
    ordering = ("-created_at", "-id")
    sortable_by = ()
    search_fields = ("action__startswith",)
    search_help_text = "What was done, such as product.update; or an object, such as Product 12"

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._without_people(request, super().get_list_display(request), "who")

    def get_list_filter(self, request: HttpRequest) -> Any:
        return self._without_people(request, super().get_list_filter(request), self.list_filter[2])

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        rows = [("created_at", "source", "address"), ("action", "shown_outcome"), "subject"]
        if request.user.has_perm("shop.view_user"):
            rows.insert(0, "who")
        if obj is not None and request.user.has_perm(view_permission(obj.object_type)):
            rows.append("changes")
        return rows

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("who", "subject", "shown_outcome", "changes")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """An object is found by the index: exactly, by its kind and key."""
        kind, _, key = search_term.strip().partition(" ")
        if key.isascii() and key.isdigit() and int(key) < _MAX_KEY:
            return queryset.filter(object_type=kind, object_id=int(key)), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="Who", empty_value="–")
    def who(self, entry: AuditEntry) -> str | None:
        return entry.actor.email if entry.actor else None

    @admin.display(description="Object", empty_value="–")
    def subject(self, entry: AuditEntry) -> str | None:
        return f"{entry.object_type} {entry.object_id}" if entry.object_type else None

    @display(description="Outcome", label=_LABELS)
    def shown_outcome(self, entry: AuditEntry) -> str:
        return entry.get_outcome_display()

    @admin.display(description="Changes", empty_value="–")
    def changes(self, entry: AuditEntry) -> str | None:
        lines = format_html_join(
            "",
            "<li><b>{}</b>: {} → {}</li>",
            ((name, *map(_shown, pair)) for name, pair in entry.difference.items()),
        )
        return format_html("<ul>{}</ul>", lines) if lines else None

    def _without_people(self, request: HttpRequest, items: Any, about_them: Any) -> Any:
        if request.user.has_perm("shop.view_user"):
            return items
        return [item for item in items if item != about_them]


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
