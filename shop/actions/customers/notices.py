"""Mails about accounts. Links are made when the mail is, so that no queue holds one."""

from urllib.parse import urlencode

from django.conf import settings

from shop import throttling
from shop.actions import mails
from shop.actions.customers import links
from shop.errors import Throttled
from shop.models import Session, User
from shop.models.customers import email_key

# Mails that others can have sent to an account, whoever asks.
_FLOOD = throttling.Limit(10, 3600)


def tell_of_reuse(session_id: int) -> None:
    """Mails the user of a session that ended because a spent token came back, once.

    Raises:
        OSError: the mail server does not take it.
    """
    session = Session.objects.select_related("user").filter(pk=session_id).first()
    if session is None or not session.user.is_active:
        return
    context = {
        "name": session.user.name,
        "device": session.user_agent,
        "address": session.address or "",
    }
    key = f"session-ended-{session.pk}"
    mails.send("session_ended", to=session.user.email, key=key, context=context)


def welcome(user_id: int, event_id: int) -> None:
    """Mails whoever signed up a link to confirm; or, who has an account already, that they do.

    Raises as `tell_of_reuse`, as do all below.
    """
    user = _told(user_id)
    if user is None:
        return
    if user.confirmed_at is None:
        _send("account_confirm", user, event_id, link=_link("confirm", links.CONFIRM, user))
    else:
        _send("account_exists", user, event_id, link=f"{settings.STOREFRONT_URL}/account/reset")


def send_reset(user_id: int, event_id: int) -> None:
    """Mails a link that sets a new password."""
    user = _told(user_id)
    if user is not None:
        _send("password_reset", user, event_id, link=_link("reset", links.RESET, user))


def invite(user_id: int, event_id: int) -> None:
    """Mails a link that sets the first password, to somebody for whom staff made an account."""
    user = _told(user_id)
    if user is not None:
        _send("account_invited", user, event_id, link=_link("reset", links.INVITE, user))


def tell_of_password(user_id: int, event_id: int) -> None:
    """Mails that the password was changed."""
    user = _told(user_id)
    if user is not None:
        _send("password_changed", user, event_id)


def tell_of_second_factor(user_id: int, event_id: int, *, what: str) -> None:
    """Mails that the second factor was turned on or off, or what became of recovery codes.

    Args:
        what: one of `second_factor.WHAT`.
    """
    # Counted apart: nobody keeps this mail from going out by having others sent first.
    user = _told(user_id, count="mail of second factor")
    if user is not None:
        _send("second_factor_changed", user, event_id, what=what)


def ask_about_email(user_id: int, event_id: int) -> None:
    """Mails a link to the address that is to be, and a warning to the one that is."""
    user = _told(user_id)
    if user is None or not user.pending_email:
        return
    _send("email_requested", user, event_id, pending=user.pending_email)
    # Who has that address already is not told by whom it is wanted.
    taken = User.objects.filter(email_key=email_key(user.pending_email)).exclude(pk=user.pk)
    if not taken.exists():
        context = {"name": user.name, "link": _link("email", links.CHANGE_EMAIL, user)}
        key = f"email-confirm-{event_id}"
        mails.send("email_confirm", to=user.pending_email, key=key, context=context)


def _told(user_id: int, *, count: str = "mail") -> User | None:
    """Who is to be told, unless they were too often: a mailbox is easily flooded by others.

    Args:
        count: of which mails there have been too many.
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    try:
        throttling.hit(_FLOOD, count, str(user.pk))
    except Throttled:
        return None
    return user


def _send(template: str, user: User, event_id: int, **context: str) -> None:
    key = f"{template.replace('_', '-')}-{event_id}"
    mails.send(template, to=user.email, key=key, context={"name": user.name, **context})


def _link(page: str, purpose: str, user: User) -> str:
    query = urlencode({"token": links.make(purpose, user)})
    return f"{settings.STOREFRONT_URL}/account/{page}?{query}"
