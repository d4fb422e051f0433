"""Files of jobs: each job has a folder in private storage, reached by signed links only."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from django.core import signing
from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.db.models import QuerySet

from shop.errors import NotFound
from shop.models import Job, JobKind, JobStatus

Part = Literal["result", "problems"]
PARTS: tuple[Part, ...] = ("result", "problems")
# A link works for this many seconds, for whoever holds it.
LINK_SECONDS = 3600
_SALT = "shop.downloads"
_PURGED_AT_ONCE = 200
_EXPORTS = (JobKind.EXPORT_PRODUCTS, JobKind.EXPORT_ACCOUNT, JobKind.EXPORT_ORDERS)
_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
# Whatever the clock is told to remove, it removes what ended then.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Download:
    """A file that may be sent to whoever asked.

    Attributes:
        file: open for reading; whoever sends it closes it.
        name: under which a browser keeps it.
        content_type: what it is, for HTTP.
    """

    file: File
    name: str
    content_type: str


def storage() -> Storage:
    """Where no address leads."""
    return storages["private"]


def new_folder() -> str:
    """The name of a folder that nobody can guess."""
    return f"jobs/{uuid.uuid4().hex}"


def keep(folder: str, name: str, file: File) -> str:
    """Stores `file` and tells its name in the storage."""
    return storage().save(f"{folder}/{name}", file)


def remove(folder: str) -> None:
    """Deletes a job's folder with all that is in it, also what a dead worker left there."""
    if not folder.startswith("jobs/"):
        return
    place = storage()
    try:
        names = place.listdir(folder)[1]
    except FileNotFoundError:
        return
    for name in names:
        place.delete(f"{folder}/{name}")
    place.delete(folder)


def withdraw(name: str) -> None:
    """Deletes a file that `keep` stored."""
    storage().delete(name)


@contextmanager
def opened(job: Job) -> Iterator[File]:
    """The uploaded file of `job`, under the name that people gave it.

    Raises:
        NotFound: it is gone.
    """
    try:
        file = storage().open(job.file)
    except FileNotFoundError:
        raise NotFound("The uploaded file is gone. Upload it again.") from None
    with file:
        # Problems and errors are told by this name, never by the one in the storage.
        file.name = job.file_name
        yield file


def name_of(upload_name: str | None) -> str:
    """What people call their file, fit for a line of text."""
    printable = (
        char if char.isprintable() and char not in "/\\" else " " for char in upload_name or ""
    )
    return " ".join("".join(printable).split())[-200:] or "products.csv"


def part_of(job: Job, part: Part) -> tuple[str, str] | None:
    """The stored name of a part of what `job` came to, and its name for people; None without."""
    if part == "problems":
        stored = str(job.result.get("problems_file", ""))
        return (stored, f"problems-{job.pk}.csv") if stored else None
    if job.kind in _EXPORTS and job.file:
        return job.file, job.file_name
    return None


def may_download(job: Job, user: Any) -> bool:
    """Whether `user`, who sees `job`, may have what it came to.

    An account is its owner's only; orders are for those who may see orders.
    """
    if job.kind == JobKind.EXPORT_ORDERS:
        return user.has_perm("shop.view_order")
    return job.kind != JobKind.EXPORT_ACCOUNT or job.created_by_id == user.pk


def token_for(job: Job, part: Part) -> str:
    """What opens a part of `job` for the next LINK_SECONDS."""
    return signing.dumps([job.pk, part], salt=_SALT)


def open_download(token: str) -> Download:
    """The file that a token opens.

    Raises:
        NotFound: the token is forged or expired, or the file is gone; all alike.
    """
    try:
        key, part = signing.loads(token, salt=_SALT, max_age=LINK_SECONDS)
    except signing.BadSignature:
        raise NotFound from None
    job = Job.objects.filter(pk=key).first()
    found = part_of(job, part) if job else None
    if found is None:
        raise NotFound
    try:
        return Download(storage().open(found[0]), found[1], _TYPES[found[1].rpartition(".")[2]])
    except FileNotFoundError:
        raise NotFound from None


@transaction.atomic
def discard(rows: QuerySet[Job]) -> None:
    """Deletes jobs with their files, whatever they are at, as soon as the transaction commits.

    Until then, and should this process die right after, they are nobody's and long over: the clock
    purges such. A runner that is at one finds that it has lost it.
    """
    keys = list(rows.values_list("pk", flat=True))
    these = Job.objects.filter(pk__in=keys)
    these.update(
        status=JobStatus.CANCELLED,
        runner=None,
        lease_until=None,
        created_by=None,
        finished_at=_LONG_AGO,
    )
    transaction.on_commit(partial(_remove, these), robust=True)


def purge(before: datetime) -> int:
    """Deletes jobs that ended before `before`, with their files, and counts them."""
    return _remove(Job.objects.filter(finished_at__lt=before))


def _remove(rows: QuerySet[Job]) -> int:
    total = 0
    while jobs := list(rows.order_by("pk")[:_PURGED_AT_ONCE]):
        for job in jobs:
            # The files first: a row without files is purged again, files without a row never.
            remove(str(job.options.get("folder", "")))
        total += Job.objects.filter(pk__in=[job.pk for job in jobs]).delete()[0]
    return total
