"""Imports and exports start, run to their end or fail, and are removed."""

import gzip
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InternalError, OperationalError, connection, transaction
from django.utils import timezone

from shop.actions import importing, jobs
from shop.actions.catalog import products
from shop.actions.importing import NotACatalog
from shop.actions.jobs import files, work
from shop.errors import FileTooLarge
from shop.models import Job, JobStatus, Product, User
from tests.shop.jobs.runners import catalog, topics

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("batches")]


# --- Starting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"name,price\nMug,1\n", "columns"),
        (b"PK\x03\x04", "workbook"),
        (gzip.compress(b"Handle,Title\n" * 9, mtime=0)[:-9], "damaged"),
    ],
)
def test_what_is_no_catalog_is_refused_at_once(content: bytes, why: str, staff: User) -> None:
    with pytest.raises(NotACatalog) as caught:
        jobs.start_import(SimpleUploadedFile("a/b.csv", content), by=staff)
    assert caught.value.field == ("file",)
    assert caught.value.message.startswith("b.csv: ")
    assert why in caught.value.message or why == "columns"
    assert not Job.objects.exists()
    assert not files.storage().exists("jobs")


def test_a_catalog_has_a_size_that_counts_when_unpacked(staff: User, settings: Any) -> None:
    content = catalog().read()
    settings.IMPORT_MAX_BYTES = len(content) - 1
    packed = gzip.compress(content)
    assert len(packed) < len(content)
    for given in (content, packed):
        with pytest.raises(FileTooLarge):
            jobs.start_import(SimpleUploadedFile("spring.csv", given), by=staff)
    settings.IMPORT_MAX_BYTES = len(content)
    assert jobs.start_import(SimpleUploadedFile("s.csv", packed), by=staff).file.endswith(".gz")


def test_a_job_that_could_not_be_queued_leaves_no_file(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("shop.events.emit", fail)
    with pytest.raises(OperationalError):
        jobs.start_import(catalog(), by=staff)
    assert files.storage().listdir("jobs") == ([], [])


def test_names_of_files_are_one_printable_line() -> None:
    assert files.name_of("a\x00\n b\u202e.csv") == "a b .csv"
    assert files.name_of("../x/..\\y.csv") == ".. x .. y.csv"
    assert files.name_of(" ") == "products.csv"


# --- Running -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_an_import_runs_once_it_is_committed(staff: User) -> None:
    with transaction.atomic():
        job = jobs.start_import(catalog(), by=staff)
        assert not Product.objects.exists()
    job.refresh_from_db()
    assert (job.status, job.attempts, job.error) == (JobStatus.SUCCEEDED, 1, "")
    assert (job.done, job.total) == (7, 7)
    assert job.result["created"] == job.result["products"] == Product.objects.count() == 6
    assert job.started_at <= job.finished_at
    assert (job.runner, job.lease_until) == (None, None)
    assert topics()[:1] == ["job.queued"]
    assert topics()[-1:] == ["job.finished"]


def test_a_rehearsal_writes_no_product(queued: Any) -> None:
    job = queued(dry_run=True)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.result["created"]) == (JobStatus.SUCCEEDED, 6)
    assert not Product.objects.exists()


def test_an_ended_job_does_not_run_again(queued: Any) -> None:
    job = queued()
    jobs.run(job.pk)
    Product.objects.all().delete()
    jobs.run(job.pk)
    assert not Product.objects.exists()
    assert Job.objects.get().attempts == 1


def test_the_first_problems_are_in_the_row_and_all_in_a_file(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PROBLEMS", 2)
    rows = [f"mug-{number},Mug,Size,S,=SKU-{number}," for number in range(5)]
    job = jobs.start_import(catalog(rows), by=staff)
    jobs.run(job.pk)
    job.refresh_from_db()
    codes = [problem["code"] for problem in job.problems]
    assert (len(codes), codes[0], job.problem_count > 4) == (2, "NOT_PRICED", True)
    token = jobs.token_for(job, "problems")
    found = jobs.open_download(token)
    with found.file as file:
        lines = file.read().decode().splitlines()
    assert found.name == f"problems-{job.pk}.csv"
    assert (lines[0], len(lines)) == (
        "file,row,handle,severity,code,message,column",
        job.problem_count + 1,
    )
    # The file is called as people call it.
    assert lines[1].startswith("spring.csv,")


def test_an_export_is_a_file_that_imports_without_a_change(staff: User) -> None:
    for number in range(3):
        products.create(name=f"Mug {number}", variants=[{"sku": f"M-{number}", "price": 100}])
    job = jobs.start_export(by=staff)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.result["products"], job.done, job.total) == ("succeeded", 3, 3, 3)
    with jobs.open_download(jobs.token_for(job, "result")).file as file:
        again = jobs.start_import(ContentFile(file.read(), "again.csv"), by=staff)
    jobs.run(again.pk)
    again.refresh_from_db()
    assert (again.result["unchanged"], again.result["products"]) == (3, 3)


