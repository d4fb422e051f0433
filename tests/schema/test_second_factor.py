"""The second factor in the API: turning it on, signing in with it, and what a code is good for."""

import datetime
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from shop.actions.customers import second_factor
from shop.models import Session, User

pytestmark = pytest.mark.django_db
PASSWORD = "a customer password"
REQUIRED = ("OTP_REQUIRED", ["otp"])
INVALID = ("INVALID_OTP", ["otp"])


@pytest.fixture
def call(api: Any) -> Any:
    """`call("otpBegin", user, "secret")`: the payload; errors as pairs of code and field."""

    def send(
        mutation: str, user: User | None, selection: str = "", **values: Any
    ) -> dict[str, Any]:
        kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
        answer = api(
            f"mutation($input: {kind}) {{ {mutation}(input: $input) "
            f"{{ {selection} userErrors {{ code field message }} }} }}",
            user,
            input=values,
        )
        if "errors" in answer:
            (error,) = answer["errors"]
            return {"error": error["extensions"]["code"]}
        payload = answer["data"][mutation]
        payload["refused"] = [(error["code"], error["field"]) for error in payload["userErrors"]]
        return payload

    return send


@pytest.fixture
def sign_in(call: Any) -> Any:
    """`sign_in(otp)`: signs Ann in; the errors, empty when it was right."""

    def send(otp: str | None = None, password: str = PASSWORD) -> list[tuple[str, list[str]]]:
        given = {} if otp is None else {"otp": otp}
        payload = call(
            "tokenAuth", None, "token", email="ann@example.org", password=password, **given
        )
        assert (payload["token"] is None) == bool(payload["refused"])
        return payload["refused"]

    return send


def rows() -> list[Any]:
    """All that is kept of second factors."""
    models = (TOTPDevice, StaticDevice, StaticToken)
    return [list(model.objects.order_by("pk").values()) for model in models]


def forget_failures() -> None:
    """As much later that wrong codes slow nobody down any more."""
    later = timezone.now() - datetime.timedelta(hours=1)
    TOTPDevice.objects.exclude(throttling_failure_timestamp=None).update(
        throttling_failure_timestamp=later
    )


def failures() -> int:
    return TOTPDevice.objects.values_list("throttling_failure_count", flat=True).get()


# --- Turning it on and off ---------------------------------------------------------------------


def test_the_secret_comes_in_base32_and_as_a_uri(call: Any, customer: User, settings: Any) -> None:
    settings.OTP_TOTP_ISSUER = "Tea & Co"
    payload = call("otpBegin", customer, "secret uri")
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
    first, second = (call("otpBegin", customer, "secret")["secret"] for _ in range(2))
    assert first != second
    assert TOTPDevice.objects.filter(user=customer, confirmed=False).count() == 1
    assert sign_in() == []


def test_a_first_right_code_turns_it_on(call: Any, customer: User, authenticator: Any) -> None:
    call("otpBegin", customer)
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
    call("otpBegin", customer)
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
    given = {"code": authenticator.code(customer)} if mutation == "otpEnable" else {}
    assert call(mutation, customer, **given)["refused"] == [("INVALID", [])]
    assert rows() == before


@pytest.mark.parametrize("with_recovery_code", [False, True])
def test_a_code_turns_it_off(
    with_recovery_code: bool, call: Any, customer: User, authenticator: Any, sign_in: Any
) -> None:
    codes = authenticator.turn_on(customer)
    given = codes[3] if with_recovery_code else authenticator.code(customer)
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
    call("otpBegin", customer)
    code = authenticator.code(customer)
    call("otpEnable", customer, code=code)
    assert sign_in(code) == [INVALID]


def test_a_recovery_code_signs_in_once(customer: User, authenticator: Any, sign_in: Any) -> None:
    codes = authenticator.turn_on(customer)
    assert sign_in(codes[0]) == []
    assert sign_in(codes[0]) == [INVALID]
    assert sign_in(codes[1].replace("-", "").lower()) == []
    assert second_factor.recovery_codes_left(customer) == 8


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
        "١٢٣٤٥٦",
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
