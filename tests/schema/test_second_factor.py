"""The second factor in the API: turning it on and off, who is told, and who sees it."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from shop.actions.customers import notices, second_factor
from shop.models import AuditEntry, SentMail, User
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
INVALID = ("INVALID_OTP", ["otp"])


@pytest.fixture
def call(api: Any) -> Call:
    return Call(api)


@pytest.fixture
def sign_in(call: Call) -> SignIn:
    return SignIn(call)


# --- Turning it on and off ---------------------------------------------------------------------


def test_the_secret_comes_in_base32_and_as_a_uri(call: Any, customer: User, settings: Any) -> None:
    settings.OTP_TOTP_ISSUER = "Tea & Co"
    payload = call("otpBegin", customer, "secret uri", password=PASSWORD)
    assert re.fullmatch("[A-Z2-7]{32}", payload["secret"])
    uri = urlsplit(payload["uri"])
    assert (uri.scheme, uri.netloc, uri.path) == (
        "otpauth",
        "totp",
        "/Tea%20%26%20Co%3Aann%40example.org",
    )
    asked = {name: values[0] for name, values in parse_qs(uri.query).items()}
    assert asked == {
        "secret": payload["secret"],
        "algorithm": "SHA1",
        "digits": "6",
        "period": "30",
        "issuer": "Tea & Co",
    }


def test_beginning_changes_nothing_yet_and_again_replaces_the_secret(
    call: Any, customer: User, sign_in: Any
) -> None:
    first, second = (
        call("otpBegin", customer, "secret", password=PASSWORD)["secret"] for _ in range(2)
    )
    assert first != second
    assert TOTPDevice.objects.filter(user=customer, confirmed=False).count() == 1
    assert sign_in() == []


def test_a_first_right_code_turns_it_on(call: Any, customer: User, authenticator: Any) -> None:
    call("otpBegin", customer, password=PASSWORD)
    given = authenticator.code(customer)
    payload = call("otpEnable", customer, "recoveryCodes user { email hasOtp }", code=given)
    assert payload["user"] == {"email": "ann@example.org", "hasOtp": True}
    codes = payload["recoveryCodes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch("([A-Z2-7]{4}-){3}[A-Z2-7]{4}", code) for code in codes)


def test_no_recovery_code_lies_in_clear_in_the_database(customer: User, authenticator: Any) -> None:
    codes = authenticator.turn_on(customer)
    kept = repr(rows())
    assert StaticToken.objects.count() == 10
    for code in codes:
        assert code not in kept
        assert code.replace("-", "") not in kept.upper()


def test_a_wrong_first_code_turns_nothing_on(
    call: Any, customer: User, authenticator: Any, sign_in: Any
) -> None:
    call("otpBegin", customer, password=PASSWORD)
    wrong = authenticator.code(customer, steps=50)
    payload = call("otpEnable", customer, "recoveryCodes user { id }", code=wrong)
    assert payload["refused"] == [("INVALID_OTP", ["code"])]
    assert (payload["recoveryCodes"], payload["user"]) == (None, None)
    assert not second_factor.is_on(customer)
    assert StaticToken.objects.count() == 0
    assert sign_in() == []


@pytest.mark.parametrize(
    ("mutation", "values"),
    [("otpEnable", {}), ("otpDisable", {}), ("otpRecoveryCodesCreate", {})],
)
def test_without_a_beginning_there_is_nothing_to_change(
    mutation: str, values: dict[str, Any], call: Any, customer: User
) -> None:
    assert call(mutation, customer, code="123456")["refused"] == [("INVALID", [])]
    assert rows() == [[], [], []]


@pytest.mark.parametrize("mutation", ["otpBegin", "otpEnable"])
def test_whoever_has_it_turns_it_off_before_there_is_another(
    mutation: str, call: Any, customer: User, authenticator: Any
) -> None:
    authenticator.turn_on(customer)
    before = rows()
    code = authenticator.code(customer)
    given = {"code": code} if mutation == "otpEnable" else {"password": PASSWORD}
    assert call(mutation, customer, **given)["refused"] == [("INVALID", [])]
    assert rows() == before


@pytest.mark.parametrize("pasted", ["{}", "\ufeff{}\u202c", " \u200b{}\u00a0"], ids=ascii)
@pytest.mark.parametrize("with_recovery_code", [False, True])
def test_a_code_turns_it_off(
    with_recovery_code: bool,
    pasted: str,
    call: Any,
    customer: User,
    authenticator: Any,
    sign_in: Any,
) -> None:
    codes = authenticator.turn_on(customer)
    given = pasted.format(codes[3] if with_recovery_code else authenticator.code(customer))
    payload = call("otpDisable", customer, "user { hasOtp }", code=given)
    assert (payload["refused"], payload["user"]) == ([], {"hasOtp": False})
    assert rows() == [[], [], []]
    assert sign_in() == []


@pytest.mark.parametrize("mutation", ["otpDisable", "otpRecoveryCodesCreate"])
def test_nothing_changes_without_a_right_code(
    mutation: str, call: Any, customer: User, authenticator: Any
) -> None:
    authenticator.turn_on(customer)
    before = rows()[1:]
    for given, code in (
        ("", "OTP_REQUIRED"),
        (authenticator.code(customer, steps=50), "INVALID_OTP"),
    ):
        assert call(mutation, customer, code=given)["refused"] == [(code, ["code"])]
    assert rows()[1:] == before
    assert second_factor.is_on(customer)
    assert failures() == 1


def test_new_recovery_codes_replace_the_old_ones(
    call: Any, customer: User, authenticator: Any, sign_in: Any
) -> None:
    old = authenticator.turn_on(customer)
    given = authenticator.code(customer)
    new = call("otpRecoveryCodesCreate", customer, "recoveryCodes", code=given)["recoveryCodes"]
    assert len({*old, *new}) == 20
    assert sign_in(old[0]) == [INVALID]
    assert sign_in(new[0]) == []


@pytest.mark.parametrize("who", ["nobody", "another customer", "staff"])
def test_everyone_changes_their_own_only(
    who: str, call: Any, customer: User, staff: User, authenticator: Any
) -> None:
    codes = authenticator.turn_on(customer)
    before = rows()
    callers = {
        "nobody": None,
        "another customer": User.objects.create_user("bob@example.org", PASSWORD),
        "staff": staff,
    }
    for mutation in ("otpDisable", "otpRecoveryCodesCreate", "otpEnable"):
        payload = call(mutation, callers[who], code=codes[0])
        expected = {"error": "UNAUTHENTICATED"} if who == "nobody" else [("INVALID", [])]
        assert payload.get("refused", payload) == expected
    assert rows() == before


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper(), "x" * 5000])
def test_an_access_token_without_the_password_begins_nothing(
    password: str, call: Any, customer: User
) -> None:
    payload = call("otpBegin", customer, "secret uri", password=password)
    assert payload["refused"] == [("INVALID_CREDENTIALS", ["password"])]
    assert (payload["secret"], payload["uri"]) == (None, None)
    assert rows() == [[], [], []]


def test_tries_of_the_password_count_although_they_are_refused(call: Any, customer: User) -> None:
    for _ in range(10):
        call("otpBegin", customer, password="wrong")
    assert call("otpBegin", customer, password=PASSWORD) == {"error": "RATE_LIMITED"}
    assert rows() == [[], [], []]


# --- Telling of it -----------------------------------------------------------------------------


def test_every_change_is_told_by_an_event_and_no_refusal_is(
    call: Any, customer: User, authenticator: Any, sign_in: Any
) -> None:
    codes = authenticator.turn_on(customer)
    assert told() == ["on"]
    for mutation in ("otpRecoveryCodesCreate", "otpDisable"):
        call(mutation, customer, code="a" * 16)
    assert sign_in("a" * 16) == [INVALID]
    assert told() == ["on"]
    assert sign_in(authenticator.code(customer)) == []
    assert told() == ["on"]
    call("otpDisable", customer, code=codes[0])
    assert told() == ["on", "recovery_code_used", "off"]
    second_factor.remove(customer)
    assert told() == ["on", "recovery_code_used", "off"]


@pytest.mark.django_db(transaction=True)
def test_every_change_is_told_by_mail(
    call: Any, customer: User, authenticator: Any, sign_in: Any, mailoutbox: list[Any]
) -> None:
    call("otpBegin", customer, password=PASSWORD)
    assert mailoutbox == []
    codes = call("otpEnable", customer, "recoveryCodes", code=authenticator.code(customer))
    assert sign_in(codes["recoveryCodes"][0]) == []
    for mutation in ("otpRecoveryCodesCreate", "otpDisable"):
        authenticator.now += 60
        assert call(mutation, customer, code=authenticator.code(customer))["refused"] == []
    assert {tuple(mail.to) for mail in mailoutbox} == {("ann@example.org",)}
    assert [mail.subject for mail in mailoutbox] == [
        "Your second factor is on",
        "A recovery code was used",
        "You have new recovery codes",
        "Your second factor is off",
    ]
    for mail, words in zip(
        mailoutbox,
        ("was turned on", "recovery codes of your account was used", "were made", "was turned off"),
        strict=True,
    ):
        assert words in mail.body
        assert words in mail.alternatives[0].content
    assert SentMail.objects.filter(template="second_factor_changed").count() == 4


@pytest.mark.django_db(transaction=True)
def test_other_mails_do_not_keep_this_one_back(
    customer: User, authenticator: Any, mailoutbox: list[Any]
) -> None:
    for number in range(12):
        notices.send_reset(customer.pk, number)
    mailoutbox.clear()
    authenticator.turn_on(customer)
    assert [mail.subject for mail in mailoutbox] == ["Your second factor is on"]


def test_what_staff_do_with_theirs_is_recorded(
    call: Any, staff: User, customer: User, authenticator: Any
) -> None:
    call("otpBegin", staff, password="a staff password")
    wrong = authenticator.code(staff, steps=50)
    assert call("otpEnable", staff, code=wrong)["refused"] == [("INVALID_OTP", ["code"])]
    assert failures() == 1
    assert not AuditEntry.objects.exists()
    forget_failures()
    call("otpEnable", staff, code=authenticator.code(staff))
    authenticator.now += 60
    call("otpDisable", staff, code=authenticator.code(staff))
    entries = list(AuditEntry.objects.order_by("pk"))
    assert [entry.difference for entry in entries] == [
        {"second_factor": [False, True]},
        {"second_factor": [True, False]},
    ]
    for entry in entries:
        assert (entry.actor, entry.action, entry.source) == (staff, "user.update", "api")
        assert (entry.object_type, entry.object_id) == ("User", staff.pk)
    # Customers and commands leave none.
    authenticator.turn_on(customer)
    call("otpDisable", customer, code=authenticator.code(customer))
    assert AuditEntry.objects.count() == 2


# --- Reading -----------------------------------------------------------------------------------


def test_who_has_one_is_seen_by_themselves_and_by_staff_who_see_users(
    api: Any, gid: Any, customer: User, staff: User, authenticator: Any
) -> None:
    authenticator.turn_on(customer)
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on User { hasOtp } } }"
    ids = [gid(customer), gid(staff)]
    assert api("{ viewer { hasOtp } }", customer)["data"]["viewer"] == {"hasOtp": True}
    assert api(document, staff, ids=ids)["data"]["nodes"] == [{"hasOtp": True}, {"hasOtp": False}]
    assert api(document, customer, ids=ids)["data"]["nodes"] == [{"hasOtp": True}, None]
    assert api(document, None, ids=ids)["data"]["nodes"] == [None, None]


def test_who_has_one_takes_one_statement_for_all_users(api: Any, gid: Any, staff: User) -> None:
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on User { id hasOtp } } }"
    counts = []
    for number in range(2, 8):
        User.objects.create_user(f"{number}@example.org", confirmed_at=None)
        ids = [gid(user) for user in User.objects.all()]
        with CaptureQueriesContext(connection) as captured:
            assert "errors" not in api(document, staff, ids=ids)
        counts.append(len(captured))
    assert len(set(counts)) == 1


def test_the_api_reads_neither_second_factor_nor_cookie(
    api: Any, client: Any, customer: User, authenticator: Any
) -> None:
    authenticator.turn_on(customer)
    client.force_login(customer)
    with CaptureQueriesContext(connection) as captured:
        assert api("{ viewer { email } }", customer)["data"]["viewer"]["email"] == customer.email
    read = " ".join(query["sql"] for query in captured)
    assert "shop_user" in read
    assert "otp_" not in read
    assert "django_session" not in read
