"""One code, presented by many at once."""

from typing import Any

import pytest

from shop.actions.customers import second_factor
from shop.errors import Invalid, InvalidOtp
from shop.models import User

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ann@example.org", "a customer password")


def kinds(results: list[Any], error: type[Exception]) -> tuple[int, int]:
    """How many were let through, and how many refused with `error`."""
    refused = sum(isinstance(result, error) for result in results)
    let = sum(not isinstance(result, Exception) for result in results)
    assert let + refused == len(results), results
    return let, refused


def test_a_code_of_the_app_is_accepted_once(
    user: User, authenticator: Any, at_once: Any, settings: Any
) -> None:
    # Nobody is refused for having to wait.
    settings.OTP_TOTP_THROTTLE_FACTOR = 0
    authenticator.turn_on(user)
    code = authenticator.code(user)
    results = at_once(*[lambda: second_factor.check(user, code)] * 10)
    assert kinds(results, InvalidOtp) == (1, 9)


def test_a_recovery_code_is_accepted_once(user: User, authenticator: Any, at_once: Any) -> None:
    codes = authenticator.turn_on(user)
    results = at_once(*[lambda: second_factor.check(user, codes[0])] * 10)
    assert kinds(results, InvalidOtp) == (1, 9)
    assert second_factor.recovery_codes_left(user) == 9


def test_every_wrong_code_counts(
    user: User, authenticator: Any, at_once: Any, settings: Any
) -> None:
    settings.OTP_TOTP_THROTTLE_FACTOR = 0
    authenticator.turn_on(user)
    wrong = authenticator.code(user, steps=50)
    results = at_once(*[lambda: second_factor.check(user, wrong)] * 5)
    assert kinds(results, InvalidOtp) == (0, 5)
    assert second_factor.device_of(user).throttling_failure_count == 5


def test_it_is_turned_on_once(user: User, authenticator: Any, at_once: Any) -> None:
    second_factor.begin(user)
    code = authenticator.code(user)
    results = at_once(*[lambda: second_factor.enable(user, code)] * 6)
    assert kinds(results, Invalid) == (1, 5)
    assert second_factor.recovery_codes_left(user) == 10


def test_of_many_beginnings_one_is_left(user: User, authenticator: Any, at_once: Any) -> None:
    results = at_once(*[lambda: second_factor.begin(user)] * 6)
    assert second_factor.pending(user) in results
    # There is just one device to read it from.
    assert authenticator.code(user).isdigit()
