"""Changes of the addresses and the e-mail address of an order."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from shop.actions import accounts, aftersales, audit, orders
from shop.errors import IllegalMove, Several, ShopError
from shop.models import (
    AuditEntry,
    AuditSource,
    Order,
    OrderEvent,
    OutboxEvent,
    Redemption,
    SentMail,
    ShippingRate,
    ShippingZone,
    TaxRate,
    User,
    Voucher,
    VoucherKind,
    ZoneCountry,
)
from tests.shop.aftersales.states import STATES
from tests.shop.aftersales.test_fulfilling import kinds, topics
from tests.shop.orders import ADDRESS, place, variant

OTHER = ADDRESS | {"line1": "2 Main St"}
CHICAGO = {**ADDRESS, "city": "Chicago", "postal_code": "60601"}
LOS_ANGELES = {**ADDRESS, "city": "Los Angeles", "region": "CA", "postal_code": "90001"}
TORONTO = {
    "name": "Ann Baker",
    "line1": "1 King St",
    "city": "Toronto",
    "region": "ON",
    "postal_code": "M5H 1A1",
    "country": "CA",
}
AMOUNTS = ("subtotal", "discount", "shipping", "tax", "total", "shipping_name", "discounts")


def amounts_of(order: Order) -> list[Any]:
    return [getattr(order, name) for name in AMOUNTS]


def refusals(order: Order, staff: User, **changes: Any) -> dict[str, str]:
    """Code by field of what is refused; nothing of the order may change by it."""
    before = Order.objects.filter(pk=order.pk).values(*_COLUMNS).get()
    counts = OutboxEvent.objects.count(), OrderEvent.objects.count()
    with pytest.raises(ShopError) as caught:
        aftersales.update_order(Order.objects.get(pk=order.pk), by=staff, **changes)
    assert Order.objects.filter(pk=order.pk).values(*_COLUMNS).get() == before
    assert (OutboxEvent.objects.count(), OrderEvent.objects.count()) == counts
    return {".".join(one.field): one.code.value for one in caught.value.each}


_COLUMNS = [field.attname for field in Order._meta.concrete_fields if field.name != "updated_at"]


def test_addresses_are_stored_by_the_rules_of_the_cart(staff: User) -> None:
    order = place(discount=1000, tax=500)
    before = amounts_of(order)
    typed = OTHER | {"region": "illinois", "phone": "(217) 555-0101", "line2": " Flat 3 "}
    with audit.acting(staff, AuditSource.API, None):
        aftersales.update_order(order, by=staff, shipping_address=typed, billing_address=TORONTO)
    order.refresh_from_db()
    stored = OTHER | {"region": "IL", "phone": "+12175550101", "line2": "Flat 3"}
    assert order.shipping_address == stored
    assert order.billing_address is not None
    assert (order.billing_address["city"], order.billing_address["phone"]) == ("Toronto", "")
    assert amounts_of(order) == before
    assert kinds(order) == ["address_updated"]
    event = order.events.get(kind="address_updated")
    assert (event.actor, event.data) == (
        staff,
        {"changed": ["shippingAddress", "billingAddress"]},
    )
    assert topics(order) == ["order.updated"]
    told = OutboxEvent.objects.get(topic="order.updated")
    assert told.payload == {"id": order.pk, "changed": ["shippingAddress", "billingAddress"]}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_type, entry.object_id) == ("order.update", "Order", order.pk)
    assert entry.difference["shipping_address"] == [ADDRESS, stored]
    assert set(entry.difference) == {"shipping_address", "billing_address"}


def test_null_makes_the_billing_address_the_shipping_address(staff: User) -> None:
    order = place(billing_address=OTHER)
    aftersales.update_order(order, by=staff, billing_address=None)
    order.refresh_from_db()
    assert (order.billing_address, order.shipping_address) == (None, ADDRESS)


def test_another_email_address_gets_another_token(staff: User) -> None:
    order = place(email="wrong@example.org")
    voucher = Voucher.objects.create(code="TEN", kind=VoucherKind.PERCENT, value=1000, used=1)
    Redemption.objects.create(voucher=voucher, order=order, customer_key=order.email_key)
    former = orders.token_of(order)
    assert orders.opened(order.number, former) == order
    with audit.acting(staff, AuditSource.API, None):
        aftersales.update_order(order, by=staff, email=" Right@Example.org ")
    order = Order.objects.get(pk=order.pk)
    assert (order.email, order.email_key) == ("Right@Example.org", "right@example.org")
    assert orders.opened(order.number, former) is None
    assert orders.opened(order.number, orders.token_of(order)) == order
    assert Redemption.objects.get().customer_key == "right@example.org"
    assert kinds(order) == ["email_updated"]
    assert topics(order) == ["order.email_changed", "order.updated"]
    assert OutboxEvent.objects.get(topic="order.updated").payload["changed"] == ["email"]
    # The former address may be a stranger's: neither timeline nor audit name it.
    assert order.events.get(kind="email_updated").data == {}
    assert AuditEntry.objects.get().difference == {
        "email": ["w…@example.org", "R…@Example.org"],
        "digest": ["***", "***"],
    }


def test_the_token_changes_with_every_change_of_the_email_address(staff: User) -> None:
    order = place(email="one@example.org")
    tokens = [orders.token_of(order)]
    for email in ("two@example.org", "one@example.org"):
        aftersales.update_order(order, by=staff, email=email)
        tokens.append(orders.token_of(order))
    assert len(set(tokens)) == 3
    order.refresh_from_db()
    assert [orders.opened(order.number, token) is not None for token in tokens] == [
        False,
        False,
        True,
    ]


def test_values_that_stay_the_same_change_nothing(staff: User) -> None:
    order = place(billing_address=OTHER)
    before = OutboxEvent.objects.count(), order.digest
    with audit.acting(staff, AuditSource.API, None):
        aftersales.update_order(
            order,
            by=staff,
            email=order.email,
            shipping_address=ADDRESS,
            billing_address=OTHER,
        )
    order.refresh_from_db()
    assert (OutboxEvent.objects.count(), order.digest) == before
    assert kinds(order) == []
    assert not AuditEntry.objects.exists()


def test_all_errors_are_reported_together(staff: User) -> None:
    order = place()
    changes: dict[str, Any] = {
        "email": "nobody",
        "shipping_address": TORONTO,
        "billing_address": {"name": "Ann", "line1": "", "country": "US", "city": "X"},
    }
    assert refusals(order, staff, **changes) == {
        "email": "INVALID",
        "shippingAddress.country": "TOTAL_WOULD_CHANGE",
        "billingAddress.line1": "REQUIRED",
        "billingAddress.region": "REQUIRED",
        "billingAddress.postalCode": "REQUIRED",
    }
    aftersales.fulfil(order, by=staff)
    assert refusals(order, staff, email="new@example.org", shipping_address=OTHER) == {
        "email": "ILLEGAL_MOVE",
        "shippingAddress": "ILLEGAL_MOVE",
    }


def test_nothing_required_is_cleared(staff: User) -> None:
    assert refusals(place(), staff, email="", shipping_address=None) == {
        "email": "REQUIRED",
        "shippingAddress": "REQUIRED",
    }


# Whether addresses and the e-mail address of an order in a state may change.
ALLOWED = {
    "pending": (True, True),
    "waiting": (True, True),
    "expired": (False, False),
    "promised": (True, True),
    "paid": (True, True),
    "partially paid": (True, True),
    "partly shipped": (False, True),
    "shipped unpaid": (False, True),
    "completed": (False, False),
    "returned": (False, False),
    "refunded": (True, True),
    "cancelled": (False, False),
}


@pytest.mark.parametrize("state", STATES)
def test_the_state_decides_what_may_change(state: str, order_that_is: Any, staff: User) -> None:
    order = order_that_is(state)
    changes = {
        "shipping_address": OTHER,
        "billing_address": OTHER,
        "email": "another@example.org",
    }
    allowed = dict(zip(changes, (ALLOWED[state][0], *ALLOWED[state]), strict=True))
    for name, value in changes.items():
        if allowed[name]:
            aftersales.update_order(order, by=staff, **{name: value})
            assert getattr(Order.objects.get(pk=order.pk), name) == value
        else:
            assert set(refusals(order, staff, **{name: value}).values()) == {"ILLEGAL_MOVE"}


def test_an_undone_parcel_was_never_shipped(staff: User) -> None:
    order = place()
    parcel = aftersales.fulfil(order, by=staff)
    aftersales.cancel_fulfillment(parcel, by=staff)
    aftersales.update_order(order, by=staff, shipping_address=OTHER)
    order.refresh_from_db()
    assert order.shipping_address == OTHER


def test_an_order_that_was_erased_gets_no_address_again(staff: User, customer: User) -> None:
    order = place(customer)
    accounts.erase(customer)
    # Data needed for the delivery stays for a while, and can be corrected.
    aftersales.update_order(order, by=staff, shipping_address=CHICAGO)
    accounts.forget_delivered(timezone.now() + timedelta(days=1000))
    order.refresh_from_db()
    assert (order.status, order.email) == ("confirmed", "")
    changes: dict[str, Any] = {"email": "new@example.org", "shipping_address": OTHER}
    assert set(refusals(order, staff, **changes).values()) == {"ILLEGAL_MOVE"}


# --- Shipping and taxes ---------------------------------------------------------------------------


def zone(*countries: str) -> ShippingZone:
    made = ShippingZone.objects.create(name=" ".join(countries) or "Rest")
    ZoneCountry.objects.bulk_create(
        ZoneCountry(zone=made, country=code) for code in countries or ("",)
    )
    ShippingRate.objects.create(zone=made, name="Standard", price=500)
    return made


def test_an_address_in_the_same_zone_with_the_same_tax_is_taken(staff: User) -> None:
    zone("US", "CA")
    order = place()
    for there in (CHICAGO, LOS_ANGELES, TORONTO):
        aftersales.update_order(order, by=staff, shipping_address=there)
        order.refresh_from_db()
        assert order.shipping_address["city"] == there["city"]
    assert order.total == 1500


@pytest.mark.parametrize("zones", [(("US",), ("CA",)), (("US",), ()), (("US",),), ()])
def test_an_address_in_another_zone_is_refused(zones: tuple[Any, ...], staff: User) -> None:
    for countries in zones:
        zone(*countries)
    expected = {"shippingAddress.country": "TOTAL_WOULD_CHANGE"}
    assert refusals(place(), staff, shipping_address=TORONTO) == expected


def test_two_countries_of_the_rest_of_the_world_are_in_one_zone(staff: User) -> None:
    zone("DE")
    zone()
    order = place()
    aftersales.update_order(order, by=staff, shipping_address=TORONTO)
    assert order.shipping_address["country"] == "CA"


@pytest.mark.parametrize(
    ("rates", "refused"),
    [
        ([("CA", "", 725)], True),
        ([("CA", "", 725), ("IL", "", 725)], False),
        ([("", "", 500)], False),
        # Taxes of goods that the order does not have do not matter.
        ([("CA", "books", 725)], False),
        ([("CA", "tea", 725)], True),
        ([("CA", "shipping", 725)], True),
    ],
)
def test_an_address_with_other_taxes_is_refused(
    rates: list[tuple[str, str, int]], refused: bool, staff: User
) -> None:
    for region, category, rate in rates:
        TaxRate.objects.create(
            country="US", region=region, category=category, basis_points=rate, name="Tax"
        )
    row = variant()
    row.product.tax_category = "tea"
    row.product.save()
    order = place(lines={row: 2})
    if refused:
        expected = {"shippingAddress.region": "TOTAL_WOULD_CHANGE"}
        assert refusals(order, staff, shipping_address=LOS_ANGELES) == expected
    else:
        aftersales.update_order(order, by=staff, shipping_address=LOS_ANGELES)
    # It is taxed where it goes, not where the bill goes.
    aftersales.update_order(order, by=staff, billing_address=LOS_ANGELES)


def test_goods_that_are_not_sold_any_more_may_be_of_any_tax_category(staff: User) -> None:
    TaxRate.objects.create(
        country="US", region="CA", category="books", basis_points=725, name="Tax"
    )
    order = place()
    aftersales.update_order(order, by=staff, shipping_address=LOS_ANGELES)
    order.lines.update(variant=None)
    expected = {"shippingAddress.region": "TOTAL_WOULD_CHANGE"}
    assert refusals(order, staff, shipping_address=CHICAGO) == expected


# --- Mails ----------------------------------------------------------------------------------------


def mails() -> dict[str, Any]:
    """Mails by their receiver; each got one."""
    found = {one.to[0]: one for one in mail.outbox}
    assert len(found) == len(mail.outbox)
    return found


@pytest.mark.django_db(transaction=True)
def test_a_changed_address_is_mailed_to_the_customer(staff: User) -> None:
    order = place(email="ann@example.org")
    mail.outbox.clear()
    aftersales.update_order(order, by=staff, shipping_address=OTHER)
    (sent,) = mails().values()
    assert sent.to == ["ann@example.org"]
    assert sent.subject == f"Changed: your order {order.number}"
    assert "2 Main St" in sent.body
    assert orders.token_of(order) in sent.body
    assert "Mails about it go to this address" not in sent.body


@pytest.mark.django_db(transaction=True)
def test_a_changed_email_address_is_mailed_to_both_addresses(staff: User) -> None:
    order = place(email="wrong@example.org")
    former = orders.token_of(order)
    mail.outbox.clear()
    aftersales.update_order(order, by=staff, email="right@example.org", billing_address=OTHER)
    order.refresh_from_db()
    told = mails()
    assert set(told) == {"wrong@example.org", "right@example.org"}
    link = f"/orders/{order.number}?token={orders.token_of(order)}"
    assert link in told["right@example.org"].body
    assert "Mails about it go to this address now" in told["right@example.org"].body
    assert "2 Main St" in told["right@example.org"].body
    stranger = told["wrong@example.org"]
    text = stranger.body + stranger.alternatives[0].content
    for secret in ("token=", former, orders.token_of(order), "right@", "Ann", "Main St"):
        assert secret not in text, secret
    assert order.number in stranger.subject
    # The record of that mail belongs to no account.
    assert SentMail.objects.get(template="order_email_changed").user is None


@pytest.mark.django_db(transaction=True)
def test_a_stranger_whose_address_an_order_had_leaves_no_trace(staff: User) -> None:
    stranger = User.objects.create_user("wrong@example.org", name="Bob")
    stranger.confirmed_at = timezone.now()
    stranger.save()
    order = place(email="Wrong@example.org")
    with audit.acting(staff, AuditSource.API, None):
        aftersales.update_order(order, by=staff, email="right@example.org")
    accounts.erase(stranger)
    order.refresh_from_db()
    assert order.email == "right@example.org"
    for model in (OutboxEvent, AuditEntry, OrderEvent, SentMail):
        assert "wrong@" not in str(list(model._default_manager.values())).lower(), model


def test_several_is_what_more_than_one_error_is(staff: User) -> None:
    with pytest.raises(Several):
        aftersales.update_order(place(), by=staff, email="", shipping_address=None)
    order = place()
    aftersales.cancel(order, by=staff)
    with pytest.raises(IllegalMove):
        aftersales.update_order(order, by=staff, email="new@example.org")
