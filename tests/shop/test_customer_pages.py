"""Pages behind the links of mails: good, wrong, expired and used tokens, and their logs."""

import logging
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from shop.actions import carts, notices
from shop.actions.customers import links
from shop.actions.customers import notices as account_notices
from shop.actions.orders import digest_of, token_of
from shop.models import Cart, Fulfillment, Order, OutboxEvent, User
from shop.request_ids import TokenFilter
from tests.shop import sold

pytestmark = pytest.mark.django_db

PASSWORD = "a customer password"
NEW = "ladles of clay 7"
GONE = "This link is not valid any more."


@pytest.fixture(autouse=True)
def no_storefront(settings: Any) -> None:
    settings.STOREFRONT_URL = ""
    settings.SITE_URL = "https://api.example.org"


@pytest.fixture
def browser() -> Client:
    """As a private window of a browser: what it sends, it must have from the page."""
    return Client(enforce_csrf_checks=True)


def mailed_path() -> str:
    """Path and query of the link in the last mail, which leads to this server."""
    found = re.search(r"https://api\.example\.org(\S+)", mail.outbox[-1].body)
    assert found, mail.outbox[-1].body
    return found[1]


def token_in(path: str) -> str:
    return parse_qs(urlsplit(path).query)["token"][0]


def page(response: HttpResponse) -> str:
    return response.content.decode()


def unconfirmed() -> User:
    user = User.objects.create_user("new@example.org", PASSWORD)
    User.objects.filter(pk=user.pk).update(confirmed_at=None)
    user.refresh_from_db()
    return user


def with_pending(user: User) -> User:
    User.objects.filter(pk=user.pk).update(pending_email="other@example.org")
    user.refresh_from_db()
    return user


CASES = ["confirm", "reset", "email"]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, customer: User) -> SimpleNamespace:
    """A page with a form: its link as it was mailed, what to send, and whether it was done."""
    if request.param == "confirm":
        user = unconfirmed()
        account_notices.welcome(user.pk, 1)
        given, purpose = {"password": PASSWORD}, links.CONFIRM

        def is_done() -> bool:
            return User.objects.get(pk=user.pk).confirmed_at is not None

    elif request.param == "reset":
        user = customer
        account_notices.send_reset(user.pk, 1)
        given, purpose = {"password": NEW, "again": NEW}, links.RESET

        def is_done() -> bool:
            return User.objects.get(pk=user.pk).check_password(NEW)

    else:
        user = with_pending(customer)
        account_notices.ask_about_email(user.pk, 1)
        given, purpose = {"password": PASSWORD}, links.CHANGE_EMAIL

        def is_done() -> bool:
            return User.objects.get(pk=user.pk).email == "other@example.org"

    path = mailed_path()
    assert urlsplit(path).path == f"/account/{request.param}"
    return SimpleNamespace(
        name=request.param, user=user, path=path, token=token_in(path), given=given,
        purpose=purpose, is_done=is_done, action=urlsplit(path).path,
    )  # fmt: skip


def test_looking_changes_nothing_and_the_button_does_it(
    case: SimpleNamespace, browser: Client
) -> None:
    for _ in range(3):
        # As mail scanners do it.
        shown = browser.get(case.path)
        assert shown.status_code == 200
        browser.head(case.path)
    assert not case.is_done()
    text = page(shown)
    assert f'action="{case.action}"' in text
    assert f'name="token" value="{case.token}"' in text
    assert not shown.cookies
    answer = browser.post(case.action, {"token": case.token, **case.given})
    assert answer.status_code == 200
    assert 'role="status"' in page(answer)
    assert not answer.cookies
    assert case.is_done()


def test_a_link_works_once(case: SimpleNamespace, browser: Client) -> None:
    sent = {"token": case.token, **case.given}
    assert browser.post(case.action, sent).status_code == 200
    assert OutboxEvent.objects.exists()
    OutboxEvent.objects.all().delete()
    again = browser.post(case.action, sent)
    assert (again.status_code, GONE in page(again)) == (400, True)
    looked = browser.get(case.path)
    assert (looked.status_code, GONE in page(looked)) == (400, True)
    assert not OutboxEvent.objects.exists()


def test_wrong_tokens_are_refused(case: SimpleNamespace, browser: Client) -> None:
    other = links.make("another purpose", case.user)
    for token in ("", "wrong", case.token[:-1], other, "x" * 5000, "\0"):
        sent = browser.post(case.action, {**case.given, "token": token})
        assert (sent.status_code, GONE in page(sent)) == (400, True)
        looked = browser.get(case.action, {"token": token})
        assert (looked.status_code, GONE in page(looked)) == (400, True)
    assert not case.is_done()


