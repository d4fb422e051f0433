"""Imports and exports: how far they are, and what came of them."""

import datetime
from types import SimpleNamespace
from typing import Any, ClassVar

import django_filters
import graphene
from django.urls import reverse
from django.utils import timezone

from schema.base import StaffNode
from schema.engine.connections import BatchField, ComputedField, ConnectionField, ObjectField
from schema.engine.errors import BadRequest
from schema.engine.filters import EnumListFilter
from schema.engine.keyset import SortField
from schema.engine.nodes import decode_id
from schema.permissions import SIGNED_IN, require
from shop import models
from shop.actions import jobs
from shop.actions.importing import DELIMITERS, Severity

_VIEW = "shop.view_job"
MAX_PROBLEMS = 100

JobKind = graphene.Enum.from_enum(
    models.JobKind,
    name="JobKind",
    description=lambda member: {
        None: "What a job does.",
        "IMPORT_PRODUCTS": "Takes an uploaded product CSV into the shop.",
        "EXPORT_PRODUCTS": "Writes all products as a CSV.",
        "EXPORT_ACCOUNT": "Writes all that the shop keeps about someone as JSON, for themself.",
        "EXPORT_ORDERS": "Writes orders as CSV, a row for each line.",
    }[member and member.name],
)
JobStatus = graphene.Enum.from_enum(
    models.JobStatus,
    name="JobStatus",
    description=lambda member: {
        None: "How far a job is. The last three are final.",
        "QUEUED": "Waits for a worker, at first or after one has died.",
        "RUNNING": "A worker is at it.",
        "SUCCEEDED": "Done. Products may have been skipped; `problems` say which.",
        "FAILED": "It could not be done; `error` says why. Whole products may have been imported.",
        "CANCELLED": "Stopped on demand. What was done until then stays done.",
    }[member and member.name],
)
ProblemSeverity = graphene.Enum.from_enum(
    Severity,
    name="ProblemSeverity",
    description=lambda member: {
        None: "How bad a problem is.",
        "ERROR": "The product or variant was left out.",
        "WARNING": "Taken, but not as it stands; someone should look.",
        "NOTICE": "Tidied by a rule; nothing needs doing.",
    }[member and member.name],
)

ProductFileDelimiter = graphene.Enum(
    "ProductFileDelimiter",
    [(word.upper(), delimiter) for delimiter, word in DELIMITERS.items()],
    description=lambda member: {
        None: "Separator of the columns of a product CSV.",
        "COMMA": "A comma.",
        "SEMICOLON": "A semicolon, as spreadsheets have it where a comma is the decimal sign.",
        "TAB": "A tab.",
        "PIPE": "A pipe, `|`.",
    }[member and member.name],
)


class JobProgress(graphene.ObjectType):
    """How far a job is."""

    done = graphene.Int(
        required=True,
        description="Lines of the file, or products or orders of an export, that are done.",
    )
    total = graphene.Int(description="All of them; null until they are counted.")
    percent = graphene.Int(
        required=True, description="From 0 to 100; 100 only when the job has succeeded."
    )


class JobProblem(graphene.ObjectType):
    """Something that was not taken as it stands."""

    row = graphene.Int(
        description="Line of the file on which the row at fault begins, from 1; null in exports."
    )
    handle = graphene.String(
        required=True, description="Handle of the product; empty when the row has none."
    )
    severity = graphene.Field(ProblemSeverity, required=True, description="How bad it is.")
    code = graphene.String(
        description="For programs, such as `SKU_TAKEN`; docs/importing.md lists them. Null in "
        "exports."
    )
    column = graphene.String(
        description="Header of the column at fault, as the file has it; null when a whole row or "
        "product is, and in exports."
    )
    message = graphene.String(
        required=True, description="For people, in one sentence, with the column."
    )


class JobResult(graphene.ObjectType):
    """What came of a job so far: counts, and links.

    When a worker died and another finished the job, the counts are those of both together, as far
    as they are known: what the first wrote in its last second may count as unchanged.
    """

    created = graphene.Int(description="New products; null in exports.")
    updated = graphene.Int(description="Products that were changed; null in exports.")
    unchanged = graphene.Int(description="Products that were as the file says; null in exports.")
    skipped = graphene.Int(description="Products that were left out; null in exports.")
    products = graphene.Int(
        description="Products of the file; null until the first are done, and in exports of orders."
    )
    orders = graphene.Int(description="Orders of the file; null but in exports of orders.")
    rows = graphene.Int(description="Rows of an exported file, without its header.")
    url = graphene.String(
        description="Where the exported file is; null in imports, in exports of the accounts of "
        "others, and in those of orders for who may not see orders. It works until "
        "`expiresAt`, for whoever has it, with no token."
    )
    file_name = graphene.String(
        required=True, description="How people call the uploaded or the exported file."
    )
    problems_url = graphene.String(
        description="Where all problems are as a CSV; null when there are none. Works as `url` does"
        "."
    )
    expires_at = graphene.DateTime(
        required=True, description="Until when the links work; asked again, there are new ones."
    )


