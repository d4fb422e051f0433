"""Digital delivery: lines of an order that are not shipped, behind links of this server.

A link has a random token of 256 bits, derived from the row's random key and the shop's secret. Only
its digest is looked up, so no table holds a token that opens something.
"""

import secrets
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from shop import events
from shop.actions import inventory
from shop.actions.orders.numbers import digest_of
from shop.actions.orders.timeline import record
from shop.actions.rows import Each
from shop.models import (
    DeliveryStatus,
    DigitalContent,
    DigitalDelivery,
    Order,
    OrderEventKind,
    OrderLine,
    OrderStatus,
)


def deliver(order: Order, *, actor: Any = None) -> bool:
    """Delivers the lines of a confirmed order that are not shipped, once, in the transaction.

    Units that were refunded or cancelled are left out. The order's row is locked: of two captures
    one delivers, and a refund that follows finds what was delivered. No statement where no line is
    delivered this way.

    Args:
        actor: the staff member who had it delivered; None for the shop itself.

    Returns:
        Whether this call delivered.
    """
    if order.delivery != DeliveryStatus.PENDING:
        return False
    waiting = Order.objects.filter(
        pk=order.pk, status=OrderStatus.CONFIRMED, delivery=DeliveryStatus.PENDING
    )
    if not waiting.update(delivery=DeliveryStatus.DELIVERED):
        return False
    order.delivery = DeliveryStatus.DELIVERED
    lines = [line for line in _digital(order) if line.to_ship]
    units = {line.pk: line.to_ship for line in lines}
    if not units:
        return False
    OrderLine.objects.filter(pk__in=list(units)).update(fulfilled=F("fulfilled") + Each(units))
    inventory.ship(
        order.reference,
        {line.variant_id: units[line.pk] for line in lines if line.variant_id is not None},
        actor=actor,
    )
    DigitalDelivery.objects.bulk_create(_deliveries(lines))
    record(order, OrderEventKind.DELIVERED, actor=actor, quantity=sum(units.values()))
    events.emit("order.delivered", order)
    return True


def revoke(order: Order, lines: Iterable[int], *, actor: Any = None, text: str = "") -> int:
    """Revokes the links of these lines of an order, and counts those that opened something."""
    live = DigitalDelivery.objects.filter(
        line__order=order.pk, line__in=list(lines), revoked_at=None
    )
    keys = list(live.values_list("pk", flat=True))
    count = DigitalDelivery.objects.filter(pk__in=keys, revoked_at=None).update(
        revoked_at=timezone.now()
    )
    if count:
        record(order, OrderEventKind.DELIVERY_REVOKED, actor=actor, text=text, quantity=count)
        events.emit("order.delivery_revoked", order)
    return count


def revoke_given_back(order: Order, *, all_of_it: bool = False, actor: Any = None) -> None:
    """Revokes the links of lines whose every unit was refunded, returned or cancelled.

    No statement for orders without deliveries.

    Args:
        all_of_it: whatever the units say, because all money went back.
    """
    if order.delivery != DeliveryStatus.DELIVERED:
        return
    lines = [line.pk for line in _digital(order) if all_of_it or line.is_given_back]
    if lines:
        revoke(order, lines, actor=actor)


def renew(order: Order, lines: Iterable[int]) -> None:
    """Gives deliveries of these lines links with new tokens; those from before open nothing.

    No statement for orders without deliveries.
    """
    if order.delivery != DeliveryStatus.DELIVERED:
        return
    for row in DigitalDelivery.objects.filter(line__order=order.pk, line__in=list(lines)):
        key = secrets.token_hex(16)
        DigitalDelivery.objects.filter(pk=row.pk).update(key=key, digest=_digest(key))


def delivery_url(key: str) -> str:
    """The link of a delivery."""
    return f"{settings.SITE_URL}{reverse('delivery', args=[_token(key)])}"


def opened_delivery(token: str) -> DigitalDelivery | None:
    """The delivery that a token opens, revoked or not."""
    return DigitalDelivery.objects.filter(digest=digest_of(token)).first()


def count_download(delivery: DigitalDelivery) -> bool:
    """Counts a download. False when the delivery was revoked meanwhile."""
    live = DigitalDelivery.objects.filter(pk=delivery.pk, revoked_at=None)
    return bool(live.update(downloads=F("downloads") + 1))


def _digital(order: Order) -> QuerySet[OrderLine]:
    return OrderLine.objects.filter(order=order.pk, requires_shipping=False).order_by("pk")


def _deliveries(lines: Iterable[OrderLine]) -> Iterable[DigitalDelivery]:
    variants = [line.variant_id for line in lines if line.variant_id is not None]
    contents = {row.variant_id: row for row in DigitalContent.objects.filter(variant__in=variants)}
    now = timezone.now()
    for line in lines:
        if content := contents.get(line.variant_id or 0):
            key = secrets.token_hex(16)
            yield DigitalDelivery(
                line=line,
                key=key,
                digest=_digest(key),
                kind=content.kind,
                content=content.content,
                created_at=now,
            )


def _token(key: str) -> str:
    return salted_hmac("shop.delivery.token", key, algorithm="sha256").hexdigest()


def _digest(key: str) -> str:
    return digest_of(_token(key))
