"""Searching without case and accents, and autocomplete fields whose labels say where a row is."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.db import models
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from shop.text import fold_search


class FoldedSearch(ModelAdmin):
    """Every word of the search must be in one of `search_fields`, columns of folded text."""

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet, search_term: str
    ) -> tuple[models.QuerySet, bool]:
        for word in fold_search(search_term.replace("\x00", "")).split():
            found = models.Q()
            for field in self.get_search_fields(request):
                found |= models.Q(**{f"{field}__contains": word})
            queryset = queryset.filter(found)
        return queryset, False


class LabelledAdmin(ModelAdmin):
    """Rows whose name alone does not say which is meant."""

    def labels(self, rows: Iterable[Any]) -> dict[int, str]:
        """A label for each row by primary key, in a constant number of statements."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.labels_view)
        return [path("labels/", view, name=_url_name(self.model)), *super().get_urls()]

    def labels_view(self, request: HttpRequest) -> HttpResponseBase:
        return _LabelsView.as_view(admin_site=self.admin_site)(request)


class _LabelsView(AutocompleteJsonView):
    model_admin: Any

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        self.labels = self.model_admin.labels(context["object_list"])
        return context

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        return super().serialize_result(obj, to_field_name) | {"text": self.labels[obj.pk]}


class _LabelsUrl:
    field: Any
    admin_site: admin.AdminSite

    def get_url(self) -> str:
        return reverse(f"{self.admin_site.name}:{_url_name(self.field.remote_field.model)}")


class LabelledSelect(_LabelsUrl, AutocompleteSelect):
    """Autocomplete over a LabelledAdmin."""


class LabelledSelectMultiple(_LabelsUrl, AutocompleteSelectMultiple):
    """Autocomplete over a LabelledAdmin, for several rows."""


class _Labels:
    def label_from_instance(self, obj: Any) -> str:
        model_admin: Any = admin.site.get_model_admin(type(obj))
        return model_admin.labels([obj])[obj.pk]


class LabelledChoiceField(_Labels, ModelChoiceField):
    """One row of a LabelledAdmin."""


class LabelledMultipleChoiceField(_Labels, ModelMultipleChoiceField):
    """Several rows of a LabelledAdmin."""


def _url_name(model: type[models.Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}_labels"
