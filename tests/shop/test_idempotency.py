"""Requests that come twice are done once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from shop.actions import idempotency
from shop.errors import Busy, IdempotencyConflict, Invalid
from shop.models import IdempotencyKey

pytestmark = pytest.mark.django_db


class Work:
    """Counts how often it is done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self) -> dict[str, Any]:
        self.done += 1
        return {"number": self.done}


def once(work: Work, key: str | None = "k", **more: Any) -> dict[str, Any]:
    given = {"actor": "user:1", "operation": "stockAdjust", "request": {"delta": 1}, **more}
    return idempotency.once(given["actor"], given["operation"], key, given["request"], work)


def test_a_key_that_comes_again_gets_the_first_reply() -> None:
    work = Work()
    assert [once(work), once(work)] == [{"number": 1}] * 2
    assert work.done == 1


def test_without_a_key_it_is_done_each_time() -> None:
    work = Work()
    assert [once(work, None), once(work, None)] == [{"number": 1}, {"number": 2}]
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("request_", [{"delta": 2}, {}, {"delta": 1, "note": "x"}, None])
def test_a_key_with_another_request_is_a_conflict(request_: Any) -> None:
    work = Work()
    once(work)
    with pytest.raises(IdempotencyConflict) as caught:
        once(work, request=request_)
    assert caught.value.field == ("idempotencyKey",)
    assert work.done == 1


def test_the_order_of_what_is_asked_for_does_not_matter() -> None:
    work = Work()
    once(work, request={"a": 1, "b": 2})
    once(work, request={"b": 2, "a": 1})
    assert work.done == 1


def test_a_request_may_name_decimals() -> None:
    work = Work()
    once(work, request={"amount": Decimal("1.50")})
    once(work, request={"amount": Decimal("1.50")})
    with pytest.raises(IdempotencyConflict):
        once(work, request={"amount": Decimal("1.51")})
    assert work.done == 1


def test_a_key_that_is_gone_between_two_statements_is_to_be_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The first request had it when ours was inserted, and was rolled back since.
    monkeypatch.setattr(idempotency, "_insert", lambda row: False)
    work = Work()
    with pytest.raises(Busy):
        once(work)
    assert work.done == 0


def test_each_actor_and_operation_gets_its_own_reply_again_under_a_shared_key() -> None:
    work = Work()
    requests = [{}, {"actor": "user:2"}, {"operation": "orderRefund"}]
    first = [once(work, **request) for request in requests]
    assert first == [{"number": 1}, {"number": 2}, {"number": 3}]
    assert [once(work, **request) for request in requests] == first
    assert [
        idempotency.known("user:1", "stockAdjust", "k"),
        idempotency.known("user:2", "stockAdjust", "k"),
        idempotency.known("user:1", "orderRefund", "k"),
        idempotency.known("user:2", "orderRefund", "k"),
    ] == [*first, None]


def test_what_failed_leaves_no_key() -> None:
    def fail() -> dict[str, Any]:
        raise Invalid

    with pytest.raises(Invalid), transaction.atomic():
        idempotency.once("user:1", "stockAdjust", "k", {"delta": 1}, fail)
    assert not IdempotencyKey.objects.exists()
    assert once(Work()) == {"number": 1}


def test_who_comes_while_it_is_done_is_told_to_come_back() -> None:
    once(Work())
    IdempotencyKey.objects.update(reply=None)
    with pytest.raises(Busy):
        once(Work())


@pytest.mark.parametrize("key", ["", "k" * 256, "line\nbreak", "nul\x00"])
def test_keys_that_cannot_be(key: str) -> None:
    work = Work()
    with pytest.raises(Invalid):
        once(work, key)
    assert work.done == 0


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_a_key_could_be_without_its_work() -> None:
    with pytest.raises(RuntimeError):
        once(Work())


def test_old_keys_are_forgotten() -> None:
    once(Work(), "old")
    IdempotencyKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    once(Work(), "new")
    assert idempotency.purge(timezone.now()) == 1
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]
