"""Webhooks: who outside is told of events, and how the telling went."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import (
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from shop.actions.webhooks import deliveries, endpoints, topics
from shop.admin.filters import DayRangeFilter
from shop.admin.writing import ActionAdmin, ActionForm, ReadOnlyAdmin, fresh
from shop.errors import ShopError
from shop.models import DeliveryState, User, WebhookDelivery, WebhookEndpoint

_LABELS = {
    DeliveryState.PENDING: "info",
    DeliveryState.DELIVERED: "success",
    DeliveryState.FAILED: "danger",
    DeliveryState.REFUSED: "warning",
}


class EndpointForm(ActionForm):
    """An endpoint. Whoever saves it is told to the action, which may make them the owner."""

    by: User
    topics = forms.MultipleChoiceField(
        choices=[(topics.ALL, "All, also those still to come"), *topics.TOPICS.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "description", "topics", "query", "is_active")

    def changes(self) -> dict[str, Any]:
        changed = super().changes()
        return {**changed, "by": self.by} if changed else {}


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ActionAdmin):
    form = EndpointForm
    readonly_fields = ("owner", "failures", "open_until", "created_at")
    fieldsets = (
        (None, {"fields": ("url", "description", "topics", "query", "is_active")}),
        ("How it goes", {"fields": ("owner", ("failures", "open_until"), "created_at")}),
    )
    list_display = ("url", "description", "is_active", "circuit", "failures", "created_at")
    list_filter = (("is_active", BooleanRadioFilter),)
    ordering = ("-created_at", "-id")
    sortable_by = ()
    search_fields = ("url", "description")
    search_help_text = "Address or description"
    actions = ("send_test", "rotate_secret")

    @display(description="Circuit", label={"closed": "success", "open": "danger"})
    def circuit(self, endpoint: WebhookEndpoint) -> str:
        return "closed" if endpoint.open_until is None else "open"

    @admin.action(description="Send a test", permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset.order_by("pk"):
            endpoints.send_test(endpoint)
            self.message_user(request, f"A test is on its way to {endpoint.url}.")

    @admin.action(description="Give a new secret", permissions=["change"])
    def rotate_secret(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset.order_by("pk"):
            self._tell_secret(request, endpoints.rotate_secret(endpoint))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        form.by = request.user
        super().save_model(request, obj, form, change)
        if not change:
            self._tell_secret(request, obj)

    def create_row(self, fields: dict[str, Any]) -> WebhookEndpoint:
        return endpoints.create(**fields)

    def change_row(self, row: WebhookEndpoint, changes: dict[str, Any]) -> WebhookEndpoint:
        return endpoints.update(row, **changes)

    def delete_row(self, row: WebhookEndpoint) -> None:
        endpoints.delete(row)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple:
        """As for others, but without a list of deliveries, of which there may be very many."""
        counts = {
            "webhook endpoints": len(objs),
            "webhook deliveries": WebhookDelivery.objects.filter(endpoint__in=objs).count(),
        }
        return [str(endpoint) for endpoint in objs], counts, set(), []

    def _tell_secret(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        message = f"The secret of {endpoint.url}, which is not shown again: {endpoint.secret}"
        self.message_user(request, message, messages.WARNING)


class TopicFilter(DropdownFilter):
    """Deliveries of one topic. All topics are offered: to look for those in use takes long."""

    title = "topic"
    parameter_name = "topic"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(topic, topic) for topic in (*topics.TOPICS, topics.TEST)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.value()
        return queryset.filter(topic=chosen) if chosen else queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    fields = (
        "uid",
        "endpoint",
        ("topic", "shown_state", "attempts"),
        ("status", "milliseconds"),
        "error",
        ("created_at", "next_at", "delivered_at"),
        "body",
    )
    readonly_fields = ("shown_state",)
    list_display = (
        "topic",
        "endpoint",
        "shown_state",
        "attempts",
        "status",
        "milliseconds",
        "created_at",
    )
    list_filter = (
        ("state", ChoicesDropdownFilter),
        TopicFilter,
        ("endpoint", RelatedDropdownFilter),
        ("created_at", DayRangeFilter),
    )
    list_select_related = ("endpoint",)
    ordering = ("-created_at", "-id")
    sortable_by = ()
    actions = ("send_again",)

    @display(description="State", label=_LABELS)
    def shown_state(self, delivery: WebhookDelivery) -> str:
        return delivery.state

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("shop.change_webhookdelivery")

    @admin.action(description="Send again", permissions=["replay"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        sent, refusals = self._replayed(queryset.order_by("pk"))
        if sent:
            self.message_user(request, f"{sent} on their way again.")
        for refusal in sorted(refusals):
            self.message_user(request, refusal, messages.ERROR)

    @staticmethod
    def _replayed(rows: Iterable[WebhookDelivery]) -> tuple[int, set[str]]:
        """How many are sent again, and why others are not."""
        sent, refusals = 0, set()
        for delivery in rows:
            try:
                deliveries.replay(fresh(delivery))
                sent += 1
            except ShopError as error:
                refusals.add(error.message)
        return sent, refusals
