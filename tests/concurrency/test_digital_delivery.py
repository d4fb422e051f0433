"""Digital goods that are captured, refunded and downloaded at the same moment."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from shop.actions import aftersales, inventory, orders, payments
from shop.actions.aftersales import Wanted
from shop.actions.catalog import digital_content
from shop.gateways import gateway_of
from shop.models import (
    DigitalDelivery,
    FulfillmentStatus,
    Order,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentState,
    User,
)
from tests.concurrency.test_aftersales import crowd, fresh
from tests.shop.orders import lines_of, place, variant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shared_database")]


@pytest.fixture(autouse=True)
def _books_agree(shared_database: None) -> Iterator[None]:
    yield
    assert inventory.discrepancies() == []


def promised(units: int = 1) -> Order:
    """An order of a download and a parcel, of which the payment is authorized."""
    download = variant(requires_shipping=False)
    digital_content.set_content(download, kind="text", content="KEY-0815")
    return place(lines={download: units, variant(): 1}, state=PaymentState.AUTHORIZED)


def topics(order: Order) -> list[str]:
    rows = OutboxEvent.objects.filter(aggregate=f"order:{order.pk}")
    return list(rows.order_by("sequence").values_list("topic", flat=True))


def test_of_twenty_captures_one_delivers(staff: User) -> None:
    order = promised()
    payment = Payment.objects.get()
    outcome = gateway_of("demo").capture(payments.request_of(payment))
    crowd([partial(payments.apply, payment.pk, outcome)] * 20)
    assert DigitalDelivery.objects.filter(line__order=order.pk).count() == 1
    assert topics(order).count("order.delivered") == 1
    digital = lines_of(order)[0]
    assert digital.fulfilled == 1
    assert fresh(order).fulfillment_status == FulfillmentStatus.PARTIAL


@pytest.mark.parametrize("attempt", range(6))
def test_what_is_refunded_while_it_is_captured_is_revoked(attempt: int, staff: User) -> None:
    order = promised()
    payment, line = Payment.objects.get(), lines_of(order)[0]
    outcome = gateway_of("demo").capture(payments.request_of(payment))

    def refund() -> Any:
        while True:
            try:
                wanted = Wanted(lines={line.pk: 1})
                return aftersales.refund(Order.objects.get(pk=order.pk), wanted, by=staff)
            except Exception:
                if Payment.objects.get(pk=payment.pk).refunded:
                    raise

    crowd([refund, *[partial(payments.apply, payment.pk, outcome)] * 4])
    (delivery,) = DigitalDelivery.objects.all()
    assert delivery.revoked_at is not None
    assert not orders.count_download(delivery)
    assert topics(order).count("order.delivery_revoked") == 1


@pytest.mark.parametrize("attempt", range(6))
def test_an_order_is_called_off_or_delivered_and_never_both(
    attempt: int, at_once: Any, staff: User
) -> None:
    order = promised()
    at_once(
        partial(aftersales.capture, fresh(order), by=staff),
        partial(aftersales.cancel, fresh(order), by=staff),
    )
    payments.settle()
    order = fresh(order)
    live = DigitalDelivery.objects.filter(revoked_at=None).count()
    assert live == (0 if order.status == OrderStatus.CANCELLED else 1)


def test_a_download_is_counted_or_revoked(staff: User) -> None:
    order = promised()
    aftersales.capture(order, by=staff)
    (delivery,) = DigitalDelivery.objects.all()
    line = lines_of(order)[0]
    counted = crowd(
        [
            *[partial(orders.count_download, delivery)] * 10,
            partial(aftersales.revoke_delivery, fresh(order), line.pk, by=staff),
            *[partial(orders.count_download, delivery)] * 10,
        ]
    )
    assert DigitalDelivery.objects.get().downloads == counted.count(True)
