"""After an erasure orders are whole as sales, and tell no more whose they were; carts are gone."""

import hashlib
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from shop import events
from shop.actions import accounts, jobs
from shop.actions.accounts import erasing_sales
from shop.actions.jobs import files
from shop.actions.webhooks import endpoints
from shop.models import (
    AuditEntry,
    Cart,
    DeferredTask,
    Fulfillment,
    FulfillmentLine,
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
    order = buy(None if guest else ann, variant, staff)
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
    order = sold.make_order(EMAIL, ann, digest=digest)
    accounts.erase(ann)
    order.refresh_from_db()
    assert order.digest != digest
    assert len(order.digest) == 64


def test_the_api_shows_what_is_left_of_it(ann: User, staff: User, api: Any, gid: Any) -> None:
    order = sold.make_order(EMAIL, ann, shipping_address=PLACE)
    accounts.erase(ann)
    document = """query($id: ID!) { order(id: $id) {
      email note total { amount } shippingAddress { name country region }
      billingAddress { line1 } customer { email } } }"""
    found = api(document, staff, id=gid(order))["data"]["order"]
    assert (found["email"], found["note"], found["total"]) == ("", "", {"amount": "38.40"})
    assert found["shippingAddress"] == {"name": "", "country": "US", "region": "IL"}
    assert found["billingAddress"] == {"line1": ""}
    assert found["customer"]["email"].endswith("@erased.invalid")


@pytest.mark.parametrize("status", OrderStatus.values)
def test_staff_learn_why_an_open_order_has_no_address(status: str, ann: User) -> None:
    order = sold.make_order(EMAIL, ann, status=status)
    accounts.erase(ann)
    notes = list(order.events.values_list("kind", "actor"))
    is_open = status in (OrderStatus.PENDING, OrderStatus.CONFIRMED)
    assert notes == ([(OrderEventKind.NOTE, None)] if is_open else [])
    order.refresh_from_db()
    assert order.status == status


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
    theirs = [sold.make_order(EMAIL, ann), sold.make_order(EMAIL)]
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


def test_exports_in_which_the_orders_may_be_go_with_their_files(
    ann: User, staff: User, django_capture_on_commit_callbacks: Any
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
    sold.make_order(EMAIL, ann)
    export(JobKind.EXPORT_ORDERS, timezone.now())
    export(JobKind.EXPORT_ORDERS, None)
    with django_capture_on_commit_callbacks(execute=True):
        accounts.erase(ann)
    assert set(Job.objects.values_list("pk", flat=True)) == {earlier.pk, other.pk}
    assert places_of(["annabel"]) == {}


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
        sold.pay(sold.make_order(EMAIL, ann), method="pm_visa")
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
    accounts.erase(ann)
    assert Order.objects.get().email == ""
