"""Mails about accounts."""

from shop.actions import mails
from shop.models import Session


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
