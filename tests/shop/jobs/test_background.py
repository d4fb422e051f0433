"""Jobs where there is no broker: kept in the database, run by threads."""

import time
from typing import Any

import pytest
from celery import current_app
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile

from shop.actions import jobs
from shop.models import DeferredTask, Job, Product, User
from shop.outbox import dispatching
from shop.outbox.crew import Crew
from shop.outbox.dispatching import Dispatcher
from shop.outbox.processing import loop, publisher

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crew(settings: Any, shared_database: None) -> Any:
    """`crew()`: dispatches, and has threads run what is due, until nothing is left."""
    settings.BACKGROUND = "threads"
    threads = Crew(loop.wake)

    def work() -> None:
        deadline = time.monotonic() + 20
        while True:
            # Asked first: a task that ends meanwhile may have left an event to dispatch.
            waiting = DeferredTask.objects.exists()
            dispatched = Dispatcher(publisher()).drain()
            threads.turn()
            if not (dispatched or waiting):
                return
            assert time.monotonic() < deadline, list(DeferredTask.objects.values())
            time.sleep(0.05)

    yield work
    threads.wait(20)


def test_threads_run_a_job_and_mail_its_end(crew: Any, staff: User) -> None:
    content = b"Handle,Title\nmug,Mug\nvase,Vase\n"
    job = jobs.start_import(SimpleUploadedFile("spring.csv", content), by=staff)
    assert Job.objects.get().status == "queued"
    crew()
    job.refresh_from_db()
    assert (job.status, job.attempts, Product.objects.count()) == ("succeeded", 1, 2)
    assert [sent.to for sent in mail.outbox] == [[staff.email]]


def test_a_job_may_take_longer_than_other_tasks() -> None:
    task = current_app.tasks["shop.run_job"]
    assert task.soft_time_limit < task.time_limit
    assert task.soft_time_limit > 10 * current_app.conf.task_time_limit
    assert task.soft_time_limit > dispatching.TRY_LEASE
