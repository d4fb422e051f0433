"""Imports and exports run to their end by one runner at a time, whatever happens to it."""

import gzip
import io
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from shop.actions import exporting, importing, jobs
from shop.actions.catalog import products
from shop.actions.importing import NotACatalog, runner
from shop.actions.jobs import files, holding, work
from shop.errors import AlreadyFinished, FileTooLarge
from shop.models import Job, JobStatus, OutboxEvent, Product, User
from shop.outbox.running import Later

pytestmark = pytest.mark.django_db
HEADER = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price"
ROWS = [f"mug-{number},Mug {number},Size,S,SKU-{number},10" for number in range(6)]


def catalog(rows: list[str] = ROWS, name: str = "spring.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\n".join([HEADER, *rows, ""]).encode())


@pytest.fixture
def queued(staff: User) -> Callable[..., Job]:
    """`queued(dry_run=True)`: an import of six products that nobody runs by itself."""
    return lambda **options: jobs.start_import(catalog(), by=staff, **options)


@pytest.fixture(autouse=True)
def batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of two products, and progress written after each."""
    monkeypatch.setattr(runner, "BATCH", 2)
    monkeypatch.setattr(holding, "_RENEW", 0.0)


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], None]], None]:
    """`between(act)`: from now on calls `act(products)` after each batch of an import."""
    advance = work.ImportWork._advance

    def install(act: Callable[[int], None]) -> None:
        def wrapped(self: Any, step: importing.Progress) -> None:
            act(step.products)
            advance(self, step)

        monkeypatch.setattr(work.ImportWork, "_advance", wrapped)

    return install


class Killed(BaseException):
    """What a SIGKILL leaves behind: nothing is written after it."""


def kill_after(count: int) -> Callable[[int], None]:
    def act(done: int) -> None:
        if done > count:
            raise Killed

    return act


def die(job: Job) -> None:
    """Has the lease of a dead runner run out."""
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def topics() -> list[str]:
    return list(OutboxEvent.objects.order_by("id").values_list("topic", flat=True))


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
        "file,row,handle,severity,code,message",
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
    files.storage().save(job.file, ContentFile(b"\xff\xfe"))
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.status == "failed"
    assert job.error.startswith("spring.csv: the text is UTF-16.")


def test_a_database_that_is_gone_leaves_the_job_to_the_next_try(queued: Any, between: Any) -> None:
    def fail(done: int) -> None:
        raise OperationalError("the server closed the connection")

    between(fail)
    job = queued()
    with pytest.raises(OperationalError):
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
