"""Signing in with a second factor, proving once more who it is, and what a code is good for."""

import datetime
from typing import Any

import pytest
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from shop.actions.customers import second_factor
from shop.models import OutboxEvent, Session, User
from tests.schema.second_factors import (
    PASSWORD,
    Call,
    SignIn,
    failures,
    forget_failures,
    rows,
    told,
)

pytestmark = pytest.mark.django_db
REQUIRED = ("OTP_REQUIRED", ["otp"])
INVALID = ("INVALID_OTP", ["otp"])
# What asks somebody who is signed in for the password.
PROVING = {
    "emailChange": {"email": "new@example.org", "password": PASSWORD},
    "passwordChange": {"currentPassword": PASSWORD, "newPassword": "ladles of clay 7"},
    "accountErase": {"password": PASSWORD},
}


@pytest.fixture
def call(api: Any) -> Call:
    return Call(api)


@pytest.fixture
def sign_in(call: Call) -> SignIn:
    return SignIn(call)


# --- Signing in --------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [None, "", "  "])
def test_without_a_code_nobody_with_a_second_factor_signs_in(
    given: str | None, customer: User, authenticator: Any, sign_in: Any
) -> None:
    authenticator.turn_on(customer)
    before = rows()
    assert sign_in(given) == [REQUIRED]
    assert rows() == before
    customer.refresh_from_db()
    assert customer.last_login is None
    assert Session.objects.count() == 0


def test_a_wrong_code_opens_no_session(customer: User, authenticator: Any, sign_in: Any) -> None:
    authenticator.turn_on(customer)
    assert sign_in(authenticator.code(customer, steps=50)) == [INVALID]
    customer.refresh_from_db()
    assert customer.last_login is None
    assert Session.objects.count() == 0
    assert failures() == 1


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_right_code_signs_in_also_of_a_clock_that_is_a_little_off(
    steps: int, customer: User, authenticator: Any, sign_in: Any
) -> None:
    authenticator.turn_on(customer)
    assert sign_in(authenticator.code(customer, steps=steps)) == []
    customer.refresh_from_db()
    assert customer.last_login is not None
    assert Session.objects.filter(user=customer).count() == 1


@pytest.mark.parametrize("steps", [-2, 2, 10])
def test_a_code_of_another_time_is_wrong(
    steps: int, customer: User, authenticator: Any, sign_in: Any
) -> None:
    authenticator.turn_on(customer)
    assert sign_in(authenticator.code(customer, steps=steps)) == [INVALID]


def test_a_code_is_read_with_spaces_in_it(customer: User, authenticator: Any, sign_in: Any) -> None:
    authenticator.turn_on(customer)
    code = authenticator.code(customer)
    assert sign_in(f" {code[:3]} {code[3:]} ") == []


def test_a_code_in_arabic_digits_is_accepted(
    customer: User, authenticator: Any, sign_in: Any
) -> None:
    authenticator.turn_on(customer)
    code = authenticator.code(customer)
    assert sign_in(code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))) == []


def test_a_code_is_accepted_once(customer: User, authenticator: Any, sign_in: Any) -> None:
    authenticator.turn_on(customer)
    code, earlier = authenticator.code(customer), authenticator.code(customer, steps=-1)
    assert sign_in(code) == []
    for spent in (code, earlier):
        forget_failures()
        assert sign_in(spent) == [INVALID]
    authenticator.now += 30
    forget_failures()
    assert sign_in(code) == [INVALID]
    forget_failures()
    assert sign_in(authenticator.code(customer)) == []
    assert Session.objects.count() == 2


def test_the_code_that_turned_it_on_does_not_sign_in(
    call: Any, customer: User, authenticator: Any, sign_in: Any
) -> None:
    call("otpBegin", customer, password=PASSWORD)
    code = authenticator.code(customer)
    call("otpEnable", customer, code=code)
    assert sign_in(code) == [INVALID]


def test_a_recovery_code_signs_in_once(customer: User, authenticator: Any, sign_in: Any) -> None:
    codes = authenticator.turn_on(customer)
    assert sign_in(codes[0]) == []
    assert sign_in(codes[0]) == [INVALID]
    assert sign_in(codes[1].replace("-", "").lower()) == []
    assert second_factor.recovery_codes_left(customer) == 8
    assert told() == ["on", "recovery_code_used", "recovery_code_used"]


def test_a_recovery_code_is_its_owners_only(
    customer: User, staff: User, authenticator: Any, sign_in: Any
) -> None:
    authenticator.turn_on(customer)
    theirs = authenticator.turn_on(staff)
    assert sign_in(theirs[0]) == [INVALID]
    assert second_factor.recovery_codes_left(staff) == 10


def test_a_stored_digest_is_no_code(customer: User, authenticator: Any, sign_in: Any) -> None:
    authenticator.turn_on(customer)
    assert sign_in(StaticToken.objects.first().token) == [INVALID]


def test_the_code_is_looked_at_only_after_the_password(
    customer: User, authenticator: Any, sign_in: Any
) -> None:
    codes = authenticator.turn_on(customer)
    before = rows()
    for given in (None, "000000", codes[0], authenticator.code(customer)):
        assert sign_in(given, password="wrong") == [("INVALID_CREDENTIALS", [])]
    assert rows() == before


