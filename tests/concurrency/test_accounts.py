"""An account that is erased while others are at it: nothing is left behind."""

from functools import partial
from typing import Any

import pytest

from shop import outbox
from shop.actions import accounts
from shop.actions.customers import addresses
from shop.models import Address, Job, OutboxEvent, User

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
PLACE = {"line1": "Allee 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ann@example.org", "a customer password")


def test_of_many_exports_asked_for_at_once_there_is_one(
    at_once: Any, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody runs it, so that all find it under way.
    monkeypatch.setattr(outbox, "wake", lambda: None)
    answers = at_once(*[partial(accounts.start_export, user)] * 8)
    assert len({job.pk for job in answers}) == 1
    assert Job.objects.count() == 1


def test_nothing_is_added_to_an_account_that_is_being_erased(at_once: Any) -> None:
    for number in range(5):
        user = User.objects.create_user(f"{number}@example.org", "a customer password")
        add = partial(addresses.create, user, name="Ann Baker", **PLACE)
        at_once(partial(accounts.erase, User.objects.get(pk=user.pk)), add, add, add)
        assert not Address.objects.filter(user=user).exists()


def test_two_erasures_at_once_are_one(at_once: Any, user: User) -> None:
    answers = at_once(*[lambda: accounts.erase(User.objects.get(pk=user.pk))] * 4)
    assert answers == [accounts.Kept(orders=0, until=None)] * 4
    assert OutboxEvent.objects.filter(topic="user.erased").count() == 1
