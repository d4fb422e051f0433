"""After an erasure orders are whole as sales, and tell no more whose they were; carts are gone.

What has been bought is delivered all the same: what that takes stays as long, and no longer.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from shop import events
from shop.actions import accounts, aftersales, jobs, notices
from shop.actions.accounts import erasing_sales, sales
from shop.actions.jobs import files
from shop.actions.webhooks import endpoints
from shop.models import (
    AuditEntry,
    Cart,
    DeferredTask,
    Fulfillment,
    FulfillmentLine,
    FulfillmentStatus,
    IdempotencyKey,
    Job,
    JobKind,
    JobStatus,
    MovementReason,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderLine,
    OrderStatus,
    OutboxEvent,
    Payment,
    Redemption,
    RefundLine,
    Return,
    ReturnLine,
    SentMail,
    Stock,
    StockMovement,
    User,
    Voucher,
    WebhookDelivery,
)
from tests.shop import sold
from tests.shop.traces import places_of

EMAIL = "Annabel.Quux@Example.org"
PLACE = {
    "name": "Annabel Quux-Zebedee",
    "company": "Bakery of Note",
    "line1": "1 Aardvark St",
    "line2": "",
    "district": "",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62704",
    "country": "US",
    "phone": "+12175550123",
}
# Whatever tells of her; searched for in any case.
TRACES = [
    "annabel",
    "quux",
    "zebedee",
    "bakery of note",
    "aardvark",
    "springfield",
    "62704",
    "12175550123",
    "1z999",
    "pm_visa",
    "client_secret",
]
AMOUNTS = ("number", "currency", "subtotal", "discount", "shipping", "tax", "total", "discounts")

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user(EMAIL, name="Annabel Quux-Zebedee")


@pytest.fixture
def variant(world: Any) -> Any:
    variant = world.products[0].variants.first()
    Stock.objects.get_or_create(variant=variant, defaults={"on_hand": 7})
    return variant


def buy(user: User | None, variant: Any, staff: User, **fields: Any) -> Order:
    """An order with whatever can hang on one, all of it telling of her."""
    cart = sold.make_cart(
        variant, user=user, email=EMAIL, shipping_address=PLACE, billing_address=PLACE
    )
    order = sold.make_order(
        EMAIL,
        user,
        cart=cart,
        shipping_address=PLACE,
        billing_address=PLACE,
        note="Ring at Zebedee",
        **fields,
    )
    parcel = Fulfillment.objects.create(
        order=order, carrier="UPS", tracking_number="1Z999AA", tracking_url="https://ups/1Z999AA"
    )
    line = order.lines.first()
    OrderLine.objects.filter(pk=line.pk).update(fulfilled=2, returned=1)
    FulfillmentLine.objects.create(fulfillment=parcel, line=line, quantity=2)
    back = Return.objects.create(order=order, reason="Annabel found a crack")
    ReturnLine.objects.create(parcel=back, line=line, quantity=1, restocked=False)
    payment = sold.pay(
        order, method="pm_visa", client_data={"client_secret": "pi_1_secret_2"}, refunded=100
    )
    refund = sold.refund(payment, 100, reason="Sorry, Ms Quux", actor=staff)
    refund.lines.create(line=line, quantity=1, amount=100, currency="USD")
    for kind, text, data in (
        (OrderEventKind.NOTE, "Quux called: leave it at the bakery of note", {}),
        (OrderEventKind.FULFILLED, "", {"fulfillment": parcel.pk, "tracking": "1Z999AA"}),
        (OrderEventKind.REFUNDED, "", {"amount": 100, "currency": "USD", "provider": "demo"}),
    ):
        OrderEvent.objects.create(order=order, kind=kind, text=text, data=data, actor=staff)
    StockMovement.objects.create(
        stock=variant.stock,
        delta=-2,
        on_hand=5,
        reason=MovementReason.SHIPPED,
        reference=order.reference,
        note="For Annabel",
        actor=staff,
    )
    with transaction.atomic():
        events.emit("order.refunded", order, refund=refund.pk, to="Annabel")
    for kind, key, difference in (
        ("Order", order.pk, {"note": ["", "Ring at Zebedee"]}),
        ("Fulfillment", parcel.pk, {"tracking_number": ["", "1Z999AA"]}),
        ("Refund", refund.pk, {"reason": ["", "Sorry, Ms Quux"]}),
    ):
        AuditEntry.objects.create(
            actor=staff,
            action="order.change",
            source="admin",
            object_type=kind,
            object_id=key,
            difference=difference,
        )
    return order


def later(**time: int) -> datetime:
    """When no mail about what has been is on its way any more."""
    return timezone.now() + timedelta(**(time or {"days": 2}))


def money_of(order: Order) -> Any:
    lines = order.lines.order_by("position").values()
    payments = order.payments.values("amount", "authorized", "captured", "refunded", "reference")
    refunds = [list(p.refunds.values("amount", "state", "key")) for p in order.payments.all()]
    return [getattr(order, name) for name in AMOUNTS], list(lines), list(payments), refunds


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guest", [False, True])
def test_orders_stay_whole_and_tell_of_nobody(
    guest: bool, ann: User, variant: Any, staff: User
) -> None:
    document = "query($id: ID!) { node(id: $id) { id } }"
    endpoint = endpoints.create(
        url="https://hooks.example.net/", topics=["brand.created"], query=document, by=staff
    )
    order = buy(None if guest else ann, variant, staff, status=OrderStatus.COMPLETED)
    event = OutboxEvent.objects.get(topic="order.refunded")
    WebhookDelivery.objects.create(
        endpoint=endpoint, event=event, next_at=timezone.now(), body='{"to": "Zebedee"}'
    )
    DeferredTask.objects.create(
        key=f"{event.uid.hex}:shop.mail",
        name="shop.mail",
        queue="mail",
        next_at=timezone.now(),
        error="550 Zebedee is unknown",
    )
    IdempotencyKey.objects.create(
        actor=f"cart:{order.cart_id}",
        operation="checkoutComplete",
        key="k",
        request_hash="h",
        reply={"email": EMAIL},
        expires_at=timezone.now(),
    )
    SentMail.objects.create(
        key="m", template="order_confirmed", recipient=EMAIL.upper(), user=order.user
    )
    assert places_of(TRACES).keys() == {*TRACES}
    before = money_of(order)
    accounts.erase(User.objects.get(pk=ann.pk))
    assert places_of(TRACES) == {}
    order.refresh_from_db()
    assert money_of(order) == before
    assert (order.email, order.email_key, order.note) == ("", "", "")
    assert order.shipping_address == order.billing_address
    kept = {name: text for name, text in order.shipping_address.items() if text}
    assert kept == {"country": "US", "region": "IL"}
    assert order.user == (None if guest else ann)
    assert not Cart.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert not WebhookDelivery.objects.exists()
    # That something was shipped, paid back and returned stays, with all figures.
    assert FulfillmentLine.objects.get(fulfillment__order=order).quantity == 2
    assert ReturnLine.objects.get(parcel__order=order).quantity == 1
    paid_back = RefundLine.objects.get(refund__payment__order=order)
    assert (paid_back.quantity, paid_back.amount) == (1, 100)
    event.refresh_from_db()
    assert event.payload == {
        "id": order.pk,
        "refund": order.payments.get().refunds.get().pk,
        "to": "[erased]",
    }
    told = order.events.order_by("pk").values_list("kind", "data")
    assert list(told)[1:3] == [
        ("fulfilled", {"fulfillment": order.fulfillments.get().pk, "tracking": "[erased]"}),
        ("refunded", {"amount": 100, "currency": "USD", "provider": "demo"}),
    ]


def test_the_link_of_a_mail_opens_nothing_any_more(ann: User) -> None:
    token = "the token in the mail"
    digest = hashlib.sha256(token.encode()).hexdigest()
    order = sold.make_order(EMAIL, ann, digest=digest, status=OrderStatus.COMPLETED)
    accounts.erase(ann)
    order.refresh_from_db()
    assert order.digest != digest
    assert len(order.digest) == 64


def test_the_api_shows_what_is_left_of_it(ann: User, staff: User, api: Any, gid: Any) -> None:
    ended = OrderStatus.CANCELLED
    order = sold.make_order(EMAIL, ann, shipping_address=PLACE, status=ended)
    accounts.erase(ann)
    document = """query($id: ID!) { order(id: $id) {
      email note total { amount } shippingAddress { name country region }
      billingAddress { line1 } customer { email } } }"""
    found = api(document, staff, id=gid(order))["data"]["order"]
    assert (found["email"], found["note"], found["total"]) == ("", "", {"amount": "38.40"})
    assert found["shippingAddress"] == {"name": "", "country": "US", "region": "IL"}
    assert found["billingAddress"] == {"line1": ""}
    assert found["customer"]["email"].endswith("@erased.invalid")


def test_orders_of_others_stay_as_they_are(ann: User, staff: User, variant: Any, dump: Any) -> None:
    bob = User.objects.create_user("bob@example.org", "another password")
    buy(bob, variant, staff)
    sold.make_order("carol@example.org")
    sold.make_cart(variant, email="bob@example.org")
    sold.make_cart(variant, email="annabel.quux@example.net")
    sold.make_cart(variant, email="annabel_quux@example.org")
    SentMail.objects.create(key="m", template="x", recipient="carol@example.org")
    IdempotencyKey.objects.create(
        actor=f"user:{bob.pk}",
        operation="x",
        key="k",
        request_hash="h",
        expires_at=timezone.now(),
    )
    before = dump()
    accounts.erase(ann)
    after = dump()
    for table in before.keys() - {"shop.User", "shop.OutboxEvent", "shop.EventStream"}:
        assert after[table] == before[table], table


def test_an_address_that_was_never_confirmed_takes_no_orders(db: None) -> None:
    stranger = User.objects.create_user(EMAIL, confirmed_at=None)
    order = sold.make_order(EMAIL)
    sold.make_cart(email=EMAIL)
    accounts.erase(stranger)
    order.refresh_from_db()
    assert order.email == EMAIL
    assert Cart.objects.count() == 1


@pytest.mark.parametrize("typed", [EMAIL.lower(), "ANNABEL.QUUX@EXAMPLE.ORG"])
def test_a_guests_cart_is_found_however_the_address_was_typed(typed: str, ann: User) -> None:
    sold.make_cart(email=typed)
    SentMail.objects.create(key="m", template="cart_abandoned", recipient=typed)
    accounts.erase(ann)
    assert not Cart.objects.exists()
    assert not SentMail.objects.exists()


def test_letters_beyond_ascii_are_alike_too(db: None) -> None:
    user = User.objects.create_user("ann@müller.example")
    sold.make_cart(email="Ann@MÜLLER.example")
    accounts.erase(user)
    assert not Cart.objects.exists()


def test_the_uses_of_a_voucher_still_count_and_name_nobody(ann: User) -> None:
    voucher = Voucher.objects.create(code="TEA5", customer_limit=2, used=3)
    ended = sold.make_order(EMAIL, ann, status=OrderStatus.EXPIRED)
    theirs = [sold.make_order(EMAIL, ann), sold.make_order(EMAIL), ended]
    others = sold.make_order("bob@example.org")
    for order in (*theirs, others):
        Redemption.objects.create(voucher=voucher, order=order, customer_key=order.email_key)
    accounts.erase(ann)
    keys = dict(Redemption.objects.values_list("order", "customer_key"))
    assert keys.pop(others.pk) == "bob@example.org"
    # Still of one customer, whoever it was.
    (stand_in,) = set(keys.values())
    assert stand_in.startswith("erased-")
    assert len(stand_in) > 40
    voucher.refresh_from_db()
    assert voucher.used == 3


@pytest.mark.parametrize(("status", "kept"), [("completed", set()), ("confirmed", {"shop.Order"})])
def test_exports_in_which_the_orders_may_be_go_with_their_files(
    status: str, kept: set[str], ann: User, staff: User, django_capture_on_commit_callbacks: Any
) -> None:
    def export(kind: str, finished_at: Any) -> Job:
        folder = files.new_folder()
        stored = files.keep(folder, "orders.csv", ContentFile(b"Annabel Quux\n"))
        return Job.objects.create(
            kind=kind,
            status=JobStatus.SUCCEEDED,
            options={"folder": folder},
            file=stored,
            finished_at=finished_at,
            created_by=staff,
        )

    earlier = export(JobKind.EXPORT_ORDERS, timezone.now())
    files.withdraw(earlier.file)
    other = export(JobKind.EXPORT_PRODUCTS, timezone.now())
    files.withdraw(other.file)
    sold.make_order(EMAIL, ann, status=status)
    export(JobKind.EXPORT_ORDERS, timezone.now())
    export(JobKind.EXPORT_ORDERS, None)
    with django_capture_on_commit_callbacks(execute=True):
        accounts.erase(ann)
    assert set(Job.objects.values_list("pk", flat=True)) == {earlier.pk, other.pk}
    # Only the order itself has it, while it is to be delivered.
    assert {place for places in places_of(["annabel"]).values() for place in places} == kept
    # So have exports that are made meanwhile.
    export(JobKind.EXPORT_ORDERS, timezone.now())
    Order.objects.update(status=OrderStatus.CANCELLED)
    with django_capture_on_commit_callbacks(execute=True):
        forgotten = accounts.forget_delivered(later())
    assert forgotten == len(kept)
    assert Job.objects.filter(kind=JobKind.EXPORT_ORDERS).count() == 2 - forgotten


def test_who_bought_nothing_costs_nobody_their_exports(ann: User, staff: User) -> None:
    job = jobs.start_export(by=staff)
    Job.objects.update(kind=JobKind.EXPORT_ORDERS)
    accounts.erase(ann)
    assert Job.objects.get().pk == job.pk
    assert Job.objects.get().status == JobStatus.QUEUED


def test_many_orders_are_gone_through_in_batches(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.actions.accounts.erasing_sales._BATCH", 2)
    for _ in range(5):
        sold.pay(sold.make_order(EMAIL, ann, status=OrderStatus.COMPLETED), method="pm_visa")
    accounts.erase(ann)
    assert set(Order.objects.values_list("email", flat=True)) == {""}
    assert set(Payment.objects.values_list("method", flat=True)) == {""}
    assert len(set(Order.objects.values_list("digest", flat=True))) == 5


def test_an_order_that_is_placed_at_that_moment_is_forgotten_too(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = erasing_sales._carts

    def wait_for_the_checkout(user: User) -> None:
        # Whoever checks out holds the cart; we get it once their order is there.
        sold.make_order(EMAIL, ann)
        remove(user)

    monkeypatch.setattr(erasing_sales, "_carts", wait_for_the_checkout)
    assert accounts.erase(ann).orders == 1
    assert Order.objects.get().email == EMAIL
    Order.objects.update(status=OrderStatus.COMPLETED)
    accounts.forget_delivered(later())
    assert Order.objects.get().email == ""


# --- Still to be delivered ------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guest", [False, True])
def test_what_was_bought_is_delivered_and_then_tells_of_nobody(
    guest: bool, ann: User, variant: Any, staff: User, settings: Any
) -> None:
    settings.STOREFRONT_URL = "https://shop.example.org"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    order = buy(None if guest else ann, variant, staff, shipping_name="Parcel")
    event = OutboxEvent.objects.get(topic="order.refunded")
    document = "query($id: ID!) { node(id: $id) { id } }"
    endpoint = endpoints.create(
        url="https://hooks.example.net/", topics=["brand.created"], query=document, by=staff
    )
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event=event, next_at=timezone.now(), body=f'{{"email": "{EMAIL}"}}'
    )
    digest, before = order.digest, money_of(order)
    kept = accounts.erase(User.objects.get(pk=ann.pk))
    order.refresh_from_db()
    assert (kept.orders, kept.until) == (1, order.forget_at)
    # Nothing that is needed is lost: where it goes, whom to tell, and the link in that mail.
    assert (order.email, order.shipping_address) == (EMAIL, PLACE)
    assert (order.note, order.digest) == ("Ring at Zebedee", digest)
    assert WebhookDelivery.objects.filter(pk=delivery.pk).exists()
    # What is not needed is gone at once.
    assert not User.objects.filter(email__icontains="annabel").exists()
    assert {name for name, text in order.billing_address.items() if text} == {"country", "region"}
    assert not Cart.objects.exists()
    assert not order.redemptions.exclude(customer_key__startswith="erased-").exists()
    # It is shipped as ever.
    (left,) = (line for line in order.lines.all() if not line.fulfilled)
    parcel = aftersales.fulfil(order, {left.pk: 1}, tracking_number="1Z999BB", by=staff)
    told = OutboxEvent.objects.get(topic="order.fulfilled")
    mail.outbox.clear()
    SentMail.objects.all().delete()
    notices.tell_of_parcel(order.pk, told.pk, parcel.pk)
    (sent,) = mail.outbox
    assert sent.to == [EMAIL]
    assert "Annabel Quux-Zebedee" in sent.body
    assert f"/orders/{order.number}?token=" in sent.body
    DeferredTask.objects.create(
        key=f"{told.uid.hex}:shop.mail_parcel",
        name="shop.mail_parcel",
        queue="mail",
        next_at=timezone.now(),
        error="550 Zebedee is unknown",
    )
    AuditEntry.objects.create(
        action="order.fulfil",
        source="admin",
        object_type="Order",
        object_id=order.pk,
        difference={"note": ["", "For Quux"]},
    )
    assert SentMail.objects.get().recipient == EMAIL
    # Its mails may be on their way yet.
    assert accounts.forget_delivered(timezone.now()) == 0
    assert places_of(["annabel"])
    assert accounts.forget_delivered(later()) == 1
    assert places_of([*TRACES, "1z999bb"]) == {}
    order.refresh_from_db()
    assert (order.email, order.email_key, order.note, order.forget_at) == ("", "", "", None)
    assert order.digest != digest
    assert [money_of(order)[index] for index in (0, 2, 3)] == [before[index] for index in (0, 2, 3)]
    assert accounts.forget_delivered(later()) == 0


@pytest.mark.parametrize("shipped", FulfillmentStatus.values)
@pytest.mark.parametrize("status", OrderStatus.values)
def test_only_what_is_to_be_delivered_is_kept(status: str, shipped: str, ann: User) -> None:
    order = sold.make_order(EMAIL, ann, status=status, fulfillment_status=shipped)
    kept = accounts.erase(ann)
    order.refresh_from_db()
    waits = status in ("pending", "confirmed") and shipped in ("none", "partial", "awaiting")
    assert kept.orders == waits
    assert (kept.until is None) == (order.forget_at is None) == (not waits)
    assert order.email == (EMAIL if waits else "")
    assert (order.status, order.fulfillment_status) == (status, shipped)
    notes = list(order.events.values_list("kind", "actor", "text"))
    if not waits:
        assert notes == []
        return
    ((kind, actor, text),) = notes
    assert (kind, actor) == (OrderEventKind.NOTE, None)
    assert f"{order.forget_at:%Y-%m-%d}" in text


@pytest.mark.parametrize(
    ("status", "shipped"),
    [
        ("completed", "full"),
        ("confirmed", "full"),
        ("confirmed", "returned"),
        ("cancelled", "none"),
        ("expired", "none"),
    ],
)
def test_once_it_is_done_it_is_forgotten(status: str, shipped: str, ann: User) -> None:
    order = sold.make_order(EMAIL, ann)
    accounts.erase(ann)
    assert accounts.forget_delivered(later()) == 0
    Order.objects.update(status=status, fulfillment_status=shipped)
    assert accounts.forget_delivered(timezone.now() + timedelta(hours=23)) == 0
    assert accounts.forget_delivered(later()) == 1
    order.refresh_from_db()
    assert (order.email, order.shipping_address["name"], order.forget_at) == ("", "", None)
    assert (order.status, order.fulfillment_status) == (status, shipped)


def test_nothing_is_kept_for_longer_than_the_setting_says(ann: User, settings: Any) -> None:
    settings.ERASED_ORDER_DAYS = 10
    order = sold.make_order(EMAIL, ann, shipping_address=PLACE)
    accounts.erase(ann)
    assert accounts.forget_delivered(later(days=9, hours=23)) == 0
    assert accounts.forget_delivered(later(days=10, hours=1)) == 1
    order.refresh_from_db()
    assert (order.status, order.forget_at) == (OrderStatus.CONFIRMED, None)
    assert places_of(TRACES) == {}
    # Staff learn why there is no address any more.
    last = order.events.latest("pk")
    assert (last.kind, last.actor) == (OrderEventKind.NOTE, None)
    assert "cancel or refund" in last.text


def test_what_is_kept_is_no_part_of_another_account_with_that_address(ann: User) -> None:
    order = sold.make_order(EMAIL)
    accounts.erase(ann)
    again = User.objects.create_user(EMAIL)
    assert not sales.orders_of(again).exists()
    SentMail.objects.create(key="m", template="x", recipient=EMAIL, user=again)
    accounts.erase(again)
    order.refresh_from_db()
    assert order.email == EMAIL
    third = User.objects.create_user(EMAIL)
    SentMail.objects.create(key="m", template="x", recipient=EMAIL, user=third)
    Order.objects.update(status=OrderStatus.CANCELLED)
    assert accounts.forget_delivered(later()) == 1
    order.refresh_from_db()
    assert order.email == ""
    # What is theirs stays.
    assert SentMail.objects.get().user == third


def test_orders_of_others_are_never_forgotten(ann: User) -> None:
    bob = User.objects.create_user("bob@example.org")
    for status in OrderStatus.values:
        sold.make_order(bob.email, bob, status=status)
    accounts.erase(ann)
    assert accounts.forget_delivered(later(days=1000)) == 0
    assert set(Order.objects.values_list("email", flat=True)) == {bob.email}


def test_who_dies_in_between_has_forgotten_some_and_the_next_turn_does_the_rest(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        sold.make_order(EMAIL, ann)
    accounts.erase(ann)
    Order.objects.update(status=OrderStatus.CANCELLED)
    second, third = Order.objects.order_by("pk").values_list("pk", flat=True)[1:]
    forget = erasing_sales.forget_orders

    def die(orders: list[int], **stand_in: str) -> None:
        if orders == [second]:
            raise RuntimeError("died")
        forget(orders, **stand_in)

    with monkeypatch.context() as patch:
        patch.setattr(erasing_sales, "forget_orders", die)
        with pytest.raises(RuntimeError):
            accounts.forget_delivered(later())
    kept = Order.objects.filter(email=EMAIL, forget_at__isnull=False)
    assert set(kept.values_list("pk", flat=True)) == {second, third}
    assert accounts.forget_delivered(later()) == 2
    assert set(Order.objects.values_list("email", "forget_at")) == {("", None)}