def test_whoever_has_none_may_send_a_code(customer: User, sign_in: Any) -> None:
    assert sign_in("123456") == []
    second_factor.begin(customer)
    assert sign_in("123456") == []


@pytest.mark.parametrize(
    "given",
    [
        "12345",
        "1234567",
        "+12345",
        "12_345",
        "١٢٣٤٥",
        "12345\x00",
        "K" * 16,
        "1" * 16,
        "a" * 16,
        "9" * 10_000,
        "'; DROP TABLE",
    ],
)
def test_what_is_no_code_is_refused(
    given: str, customer: User, authenticator: Any, sign_in: Any
) -> None:
    authenticator.turn_on(customer)
    assert sign_in(given) == [INVALID]
    assert failures() == 0


# --- Wrong codes -------------------------------------------------------------------------------


def test_a_wrong_code_makes_the_next_wait_and_a_right_one_forgets_it(
    customer: User, authenticator: Any, call: Any, sign_in: Any
) -> None:
    authenticator.turn_on(customer)
    sign_in(authenticator.code(customer, steps=50))
    # Right, and yet too early: it can be sent again.
    given = authenticator.code(customer)
    payload = call("tokenAuth", None, email=customer.email, password=PASSWORD, otp=given)
    (error,) = payload["userErrors"]
    assert error["code"] == "INVALID_OTP"
    assert error["message"] == "Too many wrong codes. Wait 1 seconds, or use a recovery code."
    assert failures() == 1
    forget_failures()
    assert sign_in(given) == []
    assert failures() == 0


def test_a_recovery_code_signs_in_while_the_app_has_to_wait(
    customer: User, authenticator: Any, sign_in: Any
) -> None:
    codes = authenticator.turn_on(customer)
    sign_in(authenticator.code(customer, steps=50))
    assert sign_in(authenticator.code(customer)) == [INVALID]
    assert sign_in(codes[0]) == []


def test_however_many_were_wrong_nobody_waits_longer_than_256_seconds(
    customer: User, authenticator: Any, sign_in: Any
) -> None:
    authenticator.turn_on(customer)
    for ago, right in ((250, [INVALID]), (260, [])):
        TOTPDevice.objects.update(
            throttling_failure_count=1000,
            throttling_failure_timestamp=timezone.now() - datetime.timedelta(seconds=ago),
        )
        assert sign_in(authenticator.code(customer)) == right


# --- Proving once more who it is ---------------------------------------------------------------


@pytest.mark.parametrize("mutation", PROVING)
def test_the_password_alone_proves_nothing_while_it_is_on(
    mutation: str, call: Any, customer: User, authenticator: Any, dump: Any
) -> None:
    authenticator.turn_on(customer)
    before = dump()
    for given in ({}, {"otp": None}, {"otp": " "}):
        assert call(mutation, customer, **PROVING[mutation], **given)["refused"] == [REQUIRED]
    assert dump() == before
    wrong = authenticator.code(customer, steps=50)
    assert call(mutation, customer, **PROVING[mutation], otp=wrong)["refused"] == [INVALID]
    assert dump()["shop.User"] == before["shop.User"]
    assert dump()["shop.OutboxEvent"] == before["shop.OutboxEvent"]
    assert failures() == 1


@pytest.mark.parametrize("mutation", PROVING)
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_password_and_code_prove_who_it_is(
    mutation: str, kind: str, call: Any, customer: User, authenticator: Any
) -> None:
    codes = authenticator.turn_on(customer)
    code = authenticator.code(customer) if kind == "app" else codes[0]
    assert call(mutation, customer, **PROVING[mutation], otp=code)["refused"] == []
    topics = {
        "emailChange": "user.email_requested",
        "passwordChange": "user.password_changed",
        "accountErase": "user.erased",
    }
    assert OutboxEvent.objects.filter(topic=topics[mutation]).count() == 1


@pytest.mark.parametrize("mutation", PROVING)
def test_whoever_has_none_proves_it_by_the_password_alone(
    mutation: str, call: Any, customer: User
) -> None:
    second_factor.begin(customer)
    assert call(mutation, customer, **PROVING[mutation])["refused"] == []


@pytest.mark.parametrize("mutation", PROVING)
def test_a_wrong_password_spends_no_code(
    mutation: str, call: Any, customer: User, authenticator: Any, dump: Any
) -> None:
    codes = authenticator.turn_on(customer)
    before = dump()
    field = "currentPassword" if mutation == "passwordChange" else "password"
    given = PROVING[mutation] | {field: "wrong"}
    for code in (codes[0], "000000", None):
        refused = call(mutation, customer, **given, otp=code)["refused"]
        assert refused == [("INVALID_CREDENTIALS", [field])]
    assert dump() == before


@pytest.mark.parametrize(
    ("mutation", "given", "error"),
    [
        ("emailChange", {"email": "nowhere"}, ("INVALID", ["email"])),
        ("passwordChange", {"newPassword": "password1234"}, ("WEAK_PASSWORD", ["newPassword"])),
    ],
)
def test_what_cannot_be_taken_spends_no_code(
    mutation: str,
    given: dict[str, str],
    error: Any,
    call: Any,
    customer: User,
    authenticator: Any,
    dump: Any,
) -> None:
    codes = authenticator.turn_on(customer)
    before = dump()
    payload = call(mutation, customer, **(PROVING[mutation] | given), otp=codes[0])
    assert payload["refused"] == [error]
    assert dump() == before
