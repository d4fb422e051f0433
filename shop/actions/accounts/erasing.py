"""The end of an account: who it was can no longer be told (GDPR, article 17).

The row stays, for what the shop must keep hangs on it. A domain that keeps something about
customers adds a function to STEPS. What hangs on users by CASCADE goes in any case.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session as ScreenSession
from django.db import models, transaction
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from shop import events
from shop.actions import audit, jobs, reviews
from shop.actions.accounts import erasing_sales, leftovers, sales
from shop.actions.audit.values import ERASED
from shop.actions.customers import privileges
from shop.actions.customers.holding import hold
from shop.actions.customers.signing_in import prove
from shop.errors import NotFound
from shop.models import (
    AuditEntry,
    Job,
    JobKind,
    OutboxEvent,
    SentMail,
    User,
)
from shop.models.customers import email_key

# What staff did on the screens stays in their log, without saying who they were.
KEPT: tuple[type[models.Model], ...] = (LogEntry,)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """What outlives an erasure, because somebody has paid for it and waits for it.

    Attributes:
        orders: so many keep an address until they are delivered or end.
        until: when the last of them loses it at the latest; None without any.
    """

    orders: int = 0
    until: datetime | None = None


def erase_own(user: User, *, password: str, address: str, otp: str | None = None) -> Kept:
    """Erases the account of someone who proves to be its owner.

    It must not run inside a transaction, as `prove`.

    Args:
        address: of the client, whose tries are counted.
        otp: one-time code, where the account asks for one.

    Raises:
        InvalidCredentials: it is another password.
        OtpRequired, InvalidOtp: the password is right, the second factor is not.
        LastOwner: the shop would be left without an owner who can sign in.
        Throttled, Busy: too many tries.
    """
    prove(user, password, address=address, otp=otp)
    with transaction.atomic():
        privileges.hold(user)
        privileges.check(user, by=user, ends_ownership=True)
        return erase(user)


@transaction.atomic
def erase(user: User) -> Kept:
    """Makes a stranger of `user`, signs them out everywhere, and deletes what told of them.

    Orders that are still to be delivered keep what that takes, and lose it then (`delivering`).
    Erasing one who is erased already does nothing.
    """
    try:
        hold(user)
    except NotFound:
        return Kept()
    known = User.objects.get(pk=user.pk)
    for step in STEPS:
        step(known)
    _anonymise(known)
    events.emit("user.erased", known)
    kept = sales.kept_of(known).aggregate(orders=Count("pk"), until=Max("forget_at"))
    user.refresh_from_db()
    return Kept(**kept)


def _webhooks(user: User) -> None:
    """Bodies that documents of endpoints made: of what was theirs, or with their address in it."""
    leftovers.forget_messages(_aggregates(user), _addresses(user))


def _failures(user: User) -> None:
    leftovers.forget_failures(_aggregates(user), _addresses(user))


def _exports(user: User) -> None:
    jobs.discard(Job.objects.filter(created_by=user, kind=JobKind.EXPORT_ACCOUNT))


def _events(user: User) -> None:
    """Events of the account keep their keys only: one tells an address that it had."""
    told = OutboxEvent.objects.filter(aggregate=events.aggregate_of(user))
    told.update(payload={"id": user.pk})


def _former_buyer(user: User) -> None:
    """Orders that had the address by mistake name it in the event of the correction."""
    if user.confirmed_at is None:
        return
    told = OutboxEvent.objects.filter(topic="order.email_changed")
    for event in told.iterator(chunk_size=_BATCH):
        if email_key(event.payload.get("former", "")) == user.email_key:
            event.payload = {"id": event.payload["id"]}
            event.save(update_fields=["payload"])


def _log(user: User) -> None:
    """The log of the staff screens calls users by their addresses."""
    of_users = ContentType.objects.get_for_model(User)
    entries = LogEntry.objects.filter(content_type=of_users, object_id=str(user.pk))
    entries.update(object_repr=ERASED, change_message="")


def _audit(user: User) -> None:
    audit.scrub(user_id=user.pk, object_ids=in_audit(user))
    # Where they did it from as staff tells of them too; what they did stays.
    AuditEntry.objects.filter(actor=user).update(address=None)


def in_audit(user: User) -> dict[str, set[int]]:
    """Of which rows of `user`'s the audit may tell: primary keys by the name of their model."""
    keys = {model._meta.object_name or "": set(found) for model, found in _keys(user).items()}
    for model, field in _owned():
        name = model._meta.object_name or ""
        keys[name].update(_told(name, field, user))
    return keys


