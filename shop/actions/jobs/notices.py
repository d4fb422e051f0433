"""The mail to whoever started a job, when it has ended."""

from django.conf import settings
from django.urls import reverse

from shop.actions import mails
from shop.models import Job, JobKind, JobStatus, User

# Problems that the mail shows; the screen has more, the file all.
_SHOWN = 10


def tell(job_id: int) -> None:
    """Mails what became of a job to who started it, once; nobody is told when they have no account.

    Raises:
        OSError: the mail server does not take it.
    """
    job = Job.objects.select_related("created_by").filter(pk=job_id).first()
    user = job.created_by if job else None
    if job is None or user is None or not user.is_active or not user.email:
        return
    if job.kind == JobKind.EXPORT_ACCOUNT:
        _tell_customer(job, user)
        return
    counts = ("created", "updated", "unchanged", "skipped", "products", "orders", "rows")
    address = reverse("admin:shop_job_change", args=[job.pk])
    context = {
        "name": user.name,
        "kind": job.kind,
        "status": job.status,
        "file_name": job.file_name,
        "dry_run": bool(job.options.get("dry_run")),
        "counts": {name: job.result[name] for name in counts if name in job.result},
        "error": job.error,
        "problem_count": job.problem_count,
        "problems": job.problems[:_SHOWN],
        "url": f"{settings.SITE_URL}{address}",
    }
    mails.send(
        "job_finished", to=user.email, key=f"job-finished-{job.pk}", context=context, user=user
    )


def _tell_customer(job: Job, user: User) -> None:
    """Customers have no admin: the file waits in their account, behind their password."""
    context = {
        "name": user.name,
        "succeeded": job.status == JobStatus.SUCCEEDED,
        "error": job.error,
        "url": settings.SITE_URL,
        "days": settings.JOB_DAYS,
    }
    mails.send(
        "account_exported", to=user.email, key=f"job-finished-{job.pk}", context=context, user=user
    )
