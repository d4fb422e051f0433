"""Reviews: staff read them and decide which are shown."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from unfold.contrib.filters.admin import (
    BooleanRadioFilter,
    ChoicesCheckboxFilter,
    RadioFilter,
)
from unfold.decorators import display

from shop.actions import reviews
from shop.admin.filters import DayRangeFilter
from shop.admin.lookups import FoldedSearch
from shop.admin.writing import ReadOnlyAdmin
from shop.errors import ShopError
from shop.models import Review, ReviewStatus

_LABELS = {
    ReviewStatus.PENDING.label: "warning",
    ReviewStatus.APPROVED.label: "success",
    ReviewStatus.REJECTED.label: "default",
}
# Characters of a text that the list shows; its own screen has it whole.
_SHOWN = 300
_STARS = range(5, 0, -1)


class RatingFilter(RadioFilter):
    """Reviews with so many stars."""

    title = "rating"
    parameter_name = "rating"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(stars), "★" * stars) for stars in _STARS]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.value()
        if chosen not in {str(stars) for stars in _STARS}:
            return queryset
        return queryset.filter(rating=int(chosen))


@admin.register(Review)
class ReviewAdmin(FoldedSearch, ReadOnlyAdmin):
    """Whoever may change reviews decides about them; nobody rewrites what customers wrote."""

    readonly_fields = ("stars", "shown_status")
    list_display = (
        "stars",
        "product",
        "title",
        "text",
        "author",
        "shown_status",
        "is_verified",
        "updated_at",
    )
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        RatingFilter,
        ("is_verified", BooleanRadioFilter),
        ("created_at", DayRangeFilter),
    )
    list_select_related = ("product", "user")
    ordering = ("-created_at", "-id")
    sortable_by = ()
    search_fields = ("product__search_text",)
    search_help_text = "The product's name, SKU or brand"
    actions = ("approve", "reject")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Who moderates need not know the customers.
        sees_users = request.user.has_perm("shop.view_user")
        return (
            ("product", "user") if sees_users else "product",
            ("stars", "shown_status", "is_verified"),
            "author",
            "title",
            "body",
            ("created_at", "updated_at"),
        )

    @admin.display(description="Rating")
    def stars(self, review: Review) -> str:
        return "★" * review.rating

    @admin.display(description="Text")
    def text(self, review: Review) -> str:
        return Truncator(review.body).chars(_SHOWN)

    @display(description="Status", label=_LABELS)
    def shown_status(self, review: Review) -> str:
        return review.get_status_display()

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("shop.change_review")

    @admin.action(description="Approve", permissions=["moderate"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Review]) -> None:
        self._moderate(request, queryset, ReviewStatus.APPROVED)

    @admin.action(description="Reject", permissions=["moderate"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Review]) -> None:
        self._moderate(request, queryset, ReviewStatus.REJECTED)

    def _moderate(
        self, request: HttpRequest, queryset: QuerySet[Review], status: ReviewStatus
    ) -> None:
        changed, refusals = 0, set()
        # By product, as all who hold several products do.
        for review in queryset.exclude(status=status).order_by("product", "pk"):
            try:
                reviews.moderate(review, status)
            except ShopError as error:
                refusals.add(error.message)
            else:
                changed += 1
                self.log_change(request, review, [{"changed": {"fields": ["Status"]}}])
        if changed:
            noun = "review is" if changed == 1 else "reviews are"
            self.message_user(request, f"{changed} {noun} now {status.label}.", messages.SUCCESS)
        for refusal in sorted(refusals):
            self.message_user(request, refusal, messages.ERROR)
