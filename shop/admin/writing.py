"""How the admin writes: forms gather what changed, actions write it, their refusals are shown.

An action that refuses (raises a ShopError) rolls the whole request back. The form is then shown
once more, with the refusal beside the field that it is about.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import models, transaction
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import PaginationInlineFormSet

from shop.errors import DuplicateSlug, NotFound, ShopError

MAIN_FORM = None


class Refused(Exception):
    """An action would not do what one form asks.

    Attributes:
        error: why not.
        prefix: of the form in question; MAIN_FORM for the page's own.
    """

    def __init__(self, error: ShopError, prefix: str | None) -> None:
        self.error = error
        self.prefix = prefix
        super().__init__(error.message)


@contextmanager
def refused_at(prefix: str | None) -> Iterator[None]:
    """Turns a ShopError raised within into a refusal of the form with this prefix."""
    try:
        yield
    except ShopError as error:
        raise Refused(error, prefix) from error


class RefusableForm(forms.BaseForm):
    """A form that shows what an action refuses."""

    # What a ShopError calls a field, where the form calls it something else.
    field_names: ClassVar[dict[str, str]] = {}

    def show(self, error: ShopError) -> None:
        """Puts `error` beside the field that it is about, or above the form."""
        for one in error.each:
            self.add_error(self.field_at(one.field), one.message)

    def field_at(self, path: Sequence[str]) -> str | None:
        """The form's name for what a ShopError is about; None for the whole form."""
        names = (self.field_names.get(name, snake_case(name)) for name in reversed(path))
        return next((name for name in names if name in self.fields), None)


class ActionForm(RefusableForm, forms.ModelForm):
    """Checks input; what is left to check, the action checks when it writes."""

    refused: Refused | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].error_messages["unique"] = DuplicateSlug.message
            if not self.instance.pk:
                self.fields["slug"].required = False
                self.fields["slug"].help_text = "Left empty, it is made from the name."
        for field in self.fields.values():
            if isinstance(field, forms.SplitDateTimeField | forms.DateTimeField):
                zone = f"In the time zone {settings.SHOP_TIME_ZONE}."
                field.help_text = f"{field.help_text} {zone}".strip()

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.refused and self.refused.prefix == self.prefix:
            self.show(self.refused.error)
        return cleaned

    def changes(self) -> dict[str, Any]:
        """The values that differ from the stored ones, as actions take them."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data}
        changed.pop(DELETION_FIELD_NAME, None)
        if not changed.get("slug", True):
            del changed["slug"]
        return changed


class ActionFormSet(PaginationInlineFormSet):
    """Rows of an inline, written one by one through actions: removals, changes, additions."""

    def write(self) -> None:
        """Writes all rows; the parent is saved already."""
        self.removed = [form for form in self.deleted_forms if form.instance.pk]
        self.kept = [form for form in self.initial_forms if form not in self.removed]
        self.added = [
            form
            for form in self.extra_forms
            if form.has_changed() and form not in self.deleted_forms
        ]
        # Django's log of changes reads these three.
        self.deleted_objects = [form.instance for form in self.removed]
        self.changed_objects = [
            (form.instance, form.changed_data) for form in self.kept if form.has_changed()
        ]
        self.new_objects: list[models.Model] = []
        self.write_rows()

    def write_rows(self) -> None:
        for form in self.removed:
            # A row about to go shows no errors, so the refusal stands above the page's form.
            with refused_at(MAIN_FORM):
                self.delete_row(fresh(form.instance))
        for form in self.kept:
            if changes := form.changes():
                with refused_at(form.prefix):
                    self.change_row(fresh(form.instance), changes)
        for form in self.added:
            with refused_at(form.prefix):
                self.new_objects.append(self.add_row(form.changes()))
        if self.is_reordered:
            self.reorder(self.positions)

    @property
    def is_reordered(self) -> bool:
        return any("position" in form.changed_data for form in self.kept)

    @property
    def positions(self) -> dict[int, int]:
        """The places that the form gives to the rows of this page, by primary key."""
        return {form.instance.pk: form.cleaned_data["position"] or 0 for form in self.kept}

    def add_row(self, fields: dict[str, Any]) -> models.Model:
        raise NotImplementedError

    def change_row(self, row: Any, changes: dict[str, Any]) -> None:
        raise NotImplementedError

    def delete_row(self, row: Any) -> None:
        raise NotImplementedError

    def reorder(self, positions: dict[int, int]) -> None:
        raise NotImplementedError


class RowForm(ActionForm):
    """A row of an inline."""

    def validate_unique(self) -> None:
        """The action sees to it, once the rows that go are gone and may be followed by others."""

    def has_changed(self) -> bool:
        # Dragging numbers all rows, those also that were added and left empty.
        ignored = set() if self.instance.pk else {"position"}
        return not ignored.issuperset(self.changed_data)

    def changes(self) -> dict[str, Any]:
        """As for any form; the position is the whole formset's matter."""
        changed = super().changes()
        changed.pop("position", None)
        return changed


