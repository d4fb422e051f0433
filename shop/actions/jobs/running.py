"""Running a job to its end, and writing down how it ended."""

import logging
import uuid
from typing import Any

from django.db import InterfaceError, InternalError, OperationalError

from shop import metrics
from shop.actions.jobs.holding import STOPPED, Cancelled, Hold, Lost
from shop.actions.jobs.work import ExportOrdersWork, ExportWork, ImportWork, Work
from shop.errors import ShopError
from shop.models import JobKind, JobStatus

logger = logging.getLogger(__name__)

# The database is gone, locked or read-only: no fault of the job.
_AWAY = (OperationalError, InterfaceError, InternalError)
_WORK: dict[str, type[Work]] = {
    JobKind.IMPORT_PRODUCTS: ImportWork,
    JobKind.EXPORT_PRODUCTS: ExportWork,
    JobKind.EXPORT_ORDERS: ExportOrdersWork,
}


def register(kind: JobKind, work: type[Work]) -> None:
    """Has jobs of `kind` done by `work`, which belongs to a domain above this one."""
    _WORK[kind] = work


def run(job_id: int) -> None:
    """Runs a job that waits, or whose runner died. Running an ended one does nothing.

    Raises:
        Later: somebody else runs it.
        OperationalError, InterfaceError, InternalError: the database is gone or takes no writes;
            the job is as it was, to be tried again.
    """
    hold = Hold.claim(job_id)
    if hold is None:
        return
    work = _WORK[hold.job.kind](hold)
    try:
        with hold.kept_alive():
            status, error = _outcome(work)
        hold.finish(status, error=error, **_account(work))
    except Lost:
        # What was written is whole; the other runner goes on from there.
        logger.warning("Job %s has another runner; this one stops.", job_id)
        return
    except _AWAY:
        _release(hold)
        raise
    metrics.count("jobs.finished", kind=hold.job.kind, status=status.value)


def _outcome(work: Work) -> tuple[JobStatus, str]:
    """How the work ended, and why, in words that people may see."""
    try:
        work.hold.check()
        work.run()
    except (Lost, *_AWAY):
        raise
    except Cancelled:
        return JobStatus.CANCELLED, STOPPED
    except ShopError as error:
        return JobStatus.FAILED, error.message
    except Exception as error:  # noqa: BLE001 - masked, logged, told with an id.
        return JobStatus.FAILED, _masked(error, work.hold)
    return JobStatus.SUCCEEDED, ""


def _account(work: Work) -> dict[str, Any]:
    """What the job came to; without it, should the storage not take the file of problems."""
    try:
        return work.account()
    except _AWAY:
        raise
    except Exception:
        logger.exception("The account of job %s is incomplete.", work.hold.job.pk)
        return work.fields


def _masked(error: Exception, hold: Hold) -> str:
    error_id = uuid.uuid4().hex
    logger.error("Internal error %s in job %s", error_id, hold.job.pk, exc_info=error)
    return f"Something went wrong on our side. The log has details under {error_id}."


def _release(hold: Hold) -> None:
    try:
        hold.release()
    except _AWAY:
        logger.warning("Job %s waits for its lease to end.", hold.job.pk)
