"""A worker is killed in the middle of an import: another completes it, each product once.

The worker is a process of its own on a database that is really shared: the test's PostgreSQL, or a
file of SQLite.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from shop.actions import jobs
from shop.models import Job, OutboxEvent, Product, User, Variant
from shop.outbox.running import Later
from tests.databases import database_url

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "mysql", reason="shown on two databases"),
]
ROOT = Path(__file__).parents[2]
PRODUCTS = 120
# As a worker does: whatever is queued, one job after the other. Slow enough to be killed.
WORKER = """
import time
import django
django.setup()
from shop.actions import jobs
from shop.actions.importing import runner
from shop.actions.jobs import holding, work
from shop.models import Job
runner.BATCH, holding._RENEW = 5, 0.0
advance = work.ImportWork._advance
def slowly(self, step):
    advance(self, step)
    time.sleep(0.05)
work.ImportWork._advance = slowly
while True:
    for job in Job.objects.filter(status="queued"):
        jobs.run(job.pk)
    time.sleep(0.05)
"""


@pytest.fixture
def shared(settings: Any, tmp_path: Path, shared_database: None) -> dict[str, str]:
    """The environment of another process on the same database and the same files."""
    # Nobody runs the job but the worker.
    settings.BACKGROUND = "threads"
    return os.environ | {
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "DATABASE_URL": database_url(),
        "PRIVATE_ROOT": str(tmp_path / "private"),
        "CELERY_BROKER_URL": "",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_import_whose_worker_is_killed_is_completed_by_another(
    shared: dict[str, str],
) -> None:
    assert not django_settings.CELERY_BROKER_URL
    rows = [f"mug-{number},Mug {number},Size,S,SKU-{number},10" for number in range(PRODUCTS)]
    header = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price"
    file = SimpleUploadedFile("spring.csv", "\n".join([header, *rows, ""]).encode())
    by = User.objects.create_superuser("staff@example.org")
    job = jobs.start_import(file, by=by)

    def now() -> Job:
        return Job.objects.get(pk=job.pk)

    worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=shared)
    try:
        until(lambda: now().result.get("created", 0) >= 20)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=10)
    killed = now()
    there = Product.objects.count()
    assert (killed.status, killed.attempts) == ("running", 1)
    assert 20 <= killed.result["created"] <= there < PRODUCTS
    # Its lease still holds.
    assert jobs.resume_lost() == 0
    with pytest.raises(Later):
        jobs.run(job.pk)
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert jobs.resume_lost() == 1
    jobs.run(job.pk)
    done = now()
    assert (done.status, len(done.result["attempts"]), done.error) == ("succeeded", 2, "")
    assert Product.objects.count() == Variant.objects.count() == PRODUCTS
    assert Product.objects.values("slug").distinct().count() == PRODUCTS
    # What the killed one had written and not told counts as unchanged.
    assert done.result["products"] == PRODUCTS
    assert done.result["created"] + done.result["unchanged"] == PRODUCTS
    assert done.result["unchanged"] == there - killed.result["created"] <= 5
    assert (done.done, done.total) == (PRODUCTS + 1, PRODUCTS + 1)
    assert OutboxEvent.objects.filter(topic="job.finished").count() == 1
