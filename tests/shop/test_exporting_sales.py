"""The copy of one's data tells of all that one bought, and of nothing that others did."""

from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.actions.accounts import exporting
from shop.models import (
    Fulfillment,
    FulfillmentLine,
    MovementReason,
    OrderEvent,
    OrderEventKind,
    OrderLine,
    Redemption,
    RefundLine,
    Return,
    ReturnLine,
    Stock,
    StockMovement,
    User,
    Voucher,
)
from tests.shop import sold

pytestmark = pytest.mark.django_db


def document(user: User) -> dict[str, Any]:
    return orjson.loads(orjson.dumps(exporting.document(user)))


@pytest.fixture
def variant(world: Any) -> Any:
    variant = world.products[0].variants.first()
    Stock.objects.get_or_create(variant=variant, defaults={"on_hand": 7})
    return variant


def test_orders_are_told_with_all_that_hangs_on_them(customer: User, staff: User) -> None:
    postage = [{"rate": 1000, "total": 540, "tax": 50}]
    order = sold.make_order(
        user=customer, note="Ring twice", billing_address=sold.HOME, shipping_taxes=postage
    )
    payment = sold.pay(
        order, client_data={"client_secret": "hush"}, method="pm_hush", refunded=1250
    )
    taken = [{"rate": 1000, "total": 50, "tax": 5}]
    refunded = sold.refund(
        payment, 1250, reason="It was cracked", actor=staff, shipping=50, shipping_taxes=taken
    )
    sold.dispute(payment, reference="du_1", reason="unacceptable", amount=900)
    line = order.lines.first()
    RefundLine.objects.create(
        refund=refunded, line=line, quantity=1, amount=1200, tax=107, currency="USD"
    )
    OrderLine.objects.filter(pk=line.pk).update(fulfilled=2, returned=1)
    parcel = Fulfillment.objects.create(order=order, carrier="UPS", tracking_number="1Z9")
    FulfillmentLine.objects.create(fulfillment=parcel, line=line, quantity=2)
    back = Return.objects.create(order=order, reason="A crack")
    ReturnLine.objects.create(parcel=back, line=line, quantity=1, restocked=False)
    OrderEvent.objects.create(
        order=order, kind=OrderEventKind.NOTE, text="Ann is a dear", actor=staff
    )
    (found,) = document(customer)["orders"]
    assert (found["number"], found["email"], found["asGuest"]) == (
        order.number,
        "ann@example.org",
        False,
    )
    assert found["fulfillmentStatus"] == "unfulfilled"
    assert found["shippingAddress"] == found["billingAddress"] == sold.HOME
    amounts = {"subtotal": "35.00", "discount": "5.00", "shipping": "4.90", "tax": "3.50"}
    assert {name: found[name] for name in amounts} == amounts
    assert (found["total"], found["currency"], found["note"]) == ("38.40", "USD", "Ring twice")
    assert found["shippingTaxes"] == [{"taxRate": 10.0, "total": "5.40", "tax": "0.50"}]
    assert found["discounts"] == [{"name": "Voucher", "code": "TEA5", "amount": "5.00"}]
    mugs, plate = found["lines"]
    assert (mugs["sku"], mugs["quantity"], mugs["unitPrice"], mugs["taxRate"]) == (
        "MUG-M",
        2,
        "12.50",
        10.0,
    )
    assert (mugs["fulfilled"], mugs["returned"], plate["fulfilled"]) == (2, 1, 0)
    (paid,) = found["payments"]
    assert (paid["captured"], paid["refunded"], paid["provider"]) == ("38.40", "12.50", "demo")
    (disputed,) = paid["disputes"]
    assert (disputed["reference"], disputed["state"]) == ("du_1", "needs_response")
    assert (disputed["amount"], disputed["reason"]) == ("9.00", "unacceptable")
    (refund,) = paid["refunds"]
    assert (refund["amount"], refund["reason"]) == ("12.50", "It was cracked")
    assert refund["lines"] == [
        {"sku": "MUG-M", "name": "Mug", "quantity": 1, "amount": "12.00", "tax": "1.07"}
    ]
    assert refund["shippingTaxes"] == [{"taxRate": 10.0, "total": "0.50", "tax": "0.05"}]
    assert found["fulfilments"][0]["trackingNumber"] == "1Z9"
    assert found["fulfilments"][0]["lines"] == [{"sku": "MUG-M", "name": "Mug", "quantity": 2}]
    assert found["returns"][0]["reason"] == "A crack"
    assert found["returns"][0]["lines"] == [{"sku": "MUG-M", "name": "Mug", "quantity": 1}]
    # A note of staff about somebody is about them; who wrote it is not theirs to know.
    assert [(event["kind"], event["text"]) for event in found["timeline"]] == [
        ("note", "Ann is a dear")
    ]
    text = str(document(customer))
    assert "staff@example.org" not in text
    # What opens things is nobody's to carry around.
    assert "hush" not in text
    assert order.digest not in text


