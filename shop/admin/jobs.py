"""Imports and exports: starting, watching and stopping them."""

from datetime import UTC, date, datetime, time
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.timezone import make_aware
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from shop.actions import jobs
from shop.actions.importing import DELIMITERS
from shop.admin.writing import ReadOnlyAdmin
from shop.errors import ShopError
from shop.models import Job, JobKind, JobStatus, OrderStatus

# Seconds until a screen that shows unfinished jobs is fetched again.
_REFRESH = 3
_ENDED = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)
# Problems that the screen shows; the file has them all.
_SHOWN = 100
_COUNTS = ("created", "updated", "unchanged", "skipped", "products", "orders", "rows")
_START, _SEE_ORDERS = "shop.add_job", "shop.view_order"


class ImportForm(forms.Form):
    """A catalog and how it is to be taken."""

    file = forms.FileField(
        label="Catalog",
        widget=UnfoldAdminFileFieldWidget,
        help_text="Product CSV in Shopify's layout, plain or gzipped. Columns separated by "
        "commas, semicolons, tabs or pipes; best in UTF-8.",
    )
    dry_run = forms.BooleanField(
        label="Rehearse",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Do everything, write nothing, and tell what would be.",
    )
    overwrite = forms.BooleanField(
        label="Overwrite",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Let the file win over what staff edited and what was sold since the last "
        "import.",
    )


class ExportOrdersForm(forms.Form):
    """Which orders are to be in the file."""

    since = forms.DateField(
        required=False,
        widget=UnfoldAdminTextInputWidget({"type": "date"}),
        help_text="Only those placed on this day or later, in the time zone of these pages.",
    )
    until = forms.DateField(
        required=False,
        widget=UnfoldAdminTextInputWidget({"type": "date"}),
        help_text="Only those placed on this day or earlier, in the time zone of these pages.",
    )
    statuses = forms.MultipleChoiceField(
        label="Status",
        required=False,
        choices=OrderStatus.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="All when none is chosen.",
    )
    # What a refusal calls a field, where the form calls it something else.
    field_names: ClassVar[dict[str, str]] = {"createdMax": "until"}

    def chosen(self) -> dict[str, Any]:
        """As `jobs.start_order_export` takes it: whole days."""
        given = self.cleaned_data
        times = {
            "created_min": (given["since"], time.min),
            "created_max": (given["until"], time.max),
        }
        return {
            "statuses": given["statuses"],
            **{name: day and _in_utc(day, at) for name, (day, at) in times.items()},
        }