def test_expired_tokens_are_refused(
    case: SimpleNamespace, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(links.LIFETIMES, case.purpose, timedelta(seconds=-1))
    monkeypatch.setitem(links.LIFETIMES, links.INVITE, timedelta(seconds=-1))
    assert browser.get(case.path).status_code == 400
    assert browser.post(case.action, {"token": case.token, **case.given}).status_code == 400
    assert not case.is_done()


def test_errors_stand_beside_their_fields(case: SimpleNamespace, browser: Client) -> None:
    wrong = {
        "confirm": ({"password": "wrong"}, "The password is not right."),
        "email": ({"password": "wrong"}, "The password is not right."),
        "reset": ({"password": "password", "again": "password"}, "too common"),
    }
    given, told = wrong[case.name]
    answer = browser.post(case.action, {"token": case.token, **given})
    assert answer.status_code == 400
    assert told in page(answer)
    assert 'aria-invalid="true" aria-describedby="id_password_note"' in page(answer)
    assert f'value="{given["password"]}"' not in page(answer)
    empty = browser.post(case.action, {"token": case.token})
    assert "This field is required." in page(empty)
    assert not case.is_done()
    # The link works still.
    assert browser.post(case.action, {"token": case.token, **case.given}).status_code == 200
    assert case.is_done()


def test_tries_are_throttled_as_those_of_the_mutation(
    case: SimpleNamespace, browser: Client
) -> None:
    sent = {"token": case.token, "password": "x", "again": "x"}
    statuses = [browser.post(case.action, sent).status_code for _ in range(11)]
    assert statuses == [400] * 10 + [429]
    answer = browser.post(case.action, sent)
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many tries." in page(answer)


def test_no_token_is_logged(
    case: SimpleNamespace, browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        browser.get(case.path)
        browser.get(case.path + "x")
        browser.post(case.action, {"token": case.token, "password": "wrong"})
        browser.post(case.action, {"token": case.token, **case.given})
        browser.post(case.action, {"token": case.token, **case.given})
        browser.put(case.path)
    assert case.token not in caplog.text
    assert all(case.token not in str(record.__dict__.get("args")) for record in caplog.records)


def test_the_development_server_logs_no_token() -> None:
    record = logging.LogRecord(
        "django.server", logging.INFO, "", 0, '"%s" %s %s',
        ("GET /account/reset?token=secret&x=1 HTTP/1.1", "200", "5"), None,
    )  # fmt: skip
    assert TokenFilter().filter(record)
    assert record.getMessage() == '"GET /account/reset?token=***&x=1 HTTP/1.1" 200 5'


def test_the_log_of_the_development_server_has_the_filter(settings: Any) -> None:
    handler = settings.LOGGING["handlers"]["console"]
    assert "no_tokens" in handler["filters"]
    server = settings.LOGGING["loggers"]["django.server"]
    assert (server["handlers"], server["propagate"]) == (["console"], False)


def test_two_different_passwords_are_refused(customer: User, browser: Client) -> None:
    token = links.make(links.RESET, customer)
    sent = {"token": token, "password": NEW, "again": NEW + "8"}
    answer = browser.post("/account/reset", sent)
    assert (answer.status_code, "not the same" in page(answer)) == (400, True)
    customer.refresh_from_db()
    assert customer.check_password(PASSWORD)


def test_invited_users_choose_their_first_password(browser: Client) -> None:
    user = User.objects.create_user("invited@example.org", None)
    account_notices.invite(user.pk, 1)
    path = mailed_path()
    assert browser.get(path).status_code == 200
    sent = {"token": token_in(path), "password": NEW, "again": NEW}
    assert browser.post("/account/reset", sent).status_code == 200
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_a_reset_can_be_asked_for_without_a_token(customer: User, browser: Client) -> None:
    account_notices.welcome(customer.pk, 1)
    assert mailed_path() == "/account/reset"
    shown = browser.get("/account/reset")
    assert (shown.status_code, 'autocomplete="email"' in page(shown)) == (200, True)
    told = []
    for email in (customer.email, "nobody@example.org"):
        answer = browser.post("/account/reset", {"email": email})
        assert answer.status_code == 200
        told.append(page(answer))
    assert told[0] == told[1]
    asked = OutboxEvent.objects.filter(aggregate=f"user:{customer.pk}")
    assert asked.get().topic == "user.reset_requested"


def test_the_page_for_another_address_asks_for_a_code_as_well(
    customer: User, browser: Client
) -> None:
    user = with_pending(customer)
    shown = browser.get("/account/email", {"token": links.make(links.CHANGE_EMAIL, user)})
    assert 'autocomplete="one-time-code"' in page(shown)
    assert 'aria-describedby="id_otp_note"' in page(shown)


# --- Orders and carts -----------------------------------------------------------------------------


def test_the_mail_of_an_order_links_to_its_page(world: Any, browser: Client) -> None:
    order = sold.make_order("ann@example.org", None)
    digest = digest_of(token_of(order))
    Order.objects.filter(pk=order.pk).update(digest=digest)
    Fulfillment.objects.create(
        order=order, carrier="DHL", tracking_number="42", tracking_url="https://dhl.example/42"
    )
    notices.tell_of_confirmation(order.pk, 1)
    path = mailed_path()
    assert urlsplit(path).path == f"/orders/{order.number}"
    shown = browser.get(path)
    assert shown.status_code == 200
    text = page(shown)
    assert f"Order {order.number}" in text
    for line in order.lines.all():
        assert line.name in text
    assert 'href="https://dhl.example/42" rel="noreferrer"' in text


@pytest.mark.parametrize("token", ["", "wrong", "\0"])
def test_an_order_opens_with_its_own_token_only(token: str, world: Any, browser: Client) -> None:
    order = sold.make_order("ann@example.org", None)
    other = sold.make_order("bob@example.org", None)
    answers = [
        browser.get(f"/orders/{number}", {"token": token})
        for number in (order.number, "4K7M9-QX2PD")
    ]
    answers.append(browser.get(f"/orders/{order.number}", {"token": token_of(other)}))
    assert {answer.status_code for answer in answers} == {404}
    assert len({page(answer) for answer in answers}) == 1


@pytest.fixture
def reminded(selling: SimpleNamespace) -> Cart:
    """A cart with two mugs that somebody was reminded of."""
    cart, _ = carts.create(AnonymousUser())
    carts.set_email(cart, "ann@example.org")
    carts.set_reminder(cart, True)
    carts.add(cart, [(selling.variants[0].pk, 2)])
    Cart.objects.filter(pk=cart.pk).update(reminded_at=timezone.now())
    notices.tell_of_cart(cart.pk, 1)
    return cart


def test_a_reminder_links_to_a_page_that_shows_the_cart(reminded: Cart, browser: Client) -> None:
    path = mailed_path()
    assert urlsplit(path).path == "/cart"
    shown = browser.get(path)
    assert (shown.status_code, "Mug 1" in page(shown)) == (200, True)
    assert str(carts.priced(reminded).price.total // 100) in page(shown)
    # The token shows the cart, and opens it for nothing else.
    assert not Cart.objects.filter(digest=carts.digest_of(token_in(path))).exists()


@pytest.mark.parametrize(
    "fields", [{"status": "ordered"}, {"email": "bob@example.org"}, None], ids=str
)
def test_a_reminder_ends_with_the_cart(fields: Any, reminded: Cart, browser: Client) -> None:
    path = mailed_path()
    if fields:
        Cart.objects.filter(pk=reminded.pk).update(**fields)
    else:
        Cart.objects.all().delete()
    assert browser.get(path).status_code == 404
    assert browser.get("/cart").status_code == 404
    assert browser.get("/cart", {"token": "wrong"}).status_code == 404


def test_a_reminder_expires(reminded: Cart, browser: Client, settings: Any) -> None:
    settings.CART_DAYS = -1
    assert browser.get(mailed_path()).status_code == 404


# --- All pages ------------------------------------------------------------------------------------


def test_pages_are_private(case: SimpleNamespace, browser: Client) -> None:
    for response in (browser.get(case.path), browser.get(case.action), browser.get("/cart")):
        assert response.headers["Cache-Control"] == "private, no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert response.headers["X-Frame-Options"] == "DENY"
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self';")
        assert "unsafe" not in policy
        text = page(response)
        assert "<script" not in text
        assert "style=" not in text


def test_links_lead_to_the_storefront_if_there_is_one(
    customer: User, reminded: Cart, settings: Any
) -> None:
    settings.STOREFRONT_URL = "https://shop.example.org"
    account_notices.send_reset(customer.pk, 7)
    assert "https://shop.example.org/account/reset?token=" in mail.outbox[-1].body
    Cart.objects.update(email="bob@example.org")
    notices.tell_of_cart(reminded.pk, 8)
    assert re.search(r"https://shop\.example\.org/cart\s", mail.outbox[-1].body)
