"""Filters of lists."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RadioFilter, RangeDateFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm
from unfold.utils import parse_date_str

from shop.admin.lookups import LabelledChoiceField, LabelledSelect
from shop.models.payments import has_open_dispute


class _SubtreeForm(AutocompleteDropdownForm):
    field: type[ModelChoiceField] = LabelledChoiceField
    widget = LabelledSelect


class SubtreeFilter(AutocompleteSelectFilter):
    """Rows in a category or anywhere below it."""

    form_class = _SubtreeForm

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.value()
        if not chosen:
            return queryset
        try:
            return queryset.filter(**{f"{self.field_path}__ancestors": int(chosen)})
        except ValueError as error:
            raise IncorrectLookupParameters(error) from error


class HasPriceFilter(RadioFilter):
    """Products whose variants have a price, or those that cannot be published for want of one."""

    title = "price"
    parameter_name = "priced"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return (("yes", "Has a price"), ("no", "Has no price"))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(min_price__isnull=self.value() == "no")


class OpenDisputeFilter(RadioFilter):
    """Orders with a payment that a bank asks back or about, or those without."""

    title = "open dispute"
    parameter_name = "disputed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return (("yes", "Has one"), ("no", "Has none"))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("yes", "no"):
            return queryset
        disputed = has_open_dispute()
        return queryset.filter(disputed if self.value() == "yes" else ~disputed)


class DayRangeFilter(RangeDateFilter):
    """From the start of the first day to the end of the last."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        first = self._day("from")
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
        last = self._day("to")
        if last:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": last + timedelta(days=1)})
        return queryset

    def _day(self, end: str) -> datetime | None:
        day = parse_date_str(self.used_parameters.get(f"{self.parameter_name}_{end}", ""))
        return make_aware(datetime.combine(day, time.min)) if day else None
