"""What others keep that tells of somebody: messages for endpoints, and errors of failed tasks."""

from collections.abc import Iterable

from django.db.models import Q

from shop.actions.audit.values import ERASED
from shop.models import DeferredTask, Order, OutboxEvent, User, WebhookDelivery
from shop.models.customers import email_key

_BATCH = 500


def forget_messages(about: Iterable[list[str]], addresses: set[str]) -> None:
    """Deletes deliveries about these aggregates, or with an address in what a document made.

    But none about an order that is still to be delivered: whoever ships it may wait for it.
    """
    for part in about:
        WebhookDelivery.objects.filter(event__aggregate__in=part).delete()
    if addresses:
        documents = WebhookDelivery.objects.exclude(endpoint__query="")
        documents = documents.filter(_mentions("body", addresses))
        documents.exclude(event__aggregate__in=_kept()).delete()


def forget_failures(about: Iterable[list[str]], addresses: set[str]) -> None:
    """Mail servers name in their refusals whom they refuse.

    That may be an address that was mistyped, and is known from the refusal alone: what failed to be
    told of these aggregates is found by its event as well.
    """
    failed = DeferredTask.objects.exclude(error="")
    if addresses:
        failed.filter(_mentions("error", addresses)).update(error=ERASED)
    events_of = {
        uid.hex
        for part in about
        for uid in OutboxEvent.objects.filter(aggregate__in=part).values_list("uid", flat=True)
    }
    rows = failed.values_list("pk", "key").iterator(chunk_size=_BATCH)
    mine = [pk for pk, key in rows if key.partition(":")[0] in events_of]
    for start in range(0, len(mine), _BATCH):
        failed.filter(pk__in=mine[start : start + _BATCH]).update(error=ERASED)


def of_nobody_else(addresses: Iterable[str], *, but: int | None = None) -> set[str]:
    """Those of the addresses that are no account's, apart from the one with the key `but`."""
    keys = {address: email_key(address) for address in addresses if address}
    others = User.objects.exclude(pk=but).filter(email_key__in=keys.values())
    taken = set(others.values_list("email_key", flat=True))
    return {address for address, key in keys.items() if key not in taken}


def _mentions(field: str, addresses: set[str]) -> Q:
    """Texts that name one of these addresses."""
    named = Q()
    for address in sorted(addresses):
        named |= Q(**{f"{field}__icontains": address})
    return named


def _kept() -> list[str]:
    """The orders that are still to be delivered, as events name them."""
    keys = Order.objects.exclude(forget_at=None).values_list("pk", flat=True)
    return [f"order:{key}" for key in keys]
