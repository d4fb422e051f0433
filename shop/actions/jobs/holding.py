"""Who runs a job: one runner at a time, known by a lease that it renews.

A lease that has run out is free for the next runner; whoever lost it finds out at its next write,
which is guarded, and writes nothing more. While a job waits in the queue, `lease_until` says when
it is asked for once more, should the message have been lost.
"""

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Self

from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from shop import events
from shop.actions import audit
from shop.database import background_thread
from shop.errors import AlreadyFinished
from shop.models import Job, JobStatus
from shop.outbox.running import Later

logger = logging.getLogger(__name__)

# Seconds that a runner may be silent.
LEASE = 30.0
# Seconds between two writes of the progress.
_RENEW = 1.0
# Seconds after which a job that still waits is asked for again.
ASK_AGAIN = 900.0
# Runs that may die before the job itself is taken to be the cause.
ATTEMPTS = 5
DIED = (
    f"The worker died {ATTEMPTS} times at the same place; its log has the reasons. "
    "What was done stays done."
)
STOPPED = "It was cancelled. What was done until then stays done."
_WAITED_FOR = (JobStatus.QUEUED, JobStatus.RUNNING)
_RESUMED_AT_ONCE = 100


class Lost(Exception):
    """Another runner has the job, or nobody is to have it: stop without a further write."""


class Cancelled(Exception):
    """Someone wants the job to end here."""


class Hold:
    """The right to run a job, for as long as it is renewed.

    Args:
        job: as it was claimed.
        runner: by whom.
    """

    def __init__(self, job: Job, runner: uuid.UUID) -> None:
        self.job = job
        self._mine = Job.objects.filter(pk=job.pk, runner=runner, status=JobStatus.RUNNING)
        self._renewed = 0.0
        self._done = job.done

    def check(self) -> None:
        """Raises Lost or Cancelled when the run is to end here."""
        cancel = self._mine.values_list("cancel_requested", flat=True).first()
        if cancel is None:
            raise Lost
        if cancel:
            raise Cancelled

    def advance(self, **fields: Any) -> None:
        """Writes how far the job is, unless it did a moment ago. Raises as `check` does.

        Who gets ahead is not what kills the workers: the count of those that died begins anew.
        """
        self.check()
        if time.monotonic() - self._renewed >= _RENEW:
            if fields.get("done", 0) > self._done:
                self._done = fields["done"]
                fields["attempts"] = 1
            self.renew(**fields)

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Renews the lease from a thread: a batch, or a large file, may take longer than it."""
        stopped = threading.Event()
        thread = threading.Thread(target=self._beat, args=[stopped], daemon=True, name="lease")
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def _beat(self, stopped: threading.Event) -> None:
        background_thread()
        while not stopped.wait(LEASE / 3):
            try:
                if not self._mine.update(lease_until=_after(LEASE)):
                    break
            except DatabaseError:
                # It may be back at the next beat; the runner itself finds out at its next write.
                logger.warning("The lease of job %s could not be renewed.", self.job.pk)
        connection.close()

    def renew(self, **fields: Any) -> None:
        """Keeps the job for another LEASE seconds. Raises Lost."""
        if not self._mine.update(lease_until=_after(LEASE), **fields):
            raise Lost
        self._renewed = time.monotonic()

    def release(self) -> None:
        """Lets the next runner have the job at once."""
        self._mine.update(lease_until=timezone.now())

    def finish(self, status: JobStatus, **fields: Any) -> None:
        """Writes the end of the job, and the event that tells of it. Raises Lost."""
        if not _end(self._mine, self.job, status, **fields):
            raise Lost

    @classmethod
    def claim(cls, job_id: int) -> Self | None:
        """The right to run a job; None when there is nothing to run any more.

        Raises:
            Later: somebody else runs it.
        """
        job = Job.objects.filter(pk=job_id).first()
        now = timezone.now()
        if job is None or job.status not in _WAITED_FOR:
            return None
        if job.status == JobStatus.RUNNING and job.lease_until and job.lease_until > now:
            raise Later(max((job.lease_until - now).total_seconds(), _RENEW))
        if job.attempts >= ATTEMPTS:
            _end(_unchanged(job, now), job, JobStatus.FAILED, error=DIED)
            return None
        runner = uuid.uuid4()
        taken = _unchanged(job, now).update(
            status=JobStatus.RUNNING,
            runner=runner,
            lease_until=_after(LEASE),
            attempts=job.attempts + 1,
            started_at=job.started_at or now,
        )
        if not taken:
            raise Later(_RENEW)
        job.refresh_from_db()
        return cls(job, runner)


def facts(job: Job) -> dict[str, Any]:
    """What the audit tells of a job: what it was to do, and whether it was stopped."""
    asked = ("overwrite", "dry_run", "delimiter", "created_min", "created_max", "statuses")
    how = {name: job.options.get(name) for name in asked}
    names = ("kind", "file_name", "status", "cancel_requested")
    return {name: getattr(job, name) for name in names} | how


@transaction.atomic
@audit.recorded("job.cancel", facts)
def cancel(job: Job) -> Job:
    """Ends `job`: at once while it waits, else between two batches. What was done stays.

    Raises:
        AlreadyFinished: there is nothing left to end.
    """
    job = Job.objects.select_for_update().get(pk=job.pk)
    audit.held(job)
    this = Job.objects.filter(pk=job.pk)
    if job.status == JobStatus.QUEUED:
        _end(this, job, JobStatus.CANCELLED, error=STOPPED, cancel_requested=True)
    elif job.status == JobStatus.RUNNING:
        this.update(cancel_requested=True)
    else:
        raise AlreadyFinished("The job has ended already.", field=["id"])
    job.refresh_from_db()
    return job


def resume_lost() -> int:
    """Queues the jobs whose runner died, and those whose message was lost; counts them."""
    now = timezone.now()
    lost = Job.objects.filter(status__in=_WAITED_FOR, lease_until__lte=now)
    return sum(_resume(job, now) for job in lost.order_by("pk")[:_RESUMED_AT_ONCE])


@transaction.atomic
def _resume(job: Job, now: Any) -> bool:
    rows = _unchanged(job, now).filter(lease_until__lte=now)
    if job.cancel_requested:
        return _end(rows, job, JobStatus.CANCELLED, error=STOPPED)
    if job.attempts >= ATTEMPTS:
        return _end(rows, job, JobStatus.FAILED, error=DIED)
    # In the queue its next time to be asked for, so that the clock does not fill the queue.
    if not rows.update(status=JobStatus.QUEUED, runner=None, lease_until=_after(ASK_AGAIN)):
        return False
    events.emit("job.queued", job)
    return True


def _unchanged(job: Job, now: Any) -> models.QuerySet[Job]:
    """The row of `job`, if nobody has touched who runs it since it was read."""
    rows = Job.objects.filter(
        pk=job.pk, status=job.status, runner=job.runner, attempts=job.attempts
    )
    return rows.filter(lease_until__lte=now) if job.status == JobStatus.RUNNING else rows


@transaction.atomic
def _end(rows: models.QuerySet[Job], job: Job, status: JobStatus, **fields: Any) -> bool:
    ended = rows.update(
        status=status, finished_at=timezone.now(), runner=None, lease_until=None, **fields
    )
    if ended:
        events.emit("job.finished", job, status=status.value)
    return bool(ended)


def _after(seconds: float) -> Any:
    return timezone.now() + timedelta(seconds=seconds)
