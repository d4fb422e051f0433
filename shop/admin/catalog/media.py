"""The pictures of a product, on the product's page, and thumbnails for lists."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.files.storage import default_storage
from django.core.validators import MaxLengthValidator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from shop.actions.catalog import media
from shop.actions.catalog.derived import lock
from shop.admin.writing import ActionFormSet, ActionInline, RowForm, arranged
from shop.models import Media, ThumbnailSize


def thumbnail_url(picture: Media) -> str:
    """Where the smallest version of `picture` is, before and after thumbnails are drawn."""
    if name := picture.thumbnails.get(ThumbnailSize.SMALL):
        return default_storage.url(name)
    return picture.file.url if picture.file else picture.url


def thumbnail(picture: Media | None, *, rem: float = 2.5) -> str:
    """A square picture; an empty square for none, so that rows stay in line."""
    box = f"width: {rem}rem; height: {rem}rem; border-radius: 6px"
    if picture is None:
        return format_html(
            '<span class="block bg-base-100 dark:bg-base-800" style="{}"></span>', box
        )
    return format_html(
        '<img src="{}" alt="{}" loading="lazy" style="{}; max-width: none; object-fit: cover">',
        thumbnail_url(picture),
        picture.alt,
        box,
    )


class _Nothing(forms.Widget):
    """In the place of an input that this row does not have."""

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return SafeString()


class MediaForm(RowForm):
    upload = forms.FileField(
        required=False, widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/*"})
    )
    address = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "or https://…"}),
        validators=[MaxLengthValidator(2000)],
    )
    field_names: ClassVar[dict[str, str]] = {"file": "upload", "url": "address"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "upload" in self.fields:
            # A picture is not exchanged for another: links to it would show something else.
            self.fields["upload"].disabled = True
            self.fields["upload"].widget = _Nothing()
            self.fields["address"].disabled = True
            self.initial["address"] = self.instance.url or self.instance.file.url

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        given = bool(self.cleaned_data.get("upload")) + bool(self.cleaned_data.get("address"))
        if not self.instance.pk and given != 1 and not self.errors:
            self.add_error("upload", "Choose a file or give an address, one of the two.")
        return cleaned


class MediaFormSet(ActionFormSet):
    # Names of the files stored for this page, to be deleted if it is rolled back.
    stored: list[str]

    def add_row(self, fields: dict[str, Any]) -> Media:
        alt = fields.get("alt", "")
        if not fields.get("upload"):
            return media.add_url(self.instance, fields["address"], alt=alt)
        added = media.add_upload(self.instance, fields["upload"], alt=alt)
        self.stored.append(str(added.file.name))
        return added

    def change_row(self, row: Media, changes: dict[str, Any]) -> None:
        media.update(row, alt=changes["alt"])

    def delete_row(self, row: Media) -> None:
        media.delete(row)

    def reorder(self, positions: dict[int, int]) -> None:
        lock(self.instance)
        rows = self.instance.media.order_by("position")
        media.reorder(self.instance, arranged(rows, positions))


class MediaInline(ActionInline):
    model = Media
    form = MediaForm
    formset = MediaFormSet
    fields = ("picture", "upload", "address", "alt", "position")
    readonly_fields = ("picture",)
    ordering = ("position",)
    ordering_field = "position"
    hide_ordering_field = True
    verbose_name = "picture"
    verbose_name_plural = "pictures"

    @admin.display(description="Picture")
    def picture(self, row: Media) -> str:
        return thumbnail(row, rem=4) if row.pk else ""
