"""The life of an account: signing up, confirming, passwords, another address, a name."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.utils import timezone
from graphql_relay import to_global_id

from shop.actions import accounts, customers
from shop.actions.customers import links, notices, profiles, registering
from shop.errors import InvalidToken, NotFound
from shop.models import OutboxEvent, SentMail, Session, User
from tests.schema.accounts import ALIVE, GOOD, Say, signed_in_by, token_in

pytestmark = pytest.mark.django_db(transaction=True)

FRESH = {"email": "Bea@Example.org ", "password": GOOD, "name": " Bea   Ladle "}
NOBODY = "no-one@example.org"


@pytest.fixture
def say(api: Callable[..., Any]) -> Say:
    return Say(api)


def test_signing_up_takes_a_link_and_the_password(say: Say, mailoutbox: list[Any]) -> None:
    assert say("customerRegister", **FRESH) == []
    user = User.objects.get(email_key="bea@example.org")
    assert (user.email, user.name, user.confirmed_at) == ("Bea@Example.org", "Bea Ladle", None)
    assert say.code("tokenAuth", email="bea@example.org", password=GOOD) == "INVALID_CREDENTIALS"
    (mail,) = mailoutbox
    assert mail.to == ["Bea@Example.org"]
    token = token_in(mail)
    assert say.code("customerConfirm", token=token, password="not it") == "INVALID_CREDENTIALS"
    assert User.objects.get().confirmed_at is None
    assert say("customerConfirm", token=token, password=GOOD) == []
    assert User.objects.get().confirmed_at is not None
    assert say("tokenAuth", email="bea@example.org", password=GOOD) == []


def test_confirming_signs_in(say: Say, api: Any, client: Any, mailoutbox: list[Any]) -> None:
    say("customerRegister", **FRESH)
    pair = say.payload(
        "customerConfirm", "token refreshToken", token=token_in(mailoutbox[0]), password=GOOD
    )
    assert signed_in_by(client, pair["token"]) == "Bea@Example.org"


def test_a_link_confirms_once(say: Say, mailoutbox: list[Any]) -> None:
    say("customerRegister", **FRESH)
    token = token_in(mailoutbox[0])
    assert say("customerConfirm", token=token, password=GOOD) == []
    assert say.code("customerConfirm", token=token, password=GOOD) == "INVALID_TOKEN"


def test_of_several_sign_ups_with_one_address_the_last_counts(
    say: Say, mailoutbox: list[Any]
) -> None:
    say("customerRegister", **FRESH)
    say("customerRegister", email="bea@example.org", password="another one of hers", name="Bea")
    first, second = (token_in(mail) for mail in mailoutbox)
    assert say.code("customerConfirm", token=first, password=GOOD) == "INVALID_TOKEN"
    assert say("customerConfirm", token=second, password="another one of hers") == []
    assert User.objects.get().name == "Bea"


def test_who_has_an_account_is_told_by_mail_and_nothing_changes(
    say: Say, customer: User, dump: Any, mailoutbox: list[Any]
) -> None:
    before = dump()["shop.User"]
    known = say.answer("customerRegister", email="ANN@example.org", password=GOOD, name="Eve")
    unknown = say.answer("customerRegister", email="new@example.org", password=GOOD, name="Eve")
    assert known == unknown
    assert dump()["shop.User"][:1] == before
    told, asked = mailoutbox
    assert (told.to, told.subject) == (["ann@example.org"], "You already have an account")
    assert "token=" not in told.body
    assert (asked.to, asked.subject) == (["new@example.org"], "Confirm your e-mail address")


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"email": "bea"}, "INVALID", ["email"]),
        ({"email": f"{'b' * 250}@example.org"}, "INVALID", ["email"]),
        ({"email": "b\x00ea@example.org"}, "INVALID", ["email"]),
        ({"name": "B" * 201}, "INVALID", ["name"]),
        ({"password": "short"}, "WEAK_PASSWORD", ["password"]),
        ({"password": "password1234"}, "WEAK_PASSWORD", ["password"]),
        ({"password": "481516234200"}, "WEAK_PASSWORD", ["password"]),
        ({"password": "bea@example.org"}, "WEAK_PASSWORD", ["password"]),
        ({"password": "x" * 5000}, "INVALID", ["password"]),
    ],
)
def test_a_bad_sign_up_is_refused_and_nothing_is_written(
    given: dict[str, str], code: str, field: list[str], say: Say, dump: Any
) -> None:
    before = dump()
    (error,) = say("customerRegister", **{**FRESH, **given})
    assert (error["code"], error["field"]) == (code, field)
    assert dump() == before


def test_an_account_that_nobody_confirms_goes(say: Say, customer: User) -> None:
    say("customerRegister", **FRESH)
    assert registering.purge_unconfirmed() == 0
    User.objects.update(created_at=timezone.now() - registering.UNCONFIRMED)
    assert registering.purge_unconfirmed() == 1
    assert [user.email for user in User.objects.all()] == ["ann@example.org"]


def test_a_new_password_by_mail(
    say: Say, customer: User, client: Any, mailoutbox: list[Any]
) -> None:
    pair = say.payload("tokenAuth", "token", email="ann@example.org", password=ALIVE)
    assert say("passwordResetRequest", email="ANN@example.org") == []
    token = token_in(mailoutbox[0])
    assert say("passwordReset", token=token, password=GOOD) == []
    assert signed_in_by(client, pair["token"]) is None
    assert say.code("tokenAuth", email="ann@example.org", password=ALIVE) == "INVALID_CREDENTIALS"
    assert say("tokenAuth", email="ann@example.org", password=GOOD) == []
    assert say.code("passwordReset", token=token, password="again another one") == "INVALID_TOKEN"
    assert [mail.subject for mail in mailoutbox] == [
        "Set a new password",
        "Your password was changed",
    ]


def test_asking_for_a_reset_tells_nothing_and_changes_nothing(
    say: Say, customer: User, dump: Any, mailoutbox: list[Any]
) -> None:
    gone = User.objects.create_user("gone@example.org", ALIVE, is_active=False)
    before = dump()["shop.User"]
    answers = [
        say.answer("passwordResetRequest", email=email)
        for email in (customer.email, NOBODY, gone.email, "no address", "a\x00b", "")
    ]
    assert answers == [answers[0]] * 6
    assert dump()["shop.User"] == before
    assert [mail.to for mail in mailoutbox] == [["ann@example.org"]]
    # Each wrote an event, or none of them did: who reads the tables learns nothing either.
    assert OutboxEvent.objects.filter(topic="user.reset_requested").count() == 6


def test_a_reset_confirms_an_address_that_waited_for_it(say: Say, mailoutbox: list[Any]) -> None:
    say("customerRegister", **FRESH)
    say("passwordResetRequest", email="bea@example.org")
    assert say("passwordReset", token=token_in(mailoutbox[1]), password="quite another one") == []
    assert say("tokenAuth", email="bea@example.org", password="quite another one") == []


def test_a_weak_new_password_leaves_the_link_alive(
    say: Say, customer: User, mailoutbox: list[Any]
) -> None:
    say("passwordResetRequest", email=customer.email)
    token = token_in(mailoutbox[0])
    assert say.code("passwordReset", token=token, password="password1234") == "WEAK_PASSWORD"
    assert say("passwordReset", token=token, password=GOOD) == []


@pytest.mark.parametrize(
    ("purpose", "hours"),
    [(links.CONFIRM, 72), (links.RESET, 1), (links.INVITE, 168), (links.CHANGE_EMAIL, 24)],
)
def test_a_link_is_good_for_its_purpose_and_its_time_only(
    purpose: str, hours: int, say: Say, customer: User, monkeypatch: Any
) -> None:
    mutations = {
        "customerConfirm": {"password": ALIVE},
        "passwordReset": {"password": GOOD},
        "emailConfirm": {"password": ALIVE},
    }
    serves = {links.RESET: "passwordReset", links.INVITE: "passwordReset"}
    serves |= {links.CONFIRM: "customerConfirm", links.CHANGE_EMAIL: "emailConfirm"}
    User.objects.update(pending_email="new@example.org", confirmed_at=None)
    customer.refresh_from_db()
    token = links.make(purpose, customer)
    for mutation, more in mutations.items():
        if mutation != serves[purpose]:
            assert say.code(mutation, token=token, **more) == "INVALID_TOKEN"
    forged = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    assert say.code(serves[purpose], token=forged, **mutations[serves[purpose]]) == "INVALID_TOKEN"
    seconds = hours * 3600
    now = timezone.now().timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + seconds + 5)
    assert say.code(serves[purpose], token=token, **mutations[serves[purpose]]) == "INVALID_TOKEN"
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + seconds - 60)
    assert say(serves[purpose], token=token, **mutations[serves[purpose]]) == []


def test_a_link_opens_the_active_account_that_it_was_made_for(staff: User, customer: User) -> None:
    token = links.make(links.RESET, customer)
    assert links.opened(token, links.INVITE, links.RESET) == customer
    User.objects.filter(pk=customer.pk).update(is_active=False)
    with pytest.raises(InvalidToken) as caught:
        links.opened(token, links.RESET)
    assert caught.value.field == ("token",)


@pytest.mark.parametrize(
    "change",
    [
        {"password": "!"},
        {"email_key": "other@example.org"},
        {"pending_email": "other@example.org"},
        {"token_version": 7},
        {"confirmed_at": None},
    ],
)
def test_a_link_ends_when_the_account_changes(change: dict[str, Any], customer: User) -> None:
    User.objects.filter(pk=customer.pk).update(confirmed_at=timezone.now())
    customer.refresh_from_db()
    token = links.make(links.RESET, customer)
    User.objects.filter(pk=customer.pk).update(**change)
    with pytest.raises(InvalidToken):
        links.opened(token, links.RESET)


def test_an_invitation_sets_the_first_password(say: Say, db: None) -> None:
    user = User.objects.create_user("new@example.org")
    assert say("passwordReset", token=links.make(links.INVITE, user), password=GOOD) == []
    assert say("tokenAuth", email="new@example.org", password=GOOD) == []


def test_changing_the_password_ends_all_sessions_and_begins_one(
    say: Say, customer: User, client: Any, mailoutbox: list[Any]
) -> None:
    one = say.payload("tokenAuth", "token refreshToken", email=customer.email, password=ALIVE)
    here = say.payload(
        "passwordChange",
        "token refreshToken",
        viewer=customer,
        currentPassword=ALIVE,
        newPassword=GOOD,
    )
    assert signed_in_by(client, one["token"]) is None
    assert say.code("refreshToken", refreshToken=one["refreshToken"]) == "INVALID_TOKEN"
    assert signed_in_by(client, here["token"]) == "ann@example.org"
    assert say("refreshToken", refreshToken=here["refreshToken"]) == []
    assert check_password(GOOD, User.objects.get(pk=customer.pk).password)
    assert [mail.subject for mail in mailoutbox] == ["Your password was changed"]


@pytest.mark.parametrize(
    ("current", "new", "code", "field"),
    [
        ("wrong", GOOD, "INVALID_CREDENTIALS", "currentPassword"),
        (ALIVE, "password1234", "WEAK_PASSWORD", "newPassword"),
        ("x" * 5000, GOOD, "INVALID_CREDENTIALS", "currentPassword"),
    ],
)
def test_a_change_of_password_that_is_refused_changes_nothing(
    current: str, new: str, code: str, field: str, say: Say, customer: User, dump: Any
) -> None:
    before = dump()
    (error,) = say("passwordChange", viewer=customer, currentPassword=current, newPassword=new)
    assert (error["code"], error["field"]) == (code, [field])
    assert dump() == before


def test_another_address_is_confirmed_on_the_new_and_told_to_the_old(
    say: Say, customer: User, client: Any, mailoutbox: list[Any]
) -> None:
    pair = say.payload("tokenAuth", "token", email=customer.email, password=ALIVE)
    given = {"email": "Ann@new.example.org", "password": ALIVE}
    assert say("emailChange", viewer=customer, **given) == []
    assert User.objects.get().email == "ann@example.org"
    old, new = mailoutbox
    assert (old.to, new.to) == (["ann@example.org"], ["Ann@new.example.org"])
    assert "Ann@new.example.org" in old.body
    token = token_in(new)
    assert token not in old.body
    # The address may have been mistyped: who reads mail there does not know the password.
    wrong = say.code("emailConfirm", token=token, password="not it")
    assert (wrong, User.objects.get().email) == ("INVALID_CREDENTIALS", "ann@example.org")
    assert say("emailConfirm", token=token, password=ALIVE) == []
    user = User.objects.get()
    assert (user.email, user.email_key, user.pending_email) == (
        "Ann@new.example.org",
        "ann@new.example.org",
        "",
    )
    assert signed_in_by(client, pair["token"]) is None
    assert (mailoutbox[2].to, mailoutbox[2].subject) == (
        ["ann@example.org"],
        "Your account has another e-mail address",
    )
    assert say("tokenAuth", email="ann@new.example.org", password=ALIVE) == []
    assert say.code("emailConfirm", token=token, password=ALIVE) == "INVALID_TOKEN"


def test_an_address_that_somebody_has_is_asked_for_in_vain(
    say: Say, customer: User, staff: User, mailoutbox: list[Any]
) -> None:
    free = say.answer("emailChange", customer, email="free@example.org", password=ALIVE)
    taken = say.answer("emailChange", customer, email="STAFF@example.org", password=ALIVE)
    assert free == taken
    assert [mail.to for mail in mailoutbox] == [
        ["ann@example.org"],
        ["free@example.org"],
        ["ann@example.org"],
    ]
    # Taken between the mail and the link, it stays with whoever has it.
    User.objects.filter(pk=customer.pk).update(pending_email="late@example.org")
    customer.refresh_from_db()
    token = links.make(links.CHANGE_EMAIL, customer)
    User.objects.create_user("LATE@example.org")
    assert say.code("emailConfirm", token=token, password=ALIVE) == "INVALID_TOKEN"
    assert User.objects.get(pk=customer.pk).email == "ann@example.org"


def test_an_address_that_somebody_only_signed_up_with_is_free(
    say: Say, customer: User, staff: User, mailoutbox: list[Any]
) -> None:
    say("customerRegister", **{**FRESH, "email": "new@example.org"})
    say("emailChange", viewer=customer, email="NEW@example.org", password=ALIVE)
    assert say("emailConfirm", token=token_in(mailoutbox[-1]), password=ALIVE) == []
    assert User.objects.get(email_key="new@example.org").pk == customer.pk
    say("customerRegister", **{**FRESH, "email": "clerk@example.org"})
    assert say("userCreate", viewer=staff, email="clerk@example.org") == []


def test_staff_change_their_own_address_as_customers_do(say: Say, staff: User) -> None:
    given = {"id": to_global_id("User", staff.pk), "email": "thief@example.org"}
    assert say.code("userUpdate", viewer=staff, **given) == "INVALID"
    assert User.objects.get(pk=staff.pk).email == "staff@example.org"


def test_an_address_that_staff_change_is_told_to_the_former_one(
    say: Say, customer: User, staff: User, mailoutbox: list[Any]
) -> None:
    given = {"id": to_global_id("User", customer.pk), "email": "new@example.org"}
    assert say("userUpdate", viewer=staff, **given) == []
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [
        (["ann@example.org"], "Your account has another e-mail address")
    ]


def test_warnings_come_through_however_many_links_were_asked_for(
    customer: User, mailoutbox: list[Any]
) -> None:
    for number in range(30):
        notices.send_reset(customer.pk, number)
    notices.tell_of_password(customer.pk, 100)
    assert mailoutbox[-1].subject == "Your password was changed"


def test_a_mail_that_fails_is_tried_again_and_counts_once(
    customer: User, mailoutbox: list[Any], monkeypatch: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("shop.actions.mails.send", lambda *args, **more: 1 / 0)
        for _ in range(20):
            with pytest.raises(ZeroDivisionError):
                notices.send_reset(customer.pk, 7)
    notices.send_reset(customer.pk, 7)
    assert len(mailoutbox) == 1


def test_a_new_password_is_not_undone_by_a_better_hash_of_the_old_one(
    customer: User, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    stale = User.objects.get(pk=customer.pk)
    fresh = User.objects.get(pk=customer.pk)
    fresh.set_password(GOOD)
    fresh.save()
    assert stale.check_password(ALIVE)
    assert User.objects.get(pk=customer.pk).check_password(GOOD)


def test_nothing_is_written_about_an_account_that_is_erased(say: Say, customer: User) -> None:
    stale = User.objects.get(pk=customer.pk)
    accounts.erase(customer)
    with pytest.raises(NotFound):
        profiles.update(stale, name="Ann Ladle")
    lifetime = timedelta(days=1)
    with pytest.raises(NotFound):
        customers.open_session(stale, lifetime=lifetime, device=customers.Device("Phone"))
    assert User.objects.get(pk=customer.pk).name == ""
    assert not Session.objects.exists()


def test_an_account_that_signs_up_again_has_its_days_again(say: Say) -> None:
    say("customerRegister", **FRESH)
    User.objects.update(created_at=timezone.now() - registering.UNCONFIRMED)
    say("customerRegister", **FRESH)
    assert registering.purge_unconfirmed() == 0


def test_another_address_takes_the_password(say: Say, customer: User, dump: Any) -> None:
    before = dump()
    given = {"email": "new@example.org", "password": "wrong"}
    assert say.code("emailChange", viewer=customer, **given) == "INVALID_CREDENTIALS"
    assert dump() == before


def test_a_name_is_changed_for_oneself(say: Say, customer: User, staff: User) -> None:
    assert say("profileUpdate", viewer=customer, name="  Ann  Ladle") == []
    assert say.code("profileUpdate", viewer=customer, name="A" * 201) == "INVALID"
    assert User.objects.get(pk=customer.pk).name == "Ann Ladle"
    assert User.objects.get(pk=staff.pk).name == ""


def test_nobody_floods_a_mailbox(say: Say, customer: User, mailoutbox: list[Any]) -> None:
    for number in range(30):
        notices.send_reset(customer.pk, number)
    assert len(mailoutbox) == 10
    assert SentMail.objects.count() == 10


def test_no_link_lies_in_the_database(
    say: Say, customer: User, dump: Any, mailoutbox: list[Any]
) -> None:
    say("customerRegister", **FRESH)
    say("passwordResetRequest", email=customer.email)
    say("emailChange", viewer=customer, email="new@example.org", password=ALIVE)
    tokens = [token_in(mail) for mail in mailoutbox if "token=" in mail.body]
    assert len(tokens) == 3
    rows = repr(dump())
    for token in tokens:
        assert token not in rows
        assert not any(part in rows for part in re.split("[:.]", token) if len(part) > 12)
