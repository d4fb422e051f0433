"""What runners work on, and how they die."""

from collections.abc import Callable
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from shop.models import Job, OutboxEvent

HEADER = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price"
ROWS = [f"mug-{number},Mug {number},Size,S,SKU-{number},10" for number in range(6)]


def catalog(rows: list[str] = ROWS, name: str = "spring.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\n".join([HEADER, *rows, ""]).encode())


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