def _in_utc(day: date, at: time) -> datetime:
    """A time of a day of the shop."""
    there = make_aware(datetime.combine(day, at))
    try:
        return there.astimezone(UTC)
    except OverflowError:
        # The first or the last day of the calendar.
        return there.replace(tzinfo=UTC)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Looks at jobs; whoever may add them starts them, whoever may change them stops them."""

    fields = (
        "kind",
        "file_name",
        "shown_status",
        "progress",
        "error",
        "counts",
        "downloads",
        "created_by",
        "created_at",
        "started_at",
        "finished_at",
        "attempts",
        "shown_problems",
    )
    readonly_fields = (
        "shown_status",
        "progress",
        "counts",
        "downloads",
        "withheld",
        "shown_problems",
    )
    list_display = (
        "name",
        "file_name",
        "shown_status",
        "progress",
        "problem_count",
        "created_by",
        "created_at",
        "finished_at",
    )
    list_filter = ("kind", "status")
    list_select_related = ("created_by",)
    ordering = ("-created_at", "-id")
    sortable_by = ()
    list_before_template = "admin/shop/job_start.html"
    change_form_outer_before_template = "admin/shop/job_cancel.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name="shop_job_import"),
            path("export/", view(require_POST(self.export_view)), name="shop_job_export"),
            path("export-orders/", view(self.export_orders_view), name="shop_job_export_orders"),
            path("<int:pk>/cancel/", view(require_POST(self.cancel_view)), name="shop_job_cancel"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        may_start = request.user.has_perm(_START)
        context = {
            "may_start": may_start,
            "delimiters": DELIMITERS.values(),
            "may_export_orders": may_start and request.user.has_perm(_SEE_ORDERS),
        }
        response = super().changelist_view(request, context | (kwargs.pop("extra_context", {})))
        if Job.objects.exclude(status__in=_ENDED).exists():
            response.headers["Refresh"] = str(_REFRESH)
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = Job.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        runs = job is not None and job.status not in _ENDED
        context = {
            "may_cancel": runs and request.user.has_perm("shop.change_job"),
            "job": job,
            **(extra_context or {}),
        }
        response = super().change_view(request, object_id, form_url, context)
        if runs:
            response.headers["Refresh"] = str(_REFRESH)
        return response

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        """The form that starts an import, and what it sends."""
        self._check(request, _START)
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                job = jobs.start_import(
                    given["file"],
                    by=request.user,
                    overwrite=given["overwrite"],
                    dry_run=given["dry_run"],
                )
            except ShopError as error:
                form.add_error("file", error.message)
            else:
                return self._to(job)
        return self._form(request, form, "Import products", button="Import", icon="upload_file")

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Starts an export."""
        self._check(request, _START)
        words = {word: delimiter for delimiter, word in DELIMITERS.items()}
        delimiter = words.get(request.POST.get("delimiter", "comma"))
        if delimiter is None:
            raise SuspiciousOperation("There is no such delimiter.")
        return self._to(jobs.start_export(by=request.user, delimiter=delimiter))

    def export_orders_view(self, request: HttpRequest) -> HttpResponseBase:
        """The form that starts an export of orders, and what it sends."""
        self._check(request, _START, _SEE_ORDERS)
        form = ExportOrdersForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                job = jobs.start_order_export(by=request.user, **form.chosen())
            except ShopError as error:
                form.add_error(form.field_names.get(".".join(error.field)), error.message)
            else:
                return self._to(job)
        return self._form(request, form, "Export orders", button="Export", icon="download")

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stops a job."""
        self._check(request, "shop.change_job")
        job = get_object_or_404(Job, pk=pk)
        try:
            job = jobs.cancel(job)
        except ShopError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            waits = job.status == JobStatus.RUNNING
            text = "It stops after what it is at." if waits else "It is cancelled."
            self.message_user(request, text, messages.SUCCESS)
        return self._to(job)

    @display(description="Job")
    def name(self, job: Job) -> str:
        return str(job)

    labels: ClassVar[dict[str, str]] = {
        JobStatus.QUEUED.label: "info",
        JobStatus.RUNNING.label: "warning",
        JobStatus.SUCCEEDED.label: "success",
        JobStatus.FAILED.label: "danger",
    }

    @display(description="Status", label=labels)
    def shown_status(self, job: Job) -> str:
        if job.cancel_requested and job.status == JobStatus.RUNNING:
            return "stopping"
        return job.get_status_display()

    @display(description="Progress")
    def progress(self, job: Job) -> str:
        percent = 100 if job.status == JobStatus.SUCCEEDED else 0
        if job.total and not percent:
            percent = min(job.done * 100 // job.total, 99)
        return format_html(
            '<div class="bg-base-200 rounded-default w-32 dark:bg-base-700" role="progressbar" '
            'aria-valuenow="{}"><div class="bg-primary-600 h-1.5 rounded-default" '
            'style="width: {}%"></div></div>{}%',
            percent,
            percent,
            percent,
        )

    @display(description="Counts")
    def counts(self, job: Job) -> str:
        told = [f"{job.result[name]:,} {name}" for name in _COUNTS if name in job.result]
        rehearsed = ["a rehearsal: nothing was written"] if job.options.get("dry_run") else []
        return ", ".join(told + rehearsed) or "–"

    @display(description="Files")
    def downloads(self, job: Job) -> str:
        found = [(part, jobs.part_of(job, part)) for part in jobs.PARTS]
        links = (
            (reverse("download", args=[jobs.token_for(job, part), names[1]]), names[1])
            for part, names in found
            if names
        )
        link = '<a href="{}" class="text-primary-600 underline">{}</a>'
        return format_html_join(", ", link, links) or "–"

    @display(description="Problems")
    def shown_problems(self, job: Job) -> str:
        lines = (
            (
                f"Row {problem['row']}, " if problem["row"] else "",
                problem["handle"],
                problem["severity"],
                problem["message"],
            )
            for problem in job.problems[:_SHOWN]
        )
        shown = format_html_join("", "<li>{}{}: {}: {}</li>", lines)
        if not shown:
            return str(job.problem_count or "–")
        first = f"The first {_SHOWN} of " if job.problem_count > _SHOWN else ""
        return format_html("<p>{}{}</p><ul>{}</ul>", first, f"{job.problem_count:,}", shown)

    @display(description="Files")
    def withheld(self, job: Job) -> str:
        if job.kind == JobKind.EXPORT_ACCOUNT:
            return "Only for whom it is about"
        return "Only for those who may view orders"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Files are for those who may have them, and links open them to whoever has the link."""
        if obj is None or (
            obj.kind != JobKind.EXPORT_ACCOUNT and jobs.may_download(obj, request.user)
        ):
            return self.fields
        return [name if name != "downloads" else "withheld" for name in self.fields]

    def _form(
        self, request: HttpRequest, form: forms.Form, title: str, **button: str
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "form": form,
            **button,
        }
        return TemplateResponse(request, "admin/shop/job_form.html", context)

    def _check(self, request: HttpRequest, *permissions: str) -> None:
        if not request.user.has_perms(permissions):
            raise PermissionDenied

    def _to(self, job: Job) -> HttpResponse:
        return redirect("admin:shop_job_change", job.pk)