def test_progress_is_written_outside_the_imports_transactions(queued: Any, between: Any) -> None:
    depths = []
    between(lambda done: depths.append(len(connection.savepoint_ids)))
    before = len(connection.savepoint_ids)
    jobs.run(queued().pk)
    assert depths == [before] * 3


def test_progress_and_counts_can_be_seen_meanwhile(queued: Any, between: Any) -> None:
    job, seen = queued(), []

    def look(done: int) -> None:
        row = Job.objects.get(pk=job.pk)
        seen.append((row.status, row.done, row.total, row.result.get("created")))

    between(look)
    jobs.run(job.pk)
    assert seen == [("running", 0, None, None), ("running", 3, 7, 2), ("running", 5, 7, 4)]


# --- Failing -------------------------------------------------------------------------------------


def test_what_breaks_is_told_without_its_inside(
    queued: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise ValueError("SELECT secret FROM /srv/private")

    monkeypatch.setattr(importing, "run", fail)
    job = queued()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    error_id = job.error.rstrip(".").rsplit(" ", 1)[1]
    assert error_id in caplog.text
    assert "SELECT secret" in caplog.text
    assert "SELECT" not in job.error
    assert "/srv" not in job.error


def test_a_file_that_is_gone_fails_with_a_reason(queued: Any) -> None:
    job = queued()
    files.remove(job.options["folder"])
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.error) == ("failed", "The uploaded file is gone. Upload it again.")


def test_a_file_that_was_damaged_meanwhile_fails_with_a_reason(queued: Any) -> None:
    job = queued()
    files.storage().delete(job.file)
    files.storage().save(job.file, ContentFile(b"\xff\xfe\x00"))
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.status == "failed"
    assert job.error.startswith(
        "spring.csv: the text is not UTF-16: line 1, in the header, byte 0x00"
    )


# A server that became read-only raises InternalError.
@pytest.mark.parametrize("error", [OperationalError, InternalError])
def test_a_database_that_is_gone_leaves_the_job_to_the_next_try(
    queued: Any, between: Any, error: type[Exception]
) -> None:
    def fail(done: int) -> None:
        raise error("the server closed the connection")

    between(fail)
    job = queued()
    with pytest.raises(error):
        jobs.run(job.pk)
    between(lambda done: None)
    job.refresh_from_db()
    assert job.status == "running"
    jobs.run(job.pk)
    job.refresh_from_db()
    # It got ahead: whatever ended its first run does not count against it.
    assert (job.status, job.attempts) == ("succeeded", 1)


def test_without_room_for_the_problems_the_job_ends_all_the_same(
    staff: User, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    job = jobs.start_import(catalog(["mug,Mug,,,,"]), by=staff)

    def fail(*args: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(files, "keep", fail)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.done) == ("succeeded", 2)
    assert "no space left" in caplog.text


# --- Removing ------------------------------------------------------------------------------------


def test_old_jobs_go_with_all_their_files(queued: Any, staff: User) -> None:
    old, recent, waiting = queued(), queued(), jobs.start_export(by=staff)
    for job in (old, recent):
        jobs.run(job.pk)
    files.storage().save(f"{old.options['folder']}/left-by-the-dead", io.BytesIO(b"x"))
    ago = timezone.now() - timedelta(days=10)
    Job.objects.filter(pk=old.pk).update(finished_at=ago)
    assert jobs.purge(timezone.now() - timedelta(days=9)) == 1
    assert set(Job.objects.values_list("pk", flat=True)) == {recent.pk, waiting.pk}
    assert files.storage().listdir("jobs")[0] == [recent.options["folder"].removeprefix("jobs/")]
