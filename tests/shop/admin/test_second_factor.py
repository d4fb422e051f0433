"""The staff screens and the second factor: signing in with it, and turning it on and off."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from shop.actions.customers import second_factor
from shop.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "a staff password"
PAGE = "/admin/second-factor/"
HOME = "/admin/"
LIST = "/admin/shop/product/"


@pytest.fixture(autouse=True)
def static_root(settings: Any, tmp_path: Any) -> None:
    # WhiteNoise warns of a static root that is not there yet.
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def clerk(db: None) -> User:
    """Staff with hardly any permission."""
    user = User.objects.create_user("clerk@example.org", PASSWORD, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_product"))
    return user


@pytest.fixture
def sign_in(client: Client) -> Any:
    """`sign_in(user, otp)`: the errors of the form; None when it let in."""

    def send(user: User, otp: str | None = None, password: str = PASSWORD) -> list[str] | None:
        given = {"username": user.email, "password": password, "next": HOME}
        response = client.post("/admin/login/", given if otp is None else given | {"otp": otp})
        if response.status_code == 302:
            assert response.url == HOME
            return None
        form = response.context["form"]
        assert "_auth_user_id" not in client.session
        return [error for errors in form.errors.values() for error in errors]

    return send


def act(client: Client, action: str, **values: str) -> Any:
    return client.post(PAGE, {"action": action, **values})


def is_in(client: Client) -> bool:
    """Whether the session opens a screen; else it is sent to sign in, or to enrol."""
    response = client.get(LIST)
    if response.status_code == 200:
        return True
    assert response.status_code == 302
    assert response.url in (f"/admin/login/?next={LIST}", PAGE)
    return False


# --- Signing in --------------------------------------------------------------------------------


def test_the_form_asks_for_a_code_and_keeps_its_names(client: Client) -> None:
    response = client.get("/admin/login/")
    page = response.content.decode()
    for name in ("username", "password", "otp"):
        assert f'name="{name}"' in page
        assert f'id="id_{name}"' in page
    assert 'autocomplete="one-time-code"' in page
    assert "<script>" not in page


def test_whoever_has_no_second_factor_signs_in_as_before(
    client: Client, clerk: User, sign_in: Any
) -> None:
    assert sign_in(clerk) is None
    assert is_in(client)


def test_whoever_has_one_is_asked_for_a_code(
    client: Client, clerk: User, sign_in: Any, authenticator: Any
) -> None:
    authenticator.turn_on(clerk)
    for given in (None, "", "  "):
        assert sign_in(clerk, given) == [
            "Enter the one-time code of your authenticator app, or a recovery code."
        ]
    clerk.refresh_from_db()
    assert clerk.last_login is None
    assert not is_in(client)


def test_a_wrong_code_does_not_let_in_and_counts(
    client: Client, clerk: User, sign_in: Any, authenticator: Any
) -> None:
    authenticator.turn_on(clerk)
    wrong = authenticator.code(clerk, steps=50)
    assert sign_in(clerk, wrong) == ["The one-time code is not right, or was used before."]
    assert second_factor.device_of(clerk).throttling_failure_count == 1
    assert not is_in(client)


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_a_right_code_lets_in_once(
    kind: str, client: Client, clerk: User, sign_in: Any, authenticator: Any
) -> None:
    codes = authenticator.turn_on(clerk)
    code = authenticator.code(clerk) if kind == "app" else codes[0]
    assert sign_in(clerk, code) is None
    assert is_in(client)
    client.logout()
    assert sign_in(clerk, code) == ["The one-time code is not right, or was used before."]


def test_a_wrong_password_spends_no_code(
    client: Client, clerk: User, sign_in: Any, authenticator: Any
) -> None:
    codes = authenticator.turn_on(clerk)
    (error,) = sign_in(clerk, codes[0], password="wrong")
    assert "code" not in error
    assert second_factor.recovery_codes_left(clerk) == 10
    assert sign_in(clerk, codes[0]) is None


def test_a_shopper_spends_no_code_at_the_staff_screens(
    customer: User, sign_in: Any, authenticator: Any
) -> None:
    codes = authenticator.turn_on(customer)
    assert sign_in(customer, codes[0], password="a customer password")
    assert second_factor.recovery_codes_left(customer) == 10


# --- Being let in ------------------------------------------------------------------------------


def test_a_session_that_proved_no_second_factor_opens_nothing(
    client: Client, clerk: User, authenticator: Any
) -> None:
    client.force_login(clerk)
    assert is_in(client)
    authenticator.turn_on(clerk)
    assert not is_in(client)
    for url in (HOME, PAGE, "/admin/mails/", "/admin/password_change/"):
        assert client.get(url).url == f"/admin/login/?next={url}"
    assert act(client, "begin").url == f"/admin/login/?next={PAGE}"
    assert client.get("/admin/login/").status_code == 200


def test_whoever_has_come_half_the_way_may_leave(
    client: Client, clerk: User, authenticator: Any, settings: Any
) -> None:
    for required in (False, True):
        settings.STAFF_OTP_REQUIRED = required
        client.force_login(clerk)
        if not required:
            authenticator.turn_on(clerk)
        assert client.post("/admin/logout/").status_code == 200
        assert "_auth_user_id" not in client.session
        second_factor.remove(clerk)


def test_a_session_does_not_outlive_the_device_that_it_proved(
    client: Client, clerk: User, sign_in: Any, authenticator: Any
) -> None:
    authenticator.turn_on(clerk)
    assert sign_in(clerk, authenticator.code(clerk)) is None
    second_factor.remove(clerk)
    authenticator.turn_on(clerk)
    assert not is_in(client)


def test_it_takes_one_statement_for_a_page(
    client: Client, clerk: User, sign_in: Any, authenticator: Any
) -> None:
    authenticator.turn_on(clerk)
    assert sign_in(clerk, authenticator.code(clerk)) is None
    with CaptureQueriesContext(connection) as captured:
        assert is_in(client)
    assert sum("otp_" in query["sql"] for query in captured) == 1


def test_the_screens_of_the_library_are_not_there(client: Client, staff: User) -> None:
    client.force_login(staff)
    for name in ("otp_totp_totpdevice", "otp_static_staticdevice"):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:{name}_changelist")


# --- Turning it on and off ---------------------------------------------------------------------


@pytest.mark.parametrize("who", ["nobody", "customer"])
def test_the_page_is_for_staff(who: str, client: Client, customer: User) -> None:
    if who == "customer":
        client.force_login(customer)
    assert client.get(PAGE).url == f"/admin/login/?next={PAGE}"
    assert act(client, "begin").url == f"/admin/login/?next={PAGE}"
    assert TOTPDevice.objects.count() == 0


def test_the_page_refuses_what_another_site_sends(clerk: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(clerk)
    assert act(client, "begin").status_code == 403
    assert TOTPDevice.objects.count() == 0


def test_the_menu_of_the_account_leads_to_the_page(client: Client, clerk: User) -> None:
    client.force_login(clerk)
    page = client.get(HOME).content.decode()
    assert f'href="{PAGE}"' in page
    assert 'href="/admin/password_change/"' in page


def test_turning_it_on_shows_the_recovery_codes_once(
    client: Client, clerk: User, sign_in: Any, authenticator: Any
) -> None:
    client.force_login(clerk)
    assert "Your second factor is off" in client.get(PAGE).content.decode()
    assert act(client, "begin", password=PASSWORD).url == PAGE
    response = client.get(PAGE)
    page = response.content.decode()
    assert second_factor.pending(clerk).secret in page
    assert "otpauth://totp/" in page
    assert "no-store" in response.headers["Cache-Control"]
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in policy
    assert "<script>" not in page
    response = act(client, "enable", code=authenticator.code(clerk))
    codes = response.context["recovery_codes"]
    assert len(codes) == 10
    assert all(code in response.content.decode() for code in codes)
    assert "no-store" in response.headers["Cache-Control"]
    # The session that turned it on goes on; the page does not show them again.
    assert is_in(client)
    page = client.get(PAGE).content.decode()
    assert "Unused recovery codes: 10." in page
    assert not any(code in page for code in codes)
    client.logout()
    assert sign_in(clerk) is not None
    assert sign_in(clerk, codes[0]) is None


@pytest.mark.parametrize("wrong", ["", "123", "x" * 100, "a code of another time"])
def test_a_wrong_code_turns_nothing_on_and_keeps_the_secret(
    wrong: str, client: Client, clerk: User, authenticator: Any
) -> None:
    client.force_login(clerk)
    act(client, "begin", password=PASSWORD)
    secret = second_factor.pending(clerk).secret
    given = authenticator.code(clerk, steps=50) if wrong.startswith("a code") else wrong
    response = act(client, "enable", code=given)
    assert response.context["form"].errors["code"]
    assert secret in response.content.decode()
    assert not second_factor.is_on(clerk)


@pytest.mark.parametrize("action", ["disable", "renew", "enable", "nonsense", ""])
def test_without_a_beginning_a_button_does_nothing(
    action: str, client: Client, clerk: User
) -> None:
    client.force_login(clerk)
    assert act(client, action, code="123456").status_code in (200, 302)
    assert act(client, action).status_code in (200, 302)
    assert TOTPDevice.objects.count() == 0


def test_new_codes_and_turning_it_off_take_a_code(
    client: Client, clerk: User, sign_in: Any, authenticator: Any
) -> None:
    old = authenticator.turn_on(clerk)
    assert sign_in(clerk, authenticator.code(clerk)) is None
    for action in ("renew", "disable"):
        response = act(client, action, code="k" * 16)
        assert response.context["form"].errors["code"]
    assert act(client, "begin", password=PASSWORD).url == PAGE
    assert second_factor.is_on(clerk)
    new = act(client, "renew", code=old[0]).context["recovery_codes"]
    assert second_factor.recovery_codes_left(clerk) == 10
    assert act(client, "disable", code=old[1]).context["form"].errors["code"]
    response = client.post(PAGE, {"action": "disable", "code": new[0]}, follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        "The second factor is off."
    ]
    assert not second_factor.is_on(clerk)
    assert is_in(client)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "This field is required."),
        ({"password": ""}, "This field is required."),
        ({"password": "wrong"}, "The password is not right."),
        ({"password": f" {PASSWORD}"}, "The password is not right."),
    ],
)
def test_a_session_without_the_password_begins_nothing(
    given: dict[str, str], told: str, client: Client, clerk: User
) -> None:
    client.force_login(clerk)
    assert 'type="password"' in client.get(PAGE).content.decode()
    response = act(client, "begin", **given)
    assert response.context["password_form"].errors == {"password": [told]}
    page = response.content.decode()
    assert told in page
    assert "wrong" not in page
    assert TOTPDevice.objects.count() == 0


def test_tries_of_the_password_are_counted_at_the_page(client: Client, clerk: User) -> None:
    client.force_login(clerk)
    for _ in range(10):
        act(client, "begin", password="wrong")
    response = act(client, "begin", password=PASSWORD)
    (error,) = response.context["password_form"].errors["password"]
    assert error.startswith("Too many tries.")
    assert TOTPDevice.objects.count() == 0


def test_another_secret_takes_the_password_again(client: Client, clerk: User) -> None:
    client.force_login(clerk)
    act(client, "begin", password=PASSWORD)
    secret = second_factor.pending(clerk).secret
    act(client, "begin", password="wrong")
    assert second_factor.pending(clerk).secret == secret
    act(client, "begin", password=PASSWORD)
    assert second_factor.pending(clerk).secret != secret


# --- Where all staff must have one -------------------------------------------------------------


@pytest.fixture
def required(settings: Any) -> None:
    settings.STAFF_OTP_REQUIRED = True


def test_staff_without_one_get_to_the_page_only(
    required: None, client: Client, staff: User, sign_in: Any
) -> None:
    assert sign_in(staff) is None
    urls = (HOME, LIST, "/admin/mails/", "/admin/password_change/", "/admin/nowhere/")
    for url in urls:
        assert client.get(url).url == PAGE
        assert client.post(url).url == PAGE
    response = client.get(PAGE)
    page = response.content.decode()
    assert "This shop asks its staff for a second factor." in page
    assert 'action="/admin/logout/"' in page
    assert "/admin/shop/" not in page


def test_once_it_is_on_everything_opens_and_off_closes_it_again(
    required: None, client: Client, clerk: User, sign_in: Any, authenticator: Any
) -> None:
    assert sign_in(clerk) is None
    act(client, "begin", password=PASSWORD)
    response = act(client, "enable", code=authenticator.code(clerk))
    codes = response.context["recovery_codes"]
    assert is_in(client)
    assert act(client, "disable", code=codes[0]).url == PAGE
    assert not is_in(client)
    assert client.get(PAGE).status_code == 200


def test_those_who_are_not_staff_are_sent_to_sign_in(
    required: None, client: Client, customer: User
) -> None:
    assert not is_in(client)
    client.force_login(customer)
    assert client.get(LIST).url == f"/admin/login/?next={LIST}"


# --- When everything is lost -------------------------------------------------------------------


def test_a_command_turns_it_off(clerk: User, staff: User, authenticator: Any) -> None:
    for user in (clerk, staff):
        authenticator.turn_on(user)
    told = io.StringIO()
    call_command("remove_second_factor", "Clerk@example.org", stdout=told)
    assert told.getvalue() == "clerk@example.org signs in with the password alone.\n"
    assert (second_factor.is_on(clerk), second_factor.is_on(staff)) == (False, True)
    for email in ("clerk@example.org", "nobody@example.org"):
        with pytest.raises(CommandError):
            call_command("remove_second_factor", email)