def _told(name: str, field: str, user: User) -> Iterable[int]:
    """The primary keys of rows that entries tell to have been `user`'s; they may be gone.

    Entries of what was made or deleted name whose it was; those of changes do not.
    """
    before, after = (f"difference__{field}__{place}" for place in (0, 1))
    of_user = Q(**{before: user.pk}) | Q(**{after: user.pk})
    entries = AuditEntry.objects.filter(of_user, object_type=name)
    return [entry.object_id for entry in entries.only("object_id") if entry.object_id is not None]


def _screens(user: User) -> None:
    """Sessions of the staff screens hold the user inside a signed text: each has to be opened.

    Only staff have some, so that there are few.
    """
    mine = [
        session.pk
        for session in ScreenSession.objects.iterator(chunk_size=_BATCH)
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    ScreenSession.objects.filter(pk__in=mine).delete()


def _belongings(user: User) -> None:
    """Addresses, sessions, second factors, memberships, records of mails: whatever is theirs."""
    for model, field in _owned():
        model._base_manager.filter(**{field: user.pk}).delete()


# In this order: the last one takes away by what the others find theirs.
STEPS: list[Callable[[User], None]] = [
    # First of all: what the others find theirs does not include it.
    erasing_sales.keep,
    _webhooks,
    _failures,
    _exports,
    _events,
    _former_buyer,
    _log,
    _audit,
    # The ratings of products follow. Before carts go: whoever deletes a product comes to the lines
    # of carts after it.
    reviews.forget,
    erasing_sales.forget,
    _screens,
    _belongings,
]


def _anonymise(user: User) -> None:
    stranger = f"erased-{uuid.uuid4()}@erased.invalid"
    User.objects.filter(pk=user.pk).update(
        email=stranger,
        email_key=stranger,
        pending_email="",
        name="",
        password=make_password(None),
        is_active=False,
        is_staff=False,
        is_superuser=False,
        last_login=None,
        confirmed_at=None,
        erased_at=timezone.now(),
        token_version=F("token_version") + 1,
    )


def _owned() -> Iterator[tuple[type[models.Model], str]]:
    """The models whose rows belong to a user and go with them, with their foreign keys."""
    for relation in User._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        model: Any = relation.related_model
        if relation.on_delete is models.CASCADE and model not in KEPT:
            yield model, relation.field.name


def _keys(user: User) -> dict[type[models.Model], Iterable[int]]:
    """The primary keys of all that belongs to `user`, orders with what hangs on them included."""
    owned = {
        model: list(model._base_manager.filter(**{field: user.pk}).values_list("pk", flat=True))
        for model, field in _owned()
    }
    return {**owned, **sales.keys_of(user)}


def _aggregates(user: User) -> Iterator[list[str]]:
    """What events of the account are about: it, what belongs to it, and jobs that it started."""
    told = [events.aggregate_of(user)]
    for model, keys in _keys(user).items():
        told += [f"{model._meta.model_name}:{key}" for key in keys]
    started = Job.objects.filter(created_by=user).values_list("pk", flat=True)
    told += [f"job:{key}" for key in started]
    for start in range(0, len(told), _BATCH):
        yield told[start : start + _BATCH]


def _addresses(user: User) -> set[str]:
    """The e-mail addresses that tell of `user`: also those left, or waited for.

    But none that somebody else has by now.
    """
    found = {user.email, user.email_key, user.pending_email}
    found.update(SentMail.objects.filter(user=user).values_list("recipient", flat=True))
    found |= sales.addresses_of(user)
    changes = OutboxEvent.objects.filter(aggregate=events.aggregate_of(user))
    told = changes.filter(topic="user.email_changed").values_list("payload", flat=True)
    found.update(payload.get("former", "") for payload in told)
    return leftovers.of_nobody_else(found, but=user.pk)