class ActionInline(TabularInline):
    """Rows that belong to the page's object."""

    form = RowForm
    formset = ActionFormSet
    # Whether the page that adds an object has it.
    of_new_rows = True
    extra = 0
    hide_title = True
    per_page = 25

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.refused = getattr(request, "refused", None)
        if "position" in formset.form.base_fields:
            # Given by dragging; new rows come last.
            formset.form.base_fields["position"].required = False
        return formset


class ActionAdmin(ModelAdmin):
    """A screen whose rows are written by the three methods below."""

    form = ActionForm
    list_filter_submit = True
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    warn_unsaved_form = True

    def get_inlines(self, request: HttpRequest, obj: Any) -> Sequence[Any]:
        inlines = super().get_inlines(request, obj)
        return [one for one in inlines if obj or getattr(one, "of_new_rows", True)]

    def create_row(self, fields: dict[str, Any]) -> models.Model:
        raise NotImplementedError

    def change_row(self, row: Any, changes: dict[str, Any]) -> models.Model:
        raise NotImplementedError

    def delete_row(self, row: Any) -> None:
        raise NotImplementedError

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        form.refused = getattr(request, "refused", None)
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refused as refused:
            # Everything is rolled back. The form in question now finds itself invalid.
            request.refused = refused  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return super().changelist_view(request, *args, **kwargs)
        try:
            with transaction.atomic():
                return super().changelist_view(request, *args, **kwargs)
        except ShopError as error:
            self.message_user(request, error.message, messages.ERROR)
            return redirect(request.get_full_path())

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().delete_view(request, *args, **kwargs)
        except ShopError as error:
            self.message_user(request, error.message, messages.ERROR)
            return redirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        changes = self.changes_to_save(form)
        with refused_at(form.prefix):
            if not change:
                row = self.create_row(changes)
            elif changes:
                row = self.change_row(fresh(obj), changes)
            else:
                row = obj
        obj.pk = row.pk
        obj._state.adding = False
        obj.refresh_from_db()

    def changes_to_save(self, form: ActionForm) -> dict[str, Any]:
        return form.changes()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        for formset in formsets:
            formset.write()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_row(fresh(obj))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset.order_by("pk"):
            self.delete_row(row)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple:
        """As Django's, but rows that go with their owner need no permission of their own."""
        listed, counts, needed, protected = super().get_deleted_objects(objs, request)
        owned = {
            model._meta.verbose_name
            for model in self.admin_site._registry
            if isinstance(self.admin_site.get_model_admin(model), ReadOnlyAdmin)
        }
        return listed, counts, needed - owned, protected


class ReadOnlyAdmin(ModelAdmin):
    """A screen for looking only: other parts of the shop keep these rows."""

    list_filter_submit = True
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def fresh(row: Any) -> Any:
    """`row` as it is stored: the form has already set its input on the one in hand."""
    stored = type(row)._default_manager.filter(pk=row.pk).first()
    if stored is None:
        raise NotFound("It has been deleted meanwhile.")
    return stored


def arranged(rows: Iterable[Any], positions: dict[int, int]) -> list[Any]:
    """`rows` with those in `positions` in their new order, in the places that they had."""
    in_order = list(rows)
    slots = [index for index, row in enumerate(in_order) if row.pk in positions]
    moved = sorted((in_order[slot] for slot in slots), key=lambda row: positions[row.pk])
    for slot, row in zip(slots, moved, strict=True):
        in_order[slot] = row
    return in_order


def snake_case(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()
