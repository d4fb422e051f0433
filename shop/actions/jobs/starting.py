"""Starting a job: what cannot work is refused here, before anything is queued."""

import gzip
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from shop import events
from shop.actions import audit, importing
from shop.actions.importing import NotACatalog
from shop.actions.jobs import files
from shop.actions.jobs.holding import ASK_AGAIN, facts
from shop.errors import FileTooLarge, Invalid
from shop.models import Job, JobKind

_GZIP = b"\x1f\x8b"
_CHUNK = 1024 * 1024


def start_import(upload: File, *, by: Any, overwrite: bool = False, dry_run: bool = False) -> Job:
    """Queues the import of a product CSV in Shopify's layout, plain or gzipped.

    The file is read through here, and stored, before a transaction is begun.

    Args:
        upload: seekable; stays as it is, or is moved into the storage when it is a file on disk.
        by: the user who asks; the outcome is mailed to them.
        overwrite, dry_run: as `importing.run` takes them.

    Raises:
        FileTooLarge: more than IMPORT_MAX_BYTES, or more than that unpacked.
        NotACatalog: no product CSV; says why.
    """
    _check_size(upload)
    upload.name = files.name_of(upload.name)
    try:
        importing.check([upload])  # type: ignore[list-item]
    except NotACatalog as error:
        raise NotACatalog(error.message, field=["file"]) from None
    packed = _is_packed(upload)
    upload.seek(0)
    folder = files.new_folder()
    stored = files.keep(folder, "upload.csv.gz" if packed else "upload.csv", upload)
    options = {"folder": folder, "overwrite": overwrite, "dry_run": dry_run}
    try:
        return queue(JobKind.IMPORT_PRODUCTS, options, by=by, file=stored, file_name=upload.name)
    except BaseException:
        files.remove(folder)
        raise


def start_export(*, by: Any, delimiter: str = ",") -> Job:
    """Queues an export of all products as a CSV that an import reads.

    Args:
        by: the user who asks; the outcome is mailed to them.
        delimiter: what separates the columns, one of `importing.DELIMITERS`.
    """
    if delimiter not in importing.DELIMITERS:
        raise ValueError(f"No delimiter: {delimiter!r}.")
    name = f"products-{timezone.now():%Y-%m-%d}.csv"
    options = {"folder": files.new_folder(), "delimiter": delimiter}
    return queue(JobKind.EXPORT_PRODUCTS, options, by=by, file_name=name)


def start_order_export(
    *,
    by: Any,
    created_min: datetime | None = None,
    created_max: datetime | None = None,
    statuses: Sequence[str] = (),
) -> Job:
    """Queues an export of orders as a CSV, a row for each line.

    Args:
        by: the user who asks; the outcome is mailed to them.
        created_min, created_max, statuses: as `exporting.orders.chosen` takes them.

    Raises:
        Invalid: the time ends before it begins.
    """
    if created_min and created_max and created_min > created_max:
        raise Invalid("The time ends before it begins.", field=["createdMax"])
    options = {
        "folder": files.new_folder(),
        "created_min": created_min and created_min.isoformat(),
        "created_max": created_max and created_max.isoformat(),
        "statuses": sorted(set(statuses)),
    }
    name = f"orders-{timezone.now():%Y-%m-%d}.csv"
    return queue(JobKind.EXPORT_ORDERS, options, by=by, file_name=name)


@transaction.atomic
@audit.recorded("job.create", facts)
def queue(kind: JobKind, options: dict[str, Any], *, by: Any, **fields: Any) -> Job:
    """Queues a job that nothing speaks against.

    Args:
        options: what the work needs to know, with `folder` for its files.
        by: the user who asks; the outcome is mailed to them.
        fields: of the model, by name.
    """
    asked_until = timezone.now() + timedelta(seconds=ASK_AGAIN)
    job = Job.objects.create(
        kind=kind, options=options, created_by=by, lease_until=asked_until, **fields
    )
    events.emit("job.queued", job)
    return job


def _check_size(upload: File) -> None:
    """Raises FileTooLarge. A small archive may hold more than any disk."""
    limit = settings.IMPORT_MAX_BYTES
    too_large = FileTooLarge(
        f"A catalog has at most {limit / 1024 / 1024:,.0f} MiB, unpacked.", field=["file"]
    )
    if upload.size > limit:
        raise too_large
    if not _is_packed(upload):
        return
    size = 0
    try:
        with gzip.GzipFile(fileobj=upload) as unpacked:
            while chunk := unpacked.read(_CHUNK):
                size += len(chunk)
                if size > limit:
                    raise too_large
    except (EOFError, zlib.error, gzip.BadGzipFile):
        # A damaged archive is told by the importer, in its own words.
        return


def _is_packed(upload: File) -> bool:
    upload.seek(0)
    start = upload.read(len(_GZIP))
    upload.seek(0)
    return start == _GZIP