class JobFilterSet(django_filters.FilterSet):
    """Conditions on jobs; all of them must be met."""

    operator_descriptions = {"kind": "what is done", "status": "how far it is"}

    kind__in = EnumListFilter(JobKind, "Any of these.", field_name="kind", lookup_expr="in")
    status__in = EnumListFilter(JobStatus, "Any of these.", field_name="status", lookup_expr="in")


def _progress(request: Any, status: str, done: int, total: int | None) -> Any:
    percent = min(done * 100 // total, 99) if total else 0
    if status == models.JobStatus.SUCCEEDED:
        percent = 100
    return SimpleNamespace(done=done, total=total, percent=percent)


def _problems(request: Any, problems: list[dict[str, Any]], first: int = 20) -> Any:
    if not 0 <= first <= MAX_PROBLEMS:
        raise BadRequest(
            f"`first` must be from 0 to {MAX_PROBLEMS}.", argument="first", max=MAX_PROBLEMS
        )
    # Jobs of earlier versions stored none.
    return [{"column": None, **problem} for problem in problems[:first]]


def _problems_cost(argument: Any, selection: int) -> int:
    first = argument("first")
    return 1 + (first if isinstance(first, int) else 20)


_RESULT = ("pk", "kind", "file", "file_name", "result", "created_by_id")


def _result(request: Any, *values: Any) -> Any:
    job = models.Job(**dict(zip(_RESULT, values, strict=True)))
    result, file_name = job.result, job.file_name
    counts = ("created", "updated", "unchanged", "skipped", "products", "orders", "rows")
    return SimpleNamespace(
        **{name: result.get(name) for name in counts},
        url=_link(request, job, "result"),
        problems_url=_link(request, job, "problems"),
        file_name=file_name,
        expires_at=timezone.now() + datetime.timedelta(seconds=jobs.LINK_SECONDS),
    )


def _link(request: Any, job: models.Job, part: Any) -> str | None:
    # A link opens the file to whoever holds it: in a message it would be held by too many.
    if getattr(request, "is_message", False) or not jobs.may_download(job, request.user):
        return None
    found = jobs.part_of(job, part)
    if found is None:
        return None
    return request.build_absolute_uri(
        reverse("download", args=[jobs.token_for(job, part), found[1]])
    )


def _starters(request: Any, keys: list[int]) -> dict[int, str]:
    seen = models.User.objects.visible_to(request.user)
    rows = models.Job.objects.filter(pk__in=keys, created_by__in=seen)
    return dict(rows.values_list("pk", "created_by__email"))


class _Problems(ComputedField):
    """The first problems of a job."""

    def __init__(self) -> None:
        super().__init__(
            graphene.List(graphene.NonNull(JobProblem)),
            columns=("problems",),
            compute=_problems,
            required=True,
            first=graphene.Argument(
                graphene.Int, description=f"How many, 0 to {MAX_PROBLEMS}; 20 when left out."
            ),
            description="The first problems, in the order of the file; known once the job has "
            "ended. `result.problemsUrl` has them all.",
        )
        self.resolver.cost = _problems_cost


class Job(StaffNode):
    """An import or an export, which runs in the background. One's own export the account."""

    permission = _VIEW
    own_rows = True

    kind = graphene.Field(JobKind, required=True, description="What it does.")
    status = graphene.Field(JobStatus, required=True, description="How far it is.")
    progress = ComputedField(
        JobProgress,
        columns=("status", "done", "total"),
        compute=_progress,
        required=True,
        description="How far it is in figures; ask again every second or two.",
    )
    problems = _Problems()
    problem_count = graphene.Int(required=True, description="Number of all problems.")
    result = ComputedField(
        JobResult,
        columns=_RESULT,
        compute=_result,
        required=True,
        description="What came of it so far.",
    )
    error = graphene.String(
        required=True, description="Why it failed or stopped, for people; else empty."
    )
    cancel_requested = graphene.Boolean(
        required=True, description="Whether it is to stop as soon as it can."
    )
    created_by_email = BatchField(
        graphene.String,
        load=_starters,
        description="E-mail address of who started it; null when that account is gone, or not "
        "for you to see.",
    )
    created_at = graphene.DateTime(required=True, description="When it was asked for.")
    started_at = graphene.DateTime(description="When a worker first began; null before.")
    finished_at = graphene.DateTime(description="When it ended, in whatever way; null before.")

    @classmethod
    def one(cls, root: Any, info: graphene.ResolveInfo, id: str) -> dict[str, Any]:  # noqa: A002
        """Everyone who is signed in may ask; what is not for them is not there."""
        require(info.context.user, SIGNED_IN)
        return {"pk": decode_id(info.schema, id, cls._meta.name)[1]}

    class Meta:
        model = models.Job
        filterset = JobFilterSet
        orderings = {"CREATED": SortField("created_at", "By time of creation.")}
        default_order = ("CREATED", "desc")


class JobsQuery(graphene.ObjectType):
    """Imports and exports."""

    # The list is for staff; the jobs that customers have are told to them by their ids.
    field_permissions: ClassVar[dict[str, str]] = {"jobs": _VIEW}

    jobs = ConnectionField(Job, rows=Job.all, description="Imports and exports.")
    job = ObjectField(
        Job,
        find=Job.one,
        id=graphene.Argument(graphene.ID, required=True, description="Its global id."),
        description="One import or export, or null.",
    )