def test_what_was_bought_as_a_guest_is_told_to_who_confirmed_the_address(
    customer: User, staff: User, variant: Any
) -> None:
    order = sold.make_order("ANN@example.org")
    sold.make_cart(variant, email="Ann@Example.org")
    other = sold.make_order("bob@example.org")
    found = document(customer)
    assert [(row["number"], row["asGuest"]) for row in found["orders"]] == [(order.number, True)]
    assert len(found["carts"]) == 1
    assert other.number not in str(found)
    User.objects.update(confirmed_at=None)
    found = document(User.objects.get(pk=customer.pk))
    assert (found["orders"], found["carts"]) == ([], [])


def test_an_order_of_another_account_with_ones_address_is_theirs(
    customer: User, staff: User
) -> None:
    sold.make_order("ann@example.org", staff)
    assert document(customer)["orders"] == []


def test_carts_and_vouchers_are_told(customer: User, variant: Any) -> None:
    voucher = Voucher.objects.create(code="TEA5")
    cart = sold.make_cart(
        variant, user=customer, email="ann@example.org", voucher=voucher, reminder=True
    )
    order = sold.make_order(user=customer)
    Redemption.objects.create(voucher=voucher, order=order, customer_key=order.email_key)
    found = document(customer)
    (told,) = found["carts"]
    assert (told["status"], told["voucher"], told["reminder"]) == ("active", "TEA5", True)
    assert [(line["sku"], line["quantity"]) for line in told["lines"]] == [(variant.sku, 2)]
    assert cart.digest not in str(found)
    (used,) = found["vouchersUsed"]
    assert (used["code"], used["order"]) == ("TEA5", order.number)


def test_staff_learn_what_they_did_and_nothing_of_customers(
    staff: User, customer: User, variant: Any
) -> None:
    order = sold.make_order(user=customer)
    sold.refund(sold.pay(order, refunded=500), 500, reason="For Ann", actor=staff)
    OrderEvent.objects.create(
        order=order, kind=OrderEventKind.NOTE, text="Ann is a dear", actor=staff
    )
    StockMovement.objects.create(
        stock=variant.stock,
        delta=-2,
        on_hand=5,
        reason=MovementReason.DAMAGED,
        note="Ann dropped it",
        actor=staff,
    )
    found = document(staff)
    (moved,) = found["stockMoved"]
    assert (moved["sku"], moved["delta"], moved["reason"]) == (variant.sku, -2, "damaged")
    (done,) = found["deedsToOrders"]
    assert (done["kind"], done["order"]) == ("note", order.number)
    (refunded,) = found["refundsMade"]
    assert (refunded["order"], refunded["amount"]) == (order.number, "5.00")
    assert found["orders"] == []
    assert "Ann" not in str(found)


def test_many_orders_take_no_more_statements(customer: User, variant: Any) -> None:
    counts = []
    for _ in range(2):
        order = sold.make_order(user=customer)
        refund = sold.refund(sold.pay(order, refunded=100), 100)
        line = order.lines.first()
        RefundLine.objects.create(refund=refund, line=line, quantity=1, amount=100, currency="USD")
        parcel = Fulfillment.objects.create(order=order)
        FulfillmentLine.objects.create(fulfillment=parcel, line=line, quantity=1)
        sold.make_cart(variant, user=customer)
        with CaptureQueriesContext(connection) as captured:
            exporting.document(customer)
        counts.append(len(captured))
    assert counts[0] == counts[1]
