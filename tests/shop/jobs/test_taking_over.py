"""A job is run by one runner at a time, and ends when its runners die or it is cancelled."""

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from shop.actions import exporting, importing, jobs
from shop.actions.catalog import products
from shop.actions.jobs import files, holding, work
from shop.errors import AlreadyFinished
from shop.models import Job, Product, User
from shop.outbox.running import Later
from tests.shop.jobs.runners import Killed, die, kill_after, topics

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("batches")]


# --- Dying and taking over -----------------------------------------------------------------------


def test_a_lease_is_taken_over_after_it_has_run_out_and_not_before(
    queued: Any, between: Any
) -> None:
    job = queued()
    between(kill_after(2))
    with pytest.raises(Killed):
        jobs.run(job.pk)
    between(lambda done: None)
    with pytest.raises(Later) as later:
        jobs.run(job.pk)
    assert 25 < later.value.seconds <= 30
    assert jobs.resume_lost() == 0
    die(job)
    assert jobs.resume_lost() == 1
    assert Job.objects.get().status == "queued"
    assert jobs.resume_lost() == 0
    assert topics().count("job.queued") == 2


def test_counts_are_those_of_all_attempts(queued: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job = queued()
    advance = work.ImportWork._advance

    def killed(self: Any, step: importing.Progress) -> None:
        advance(self, step)
        kill_after(2)(step.products)

    with monkeypatch.context() as patched:
        patched.setattr(work.ImportWork, "_advance", killed)
        with pytest.raises(Killed):
            jobs.run(job.pk)
    die(job)
    first = Job.objects.get()
    assert (first.done, first.result["created"], first.started_at is None) == (5, 4, False)
    jobs.run(job.pk)
    job.refresh_from_db()
    counts = {name: job.result[name] for name in ("created", "updated", "unchanged", "products")}
    assert counts == {"created": 6, "updated": 0, "unchanged": 0, "products": 6}
    assert [attempt["created"] for attempt in job.result["attempts"]] == [4, 2]
    assert (job.attempts, job.started_at) == (1, first.started_at)
    assert Product.objects.count() == 6


@pytest.mark.parametrize("codec", ["utf-16", "utf-32-be", "cp1252"])
def test_a_file_in_another_encoding_is_taken_over_where_it_was(
    codec: str, staff: User, between: Any
) -> None:
    rows = [f"krug-{number};Krügel {number};10,5{number}" for number in range(6)]
    text = "\r".join(["sep=;", "Handle;Title;Variant Price", *rows, " "])
    job = jobs.start_import(SimpleUploadedFile("mac.csv", text.encode(codec)), by=staff)
    between(kill_after(2))
    with pytest.raises(Killed):
        jobs.run(job.pk)
    die(job)
    between(lambda done: None)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.done, job.total) == ("succeeded", 9, 9)
    assert [problem["code"] for problem in job.problems] == (
        ["ENCODING_ASSUMED"] if codec == "cp1252" else []
    )
    found = Product.objects.order_by("pk").values_list("name", "min_price")
    assert list(found) == [(f"Krügel {number}", 1050 + number) for number in range(6)]


def test_the_bar_does_not_go_back_when_another_takes_over(queued: Any, between: Any) -> None:
    job, seen = queued(), []
    Job.objects.update(status="running", runner=uuid.uuid4(), done=5, total=7, attempts=1)
    die(job)
    between(lambda done: seen.append(Job.objects.get().done))
    jobs.run(job.pk)
    assert seen == [5, 5, 5]
    assert Job.objects.get().done == 7


def test_who_lost_the_lease_writes_nothing_more(queued: Any, between: Any) -> None:
    job, other = queued(), uuid.uuid4()
    rows: list[Any] = []

    def lose(done: int) -> None:
        Job.objects.filter(pk=job.pk).update(runner=other)
        rows.append(Job.objects.filter(pk=job.pk).values().get())

    between(lose)
    jobs.run(job.pk)
    assert len(rows) == 1
    assert Job.objects.filter(pk=job.pk).values().get() == rows[0]
    assert Product.objects.count() == 2
    assert "job.finished" not in topics()


def test_who_lost_the_lease_at_the_end_does_not_end_the_job(
    queued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, other = queued(), uuid.uuid4()
    account = work.ImportWork.account

    def lose(self: Any) -> Any:
        Job.objects.filter(pk=job.pk).update(runner=other)
        return account(self)

    monkeypatch.setattr(work.ImportWork, "account", lose)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.runner) == ("running", other)
    assert "job.finished" not in topics()


@pytest.mark.parametrize("resume", [lambda job: jobs.run(job.pk), lambda job: jobs.resume_lost()])
def test_a_job_that_kills_its_workers_fails(resume: Any, queued: Any, between: Any) -> None:
    job = queued()
    between(kill_after(0))
    for _ in range(5):
        with pytest.raises(Killed):
            jobs.run(job.pk)
        die(job)
    resume(job)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("failed", 5)
    assert job.error.startswith("The worker died 5 times at the same place;")
    assert job.finished_at
    assert topics().count("job.finished") == 1


def test_a_job_whose_message_was_lost_is_asked_for_again_but_not_all_the_time(queued: Any) -> None:
    job = queued()
    assert jobs.resume_lost() == 0
    die(job)
    assert (jobs.resume_lost(), jobs.resume_lost()) == (1, 0)
    jobs.run(job.pk)
    assert Job.objects.get().status == "succeeded"


# --- Cancelling ----------------------------------------------------------------------------------


def test_a_queued_job_is_cancelled_at_once(queued: Any) -> None:
    job = jobs.cancel(queued())
    assert (job.status, job.error) == ("cancelled", holding.STOPPED)
    jobs.run(job.pk)
    assert not Product.objects.exists()
    assert topics() == ["job.queued", "job.finished"]


def test_a_running_job_ends_between_two_batches_and_keeps_what_was_done(
    queued: Any, between: Any
) -> None:
    job = queued()
    between(lambda done: jobs.cancel(job) if done == 4 else None)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.error) == ("cancelled", holding.STOPPED)
    assert job.result["created"] == Product.objects.count() == 4
    assert (job.done, job.total) == (5, 7)


def test_a_cancelled_export_leaves_no_file(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    products.create(name="Mug")
    job = jobs.start_export(by=staff)
    advance = work.ExportWork._advance

    def stop(self: Any, step: exporting.Progress) -> None:
        jobs.cancel(job)
        advance(self, step)

    monkeypatch.setattr(work.ExportWork, "_advance", stop)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.file) == ("cancelled", "")
    assert not files.storage().exists(job.options["folder"])


def test_what_is_to_be_cancelled_and_whose_worker_died_ends(queued: Any, between: Any) -> None:
    job = queued()
    between(kill_after(0))
    with pytest.raises(Killed):
        jobs.run(job.pk)
    assert jobs.cancel(job).status == "running"
    die(job)
    jobs.resume_lost()
    assert Job.objects.get().status == "cancelled"


def test_an_ended_job_cannot_be_cancelled(queued: Any) -> None:
    job = queued()
    jobs.run(job.pk)
    with pytest.raises(AlreadyFinished):
        jobs.cancel(job)
    assert Job.objects.get().status == "succeeded"
