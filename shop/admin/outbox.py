"""What runs in the background: tasks that failed, and events. Staff look, try again and drop."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import Truncator
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RadioFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from shop.actions import audit
from shop.actions.webhooks import topics
from shop.admin.webhooks import TopicFilter
from shop.admin.writing import ReadOnlyAdmin
from shop.models import DeferredTask, OutboxEvent, TaskState
from shop.outbox import dead_letters, subscriptions

_LABELS = {TaskState.WAITING.label: "warning", TaskState.DEAD.label: "danger"}
# Characters of an error that the list shows; its own screen has it whole.
_SHOWN = 80


class _Screen(ReadOnlyAdmin):
    """A screen that is not called what its rows are called in code."""

    screen_title: str
    sortable_by = ()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"title": self.screen_title, **(extra_context or {})}
        )


@admin.register(DeferredTask)
class DeferredTaskAdmin(_Screen):
    """Looks at tasks that failed; who may change them has them tried again, who may delete drops.

    With no broker, tasks that are to run for the first time are here too.
    """

    screen_title = "Dead letters and retries"
    fields = (
        "name",
        "args",
        ("shown_state", "attempts", "skipped"),
        ("next_at", "created_at", "updated_at"),
        ("key", "queue"),
        "error",
    )
    readonly_fields = ("shown_state",)
    list_display = (
        "name",
        "args",
        "shown_state",
        "attempts",
        "next_try",
        "short_error",
        "updated_at",
    )
    list_filter = (("state", ChoicesDropdownFilter),)
    ordering = ("-id",)
    search_fields = ("name", "key__exact")
    search_help_text = "Task, or the whole key"
    actions = ("try_again", "drop")

    @display(description="State", ordering="state", label=_LABELS)
    def shown_state(self, kept: DeferredTask) -> str:
        return kept.get_state_display()

    @display(description="Next try", empty_value="never")
    def next_try(self, kept: DeferredTask) -> Any:
        return kept.next_at if kept.state == TaskState.WAITING else None

    @display(description="Error")
    def short_error(self, kept: DeferredTask) -> str:
        return Truncator(kept.error.partition("\n")[0]).chars(_SHOWN)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("shop.change_deferredtask")

    def has_drop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("shop.delete_deferredtask")

    @admin.action(description="Try again", permissions=["replay"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[DeferredTask]) -> None:
        chosen = _keys(queryset)
        with audit.changing("task.replay", queryset, _facts):
            # The waiting ones first: the dead ones wait too once they are replayed.
            count = dead_letters.hurry(chosen) + dead_letters.replay(chosen)
        self.message_user(request, f"{count} to be tried again.", messages.SUCCESS)

    @admin.action(description="Drop", permissions=["drop"])
    def drop(self, request: HttpRequest, queryset: QuerySet[DeferredTask]) -> None:
        chosen = _keys(queryset)
        with audit.changing("task.drop", queryset, _facts):
            dropped = dead_letters.drop(chosen)
        if dropped:
            self.message_user(request, f"{dropped} dropped.", messages.SUCCESS)
        if dropped < len(chosen):
            text = "What waits to be tried again is not dropped."
            self.message_user(request, text, messages.WARNING)


class _EventTopicFilter(TopicFilter):
    """Events of one topic, also of those that nobody outside is told."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        heard = {topic for one in subscriptions.subscriptions for topic in one.topics}
        return [(topic, topic) for topic in sorted({*topics.TOPICS, *heard} - {topics.ALL})]


class _DispatchedFilter(RadioFilter):
    """Events that are told, or still to be."""

    title = "dispatched"
    parameter_name = "dispatched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return (("yes", "Dispatched"), ("no", "Still to be"))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(dispatched_at__isnull=self.value() == "no")


@admin.register(OutboxEvent)
class OutboxEventAdmin(_Screen):
    screen_title = "Events"
    # There may be very many, and to count them takes longer than to show a page.
    paginator = InfinitePaginator
    fields = (
        ("topic", "aggregate", "sequence"),
        "uid",
        "payload",
        ("created_at", "dispatched_at"),
    )
    list_display = ("topic", "aggregate", "sequence", "created_at", "dispatched_at")
    list_filter = (_EventTopicFilter, _DispatchedFilter)
    ordering = ("-id",)
    # Exactly: the index knows it, and "product:1" does not mean "product:12".
    search_fields = ("aggregate__exact",)
    search_help_text = "What it happened to, such as product:12"


def _facts(task: DeferredTask) -> dict[str, Any]:
    return {name: getattr(task, name) for name in ("name", "args", "state", "attempts", "next_at")}


def _keys(rows: QuerySet[DeferredTask]) -> list[str]:
    return list(rows.values_list("key", flat=True))
