"""Mails about accounts. Links are made when the mail is, so that no queue holds one."""

from shop import throttling
from shop.actions import mails
from shop.actions.customers import links
from shop.errors import Throttled
from shop.models import Session, User
from shop.models.customers import email_key

# Mails of one kind that strangers can have sent to an account. Their links work for an hour at
# least, so that whoever is flooded has some that work.
_FLOOD = throttling.Limit(10, 3600)
_ONCE = throttling.Limit(1, 24 * 3600)


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
    mails.send("session_ended", to=session.user.email, key=key, context=context, user=session.user)


def welcome(user_id: int, event_id: int) -> None:
    """Mails whoever signed up a link to confirm; or, who has an account already, that they do.

    Raises as `tell_of_reuse`, as do all below.
    """
    user = _unflooded(user_id, event_id, "welcome")
    if user is None:
        return
    if user.confirmed_at is None:
        # Not by name: whoever typed the address may have typed anything for a name.
        link = _link("confirm", links.CONFIRM, user)
        _send("account_confirm", user, event_id, link=link, name="")
    else:
        _send("account_exists", user, event_id, link=mails.page_url("/account/reset"))


def send_reset(user_id: int, event_id: int) -> None:
    """Mails a link that sets a new password."""
    user = _unflooded(user_id, event_id, "reset")
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
    user = _told(user_id)
    if user is not None:
        _send("second_factor_changed", user, event_id, what=what)


def ask_about_email(user_id: int, event_id: int) -> None:
    """Mails a link to the address that is to be, and a warning to the one that is."""
    user = _told(user_id)
    if user is None or not user.pending_email:
        return
    _send("email_requested", user, event_id, pending=user.pending_email)
    # Who has that address already is not told by whom it is wanted. An account that nobody has
    # confirmed does not have it.
    others = User.objects.filter(email_key=email_key(user.pending_email)).exclude(pk=user.pk)
    if not others.exclude(confirmed_at=None).exists():
        context = {"name": "", "link": _link("email", links.CHANGE_EMAIL, user)}
        key = f"email-confirm-{event_id}"
        mails.send("email_confirm", to=user.pending_email, key=key, context=context, user=user)


def tell_former_address(user_id: int, event_id: int, former: str) -> None:
    """Mails the address that an account had that it has another one now."""
    user = _told(user_id)
    if user is not None:
        key = f"email-changed-{event_id}"
        context = {"name": user.name}
        mails.send("email_changed", to=former, key=key, context=context, user=user)


def _told(user_id: int) -> User | None:
    return User.objects.filter(pk=user_id, is_active=True).first()


def _unflooded(user_id: int, event_id: int, kind: str) -> User | None:
    """As `_told`, unless strangers had too many sent: a mailbox is easily flooded."""
    user = _told(user_id)
    if user is None:
        return None
    try:
        throttling.hit(_ONCE, "mail", str(event_id))
    except Throttled:
        return user  # The same mail once more: its last try failed.
    try:
        throttling.hit(_FLOOD, "mail", kind, str(user.pk))
    except Throttled:
        return None
    return user


def _send(template: str, user: User, event_id: int, **context: str) -> None:
    key = f"{template.replace('_', '-')}-{event_id}"
    full = {"name": user.name, **context}
    mails.send(template, to=user.email, key=key, context=full, user=user)


def _link(page: str, purpose: str, user: User) -> str:
    return mails.page_url(f"/account/{page}", token=links.make(purpose, user))
