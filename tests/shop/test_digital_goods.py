"""Goods that are not shipped: bought without a shipping address, delivered once they are paid."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.test import Client

from shop.actions import accounts, aftersales, audit, carts, inventory, notices, orders, payments
from shop.actions.aftersales import Wanted
from shop.actions.carts.pricing import NoticeCode
from shop.actions.catalog import digital_content, variants
from shop.errors import (
    ExceedsOrder,
    IllegalMove,
    Invalid,
    NotFound,
    NotShippable,
    Required,
    Several,
    TotalWouldChange,
)
from shop.gateways import Unavailable, gateway_of
from shop.models import (
    AuditEntry,
    AuditSource,
    Cart,
    DigitalDelivery,
    FulfillmentStatus,
    Order,
    OutboxEvent,
    Payment,
    PaymentState,
    ShippingRate,
    Stock,
    TaxRate,
    User,
    Variant,
)
from tests.shop.checkout.test_completing import buy
from tests.shop.orders import lines_of
from tests.shop.selling import BERLIN, TOKYO, fill, voucher
from tests.shop.test_exporting_sales import document

pytestmark = pytest.mark.django_db
LINK = "https://files.example.com/bread.pdf?key=hush"


@pytest.fixture
def ebook(selling: SimpleNamespace) -> Variant:
    """A variant for 1.00 dollar that is not shipped, with a link; ten licenses in stock."""
    variant = selling.variants[0]
    variants.update(variant, requires_shipping=False)
    digital_content.set_content(variant, kind="link", content=LINK)
    return Variant.objects.get(pk=variant.pk)


@pytest.fixture
def mug(selling: SimpleNamespace) -> Variant:
    """A variant for 2.01 dollars that is shipped."""
    return selling.variants[5]


def cart_of(*lines: tuple[Variant, int], user: Any = None, **places: Any) -> Cart:
    cart, _ = carts.create(user or AnonymousUser())
    fill(cart, *lines)
    carts.set_email(cart, "ann@example.org")
    if places:
        carts.set_addresses(cart, **places)
    return cart


def bought(*lines: tuple[Variant, int], billing: Any = BERLIN, **more: Any) -> Order:
    user = more.get("user")
    places = {"billing": billing}
    if any(variant.requires_shipping for variant, _ in lines):
        places["shipping"] = BERLIN
    done = buy(cart_of(*lines, user=user, **places), **more)
    return Order.objects.get(pk=done.order.pk)


def state_of(order: Order) -> tuple[str, str, str]:
    order.refresh_from_db()
    return (order.status, FulfillmentStatus(order.fulfillment_status).name, order.payment_status)


def delivery_of(order: Order) -> DigitalDelivery:
    return DigitalDelivery.objects.get(line__order=order.pk)


def link_of(order: Order) -> str:
    return orders.delivery_url(delivery_of(order).key)


def opens(order: Order) -> bool:
    return Client().get(link_of(order)).status_code == 302


def topics(order: Order) -> Sequence[str]:
    rows = OutboxEvent.objects.filter(aggregate=f"order:{order.pk}").order_by("pk")
    return list(rows.values_list("topic", flat=True))


# --- The cart -----------------------------------------------------------------------------------


def test_a_cart_of_digital_goods_needs_no_shipping(ebook: Variant) -> None:
    TaxRate.objects.create(country="JP", basis_points=1000)
    cart = cart_of((ebook, 2), billing=TOKYO)
    priced = carts.priced(cart)
    assert (priced.rates, priced.price.shipping, priced.notices) == ((), None, [])
    # The billing country decides: nothing is shipped to Japan.
    assert (priced.price.tax, priced.price.total) == (20, 220)
    order = buy(cart).order
    assert (order.total, order.shipping, order.shipping_name) == (220, 0, "")
    assert (order.shipping_address, order.requires_shipping) == ({}, False)
    assert order.billing_address["country"] == "JP"


def test_a_shipping_address_stands_in_for_that_of_the_bill(ebook: Variant) -> None:
    order = buy(cart_of((ebook, 1), shipping=BERLIN, billing=None)).order
    assert (order.tax, order.shipping, order.shipping_address) == (20, 0, {})
    assert order.billing_address["city"] == "Berlin"


def test_without_a_billing_address_digital_goods_are_not_sold(ebook: Variant) -> None:
    with pytest.raises(Several) as error:
        buy(cart_of((ebook, 1)))
    assert [one.message for one in error.value.each] == ["The cart needs a billing address."]


def test_only_what_is_shipped_counts_for_the_rate(ebook: Variant, mug: Variant) -> None:
    Variant.objects.filter(pk=ebook.pk).update(weight_grams=9_000)
    ShippingRate.objects.filter(name="Standard").update(max_weight=500, max_total=201)
    cart = cart_of((ebook, 5), (mug, 1), shipping=BERLIN)
    found = carts.priced(cart)
    assert [rate.price for rate in found.rates] == [500, 1200]
    assert found.price.shipping_price == 500
    carts.add(cart, [(mug.pk, 1)])
    assert carts.priced(cart).price.shipping_price == 1200


def test_a_mixed_cart_needs_a_shipping_address(ebook: Variant, mug: Variant) -> None:
    cart = cart_of((ebook, 1), (mug, 1))
    with pytest.raises(Required):
        carts.set_addresses(cart, billing=BERLIN)
    carts.set_addresses(cart, shipping=TOKYO)
    codes = [notice.code for notice in carts.priced(cart).notices]
    assert codes == [NoticeCode.SHIPPING_NOT_OFFERED]


# --- Delivery -----------------------------------------------------------------------------------


def test_a_paid_order_of_digital_goods_is_delivered_and_completed(ebook: Variant) -> None:
    order = bought((ebook, 2))
    assert state_of(order) == ("completed", "FULL", "paid")
    (line,) = lines_of(order)
    assert (line.fulfilled, line.requires_shipping) == (2, False)
    stock = Stock.objects.get(variant=ebook)
    assert (stock.on_hand, stock.reserved) == (8, 0)
    assert inventory.discrepancies() == []
    assert topics(order) == ["order.confirmed", "order.delivered", "order.completed"]
    delivery = delivery_of(order)
    token = link_of(order).rsplit("/", 1)[-1]
    assert (delivery.content, delivery.downloads) == (LINK, 0)
    # Only the digest of the token is stored.
    assert delivery.digest == orders.digest_of(token)
    assert token not in str(DigitalDelivery.objects.values())


def test_the_link_leads_to_the_content_and_counts(ebook: Variant, client: Client) -> None:
    order = bought((ebook, 1))
    link = link_of(order)
    assert client.head(link).status_code == 302
    assert delivery_of(order).downloads == 0
    answer = client.get(link)
    assert (answer.status_code, answer["Location"]) == (302, LINK)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "private, no-store"
    assert delivery_of(order).downloads == 1
    assert client.get(link[:-1] + ("0" if link[-1] != "0" else "1")).status_code == 404
    assert client.post(link).status_code == 405


def test_a_text_is_shown_and_mailed(ebook: Variant, client: Client) -> None:
    digital_content.set_content(ebook, kind="text", content="KEY-0815 <b>\n")
    order = bought((ebook, 1))
    answer = client.get(link_of(order))
    assert (answer.status_code, answer.content.decode()) == (200, "KEY-0815 <b>")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    # Later changes by staff affect later orders only.
    digital_content.set_content(ebook, kind="text", content="Another")
    assert delivery_of(order).content == "KEY-0815 <b>"
    notices.tell_of_delivery(order.pk, 1)
    (sent,) = mail.outbox
    assert link_of(order) in sent.body
    assert "KEY-0815 <b>" in sent.body
    orders.revoke(order, [delivery_of(order).line_id])
    notices.tell_of_delivery(order.pk, 2)
    assert len(mail.outbox) == 1


def test_a_free_order_is_delivered_at_once(ebook: Variant) -> None:
    voucher("GRATIS", value=10_000)
    cart = cart_of((ebook, 1))
    carts.apply_voucher(cart, "GRATIS")
    order = buy(cart).order
    assert state_of(order) == ("completed", "FULL", "paid")
    assert opens(order)


def test_a_line_without_content_counts_as_delivered(ebook: Variant) -> None:
    digital_content.remove_content(ebook)
    order = bought((ebook, 1))
    assert state_of(order) == ("completed", "FULL", "paid")
    assert not DigitalDelivery.objects.exists()


def test_a_mixed_order_is_delivered_when_paid_and_shipped_later(
    ebook: Variant, mug: Variant, staff: User
) -> None:
    order = bought((ebook, 1), (mug, 2))
    assert state_of(order) == ("confirmed", "PARTIAL", "paid")
    assert opens(order)
    digital, shipped = lines_of(order)
    with pytest.raises(NotShippable) as error:
        aftersales.fulfil(order, {shipped.pk: 1, digital.pk: 1}, by=staff)
    assert list(error.value.each[0].field) == ["lines", "1", "line"]
    parcel = aftersales.fulfil(order, by=staff)
    assert [(one.line_id, one.quantity) for one in parcel.lines.all()] == [(shipped.pk, 2)]
    assert state_of(order) == ("completed", "FULL", "paid")
    with pytest.raises(IllegalMove):
        aftersales.cancel(order, by=staff)


def test_an_unpaid_mixed_order_waits_for_its_money_and_not_for_staff(
    ebook: Variant, mug: Variant, staff: User
) -> None:
    order = bought((ebook, 1), (mug, 1), provider="manual")
    assert state_of(order) == ("confirmed", "UNFULFILLED", "authorized")
    aftersales.fulfil(order, by=staff)
    assert state_of(order) == ("confirmed", "AWAITING_DELIVERY", "authorized")
    with pytest.raises(ExceedsOrder):
        aftersales.fulfil(order, by=staff)
    with pytest.raises(IllegalMove):
        aftersales.cancel(order, by=staff)
    assert not DigitalDelivery.objects.exists()
    aftersales.capture(order, by=staff)
    assert state_of(order) == ("completed", "FULL", "paid")
    assert opens(order)


# --- When it is captured ------------------------------------------------------------------------


def test_an_authorized_payment_of_digital_goods_is_captured_at_once(ebook: Variant) -> None:
    order = bought((ebook, 1), method="authorize")
    assert state_of(order) == ("completed", "FULL", "paid")


def test_an_authorized_payment_of_a_mixed_order_waits_for_staff(
    ebook: Variant, mug: Variant
) -> None:
    order = bought((ebook, 1), (mug, 1), method="authorize")
    assert state_of(order) == ("confirmed", "UNFULFILLED", "authorized")
    assert Payment.objects.get().settle_at is None


def test_a_bank_transfer_waits_until_staff_say_that_it_came(ebook: Variant, staff: User) -> None:
    order = bought((ebook, 1), provider="manual")
    assert state_of(order) == ("confirmed", "AWAITING_DELIVERY", "authorized")
    assert Payment.objects.get().settle_at is None
    aftersales.capture(order, by=staff)
    assert state_of(order) == ("completed", "FULL", "paid")


def test_a_capture_without_an_answer_is_made_up_for(
    ebook: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: Any) -> Any:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(gateway_of("demo"), "capture", silent)
        order = bought((ebook, 1), method="authorize")
    assert state_of(order) == ("confirmed", "AWAITING_DELIVERY", "authorized")
    due = Payment.objects.get().settle_at
    assert due
    payments.settle(due)
    assert state_of(order) == ("completed", "FULL", "paid")


def test_an_unpaid_order_of_digital_goods_is_cancelled(ebook: Variant, staff: User) -> None:
    order = bought((ebook, 1), provider="manual")
    aftersales.cancel(order, by=staff)
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert not DigitalDelivery.objects.exists()
    assert Stock.objects.get(variant=ebook).reserved == 0


# --- Revoking -----------------------------------------------------------------------------------


def test_the_refund_of_the_last_unit_revokes_the_link(ebook: Variant, staff: User) -> None:
    order = bought((ebook, 2))
    (line,) = lines_of(order)
    aftersales.refund(order, Wanted(lines={line.pk: 1}), by=staff)
    assert opens(order)
    aftersales.refund(order, Wanted(lines={line.pk: 1}), by=staff)
    assert Client().get(link_of(order)).status_code == 410
    assert topics(order).count("order.delivery_revoked") == 1


def test_a_refund_of_all_the_money_revokes_all_links(ebook: Variant, staff: User) -> None:
    order = bought((ebook, 2))
    aftersales.refund(order, Wanted(amount=order.total), by=staff)
    assert not opens(order)


def test_a_refund_that_fails_leaves_the_link_revoked(
    ebook: Variant, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shop.gateways import Refused

    def refuses(*_: Any, **__: Any) -> Any:
        raise Refused

    order = bought((ebook, 1))
    monkeypatch.setattr(gateway_of("demo"), "refund", refuses)
    refund = aftersales.refund(order, Wanted(lines={lines_of(order)[0].pk: 1}), by=staff)
    assert refund
    assert refund.state == "failed"
    assert not opens(order)


def test_a_return_revokes_the_link(ebook: Variant, mug: Variant, staff: User) -> None:
    order = bought((ebook, 1), (mug, 1))
    digital = lines_of(order)[0]
    aftersales.return_(order, {digital.pk: aftersales.Back()}, by=staff)
    assert not opens(order)


def test_staff_revoke_a_delivery_once(ebook: Variant, mug: Variant, staff: User) -> None:
    order = bought((ebook, 1), (mug, 1))
    digital, shipped = lines_of(order)
    with audit.acting(staff, AuditSource.API, None):
        aftersales.revoke_delivery(order, digital.pk, reason="Leaked.", by=staff)
    entry = AuditEntry.objects.get(action="order.delivery_revoke")
    assert set(entry.difference) == {"revoked"}
    event = order.events.get(kind="delivery_revoked")
    assert (event.text, event.actor_id) == ("Leaked.", staff.pk)
    for line in (digital.pk, shipped.pk):
        with pytest.raises(IllegalMove):
            aftersales.revoke_delivery(order, line, by=staff)
    with pytest.raises(NotFound):
        aftersales.revoke_delivery(order, 0, by=staff)


def test_a_second_capture_delivers_nothing(ebook: Variant, staff: User) -> None:
    order = bought((ebook, 1))
    key = delivery_of(order).key
    payment = Payment.objects.get()
    payments.ask(payment.pk)
    orders.set_payment_status(Order.objects.get(pk=order.pk))
    assert delivery_of(order).key == key
    assert topics(order).count("order.delivered") == 1
    assert payment.state == PaymentState.CAPTURED


# --- Content ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content", "error"),
    [
        ("link", "", Required),
        ("text", " \n", Required),
        ("link", "javascript:alert(1)", Invalid),
        ("link", "ftp://example.com/a", Invalid),
        ("link", "https://example.com/" + "a" * 2000, Invalid),
        ("text", "a" * 10_001, Invalid),
        ("text", "a\x00b", Invalid),
    ],
)
def test_content_that_makes_no_sense_is_refused(
    kind: str, content: str, error: type[Exception], ebook: Variant
) -> None:
    with pytest.raises(error):
        digital_content.set_content(ebook, kind=kind, content=content)
    assert ebook.digital_content.content == LINK


def test_the_audit_never_has_the_content(ebook: Variant, staff: User) -> None:
    with audit.acting(staff, AuditSource.API, None):
        digital_content.set_content(ebook, kind="text", content="KEY-0815")
        digital_content.remove_content(ebook)
        digital_content.set_content(ebook, kind="link", content=LINK)
    actions = AuditEntry.objects.filter(action__startswith="digitalcontent").order_by("pk")
    assert [entry.action.partition(".")[2] for entry in actions] == ["update", "delete", "create"]
    assert "KEY-0815" not in str(AuditEntry.objects.values())
    assert "hush" not in str(AuditEntry.objects.values())


# --- Personal data ------------------------------------------------------------------------------


def test_an_export_tells_of_a_delivery_without_its_link(ebook: Variant, customer: User) -> None:
    order = bought((ebook, 1), user=customer)
    found = document(customer)
    (line,) = found["orders"][0]["lines"]
    assert line["requiresShipping"] is False
    told = line["digitalDelivery"]
    assert (told["kind"], told["downloads"], told["revokedAt"]) == ("link", 0, None)
    assert link_of(order).rsplit("/", 1)[-1] not in str(found)
    assert "hush" not in str(found)


def test_an_erasure_revokes_the_links_of_a_customer(ebook: Variant, customer: User) -> None:
    order = bought((ebook, 1), user=customer)
    assert opens(order)
    accounts.erase(customer)
    assert not opens(order)


def test_another_e_mail_address_has_links_of_its_own(
    ebook: Variant, mug: Variant, staff: User
) -> None:
    order = bought((ebook, 1), (mug, 1))
    former = link_of(order)
    aftersales.update_order(order, email="right@example.org", by=staff)
    assert Client().get(former).status_code == 404
    assert opens(order)


def test_the_address_of_an_order_without_a_parcel(ebook: Variant, staff: User) -> None:
    order = bought((ebook, 1), provider="manual")
    with pytest.raises(IllegalMove):
        aftersales.update_order(order, shipping_address=BERLIN, by=staff)
    aftersales.update_order(order, billing_address={**BERLIN, "line1": "Allee 3"}, by=staff)
    assert order.billing_address["line1"] == "Allee 3"
    # Its country decides about the tax.
    with pytest.raises(TotalWouldChange):
        aftersales.update_order(order, billing_address=TOKYO, by=staff)
