"""Exports of orders run as jobs do, and their files are for those who may see orders."""

import csv
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.utils import timezone

from shop.actions import accounts, audit, jobs
from shop.actions.exporting import orders
from shop.actions.jobs import files, holding, work
from shop.errors import Invalid
from shop.models import AuditEntry, AuditSource, Job, JobKind, JobStatus, Order, OrderStatus, User
from tests.shop import sold
from tests.shop.jobs.runners import Killed, die

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two orders, and progress written after each."""
    monkeypatch.setattr(orders, "BATCH", 2)
    monkeypatch.setattr(holding, "_RENEW", 0.0)


def rows_of(job: Job) -> list[dict[str, str]]:
    with files.storage().open(job.file) as file:
        return list(csv.DictReader(file.read().decode().splitlines()))


def at_each_step(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    advance = work.ExportOrdersWork._advance

    def wrapped(self: Any, step: orders.Progress) -> None:
        act(step.orders)
        advance(self, step)

    monkeypatch.setattr(work.ExportOrdersWork, "_advance", wrapped)


def test_an_export_has_the_chosen_orders(staff: User) -> None:
    kept = [sold.make_order(), sold.make_order()]
    sold.make_order(status=OrderStatus.EXPIRED)
    old = sold.make_order()
    Order.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    job = jobs.start_order_export(
        by=staff,
        created_min=timezone.now() - timedelta(days=1),
        created_max=timezone.now() + timedelta(days=1),
        statuses=["confirmed", "confirmed"],
    )
    assert job.kind == JobKind.EXPORT_ORDERS
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.error, job.done, job.total) == (JobStatus.SUCCEEDED, "", 2, 2)
    assert job.result == {"orders": 2, "rows": 4}
    assert {row["Order"] for row in rows_of(job)} == {order.number for order in kept}
    assert job.file_name == f"orders-{timezone.now():%Y-%m-%d}.csv"
    jobs.tell(job.pk)
    (sent,) = mail.outbox
    assert sent.subject == f"Export done: {job.file_name}"
    assert "orders: 2" in sent.body


def test_without_a_choice_all_orders_are_in_it(staff: User) -> None:
    for status in OrderStatus.values:
        sold.make_order(status=status)
    job = jobs.start_order_export(by=staff)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.result["orders"] == len(OrderStatus.values)


def test_no_orders_make_a_file_with_a_header(staff: User) -> None:
    job = jobs.start_order_export(by=staff)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.result) == (JobStatus.SUCCEEDED, {"orders": 0, "rows": 0})
    assert rows_of(job) == []


def test_a_time_that_ends_before_it_begins_is_refused(staff: User) -> None:
    day = datetime(2026, 2, 1, tzinfo=UTC)
    with pytest.raises(Invalid) as refused:
        jobs.start_order_export(by=staff, created_min=day, created_max=day - timedelta(seconds=1))
    assert refused.value.field == ("createdMax",)
    assert not Job.objects.exists()
    assert jobs.start_order_export(by=staff, created_min=day, created_max=day).pk


def test_what_was_asked_for_is_in_the_audit(staff: User) -> None:
    with audit.acting(staff, AuditSource.API, None):
        jobs.start_order_export(by=staff, statuses=["expired", "cancelled"])
    (entry,) = AuditEntry.objects.all()
    assert entry.action == "job.create"
    assert entry.difference["statuses"] == [None, ["cancelled", "expired"]]
    assert entry.difference["kind"] == [None, "export_orders"]


def test_progress_is_written_after_each_batch(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        sold.make_order()
    job = jobs.start_order_export(by=staff)
    seen: list[Any] = []
    at_each_step(
        monkeypatch, lambda done: seen.append(Job.objects.values_list("done", "total").get())
    )
    jobs.run(job.pk)
    assert seen == [(0, None), (2, 5), (4, 5)]


def test_a_cancelled_export_has_no_file(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        sold.make_order()
    job = jobs.start_order_export(by=staff)
    at_each_step(monkeypatch, lambda done: done == 4 and jobs.cancel(job))
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.error) == (JobStatus.CANCELLED, holding.STOPPED)
    assert (job.done, job.file, job.result) == (4, "", {})
    assert not files.storage().exists("jobs")


def test_an_export_whose_worker_died_starts_anew(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        sold.make_order()
    job = jobs.start_order_export(by=staff)

    def kill(done: int) -> None:
        if done == 4:
            raise Killed

    with monkeypatch.context() as patched:
        at_each_step(patched, kill)
        with pytest.raises(Killed):
            jobs.run(job.pk)
    die(job)
    assert jobs.resume_lost() == 1
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.result) == (JobStatus.SUCCEEDED, {"orders": 5, "rows": 10})
    assert len(rows_of(job)) == 10


def test_who_is_erased_while_it_runs_is_in_no_file(
    customer: User,
    staff: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sold.make_order(user=customer)
    job = jobs.start_order_export(by=staff)
    keep = files.keep

    def erase_and_keep(*args: Any) -> str:
        # The worst moment: all was read, and nothing is stored yet.
        with django_capture_on_commit_callbacks(execute=True):
            accounts.erase(customer)
        return keep(*args)

    monkeypatch.setattr(files, "keep", erase_and_keep)
    jobs.run(job.pk)
    assert not Job.objects.exists()
    folders = files.storage().listdir("jobs")[0]
    assert [files.storage().listdir(f"jobs/{name}")[1] for name in folders] in ([], [[]])


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["view_job"], False), (["view_job", "view_order"], True), (["view_order"], True)],
)
def test_the_file_is_for_those_who_may_see_orders(
    names: list[str], expected: bool, staff: User
) -> None:
    job = jobs.start_order_export(by=staff)
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names))
    assert jobs.may_download(job, clerk) is expected
