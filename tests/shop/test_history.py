"""The sample shop has a history, made by its own actions."""

import io
from collections import Counter
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db.models import Count, Sum
from django.test import override_settings
from django.utils import timezone

from shop import outbox
from shop.actions import carts, inventory
from shop.backends import DEMO_EMAIL
from shop.management import selling
from shop.models import (
    Cart,
    DeferredTask,
    FulfillmentStatus,
    Order,
    OrderEvent,
    OrderEventKind,
    OutboxEvent,
    PaymentStatus,
    Product,
    Review,
    ReviewStatus,
    SentMail,
    ShippingZone,
    Stock,
    StockMovement,
    User,
    Voucher,
    WishlistItem,
)
from tests.kept import Kept

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("history")]
MADE = (User, Order, OrderEvent, Cart, Review, WishlistItem, StockMovement, OutboxEvent)


def seed(**options: Any) -> str:
    told = io.StringIO()
    call_command("seed", stdout=told, stderr=io.StringIO(), **options)
    return told.getvalue()


def counts() -> list[int]:
    return [model._default_manager.count() for model in MADE]


@pytest.fixture(autouse=True)
def _development(settings: Any) -> None:
    settings.DEMO_ACCOUNT = settings.DEMO_PAYMENTS = settings.MANUAL_PAYMENTS = True


@pytest.fixture(scope="module")
def kept_history(django_db_setup: None, django_db_blocker: Any) -> Kept:
    development = {"DEMO_ACCOUNT": True, "DEMO_PAYMENTS": True, "MANUAL_PAYMENTS": True}
    with django_db_blocker.unblock(), override_settings(**development):
        return Kept("history", seed)


@pytest.fixture
def made(kept_history: Kept) -> None:
    """Makes the sample shop once for the module, and copies its rows for each test."""
    assert "making customers, orders and reviews" in kept_history.copied()


@pytest.mark.usefixtures("made")
def test_orders_are_in_all_the_states_that_staff_meet() -> None:
    states = Counter(Order.objects.values_list("status", "fulfillment_status", "payment_status"))
    assert states == {
        ("completed", "full", "paid"): 17,
        ("completed", "full", "partially_refunded"): 2,
        ("completed", "returned", "refunded"): 1,
        ("cancelled", "none", "refunded"): 2,
        ("confirmed", "none", "paid"): 2,
        ("confirmed", "none", "authorized"): 1,
        ("confirmed", "full", "authorized"): 1,
        ("confirmed", "partial", "paid"): 1,
        ("confirmed", "partial", "partially_refunded"): 1,
    }
    assert Order.objects.filter(discounts__0__code=selling.VOUCHER).count() == 1
    assert set(Order.objects.values_list("payments__provider", flat=True)) == {"demo", "manual"}
    parcels = OrderEvent.objects.filter(kind=OrderEventKind.FULFILLED)
    assert all(len(parcel.data["tracking_number"]) == 12 for parcel in parcels)
    countries = {order.shipping_address["country"] for order in Order.objects.all()}
    assert countries == {"US", "DE", "FR", "SE", "GB", "CA"}
    waiting = Order.objects.get(
        payment_status=PaymentStatus.AUTHORIZED, fulfillment_status=FulfillmentStatus.UNFULFILLED
    )
    assert waiting.payments.get().provider == "manual"


@pytest.mark.usefixtures("made")
def test_reviews_come_to_the_ratings_of_products() -> None:
    assert Review.objects.filter(status=ReviewStatus.APPROVED).count() == 37
    assert Review.objects.filter(status=ReviewStatus.PENDING).count() == 5
    assert Review.objects.filter(is_verified=True).count() == 39
    assert set(Review.objects.values_list("rating", flat=True)) == {1, 2, 3, 4, 5}
    shown = Review.objects.shown().values("product").annotate(n=Count("pk"), stars=Sum("rating"))
    sums = {row["product"]: (row["n"], row["stars"]) for row in shown}
    rated = Product.objects.filter(rating_count__gt=0)
    assert {p.pk: (p.rating_count, p.rating_sum) for p in rated} == sums


@pytest.mark.usefixtures("made")
def test_stock_agrees_with_its_ledger_in_the_order_of_time() -> None:
    assert inventory.discrepancies() == []
    assert Stock.objects.filter(reserved__gt=0).count() == 6
    running: dict[int, int] = {}
    for movement in StockMovement.objects.order_by("created_at", "pk"):
        running[movement.stock_id] = running.get(movement.stock_id, 0) + movement.delta
        assert movement.on_hand == running[movement.stock_id] >= 0


@pytest.mark.usefixtures("made")
def test_all_of_it_has_happened_in_the_last_weeks() -> None:
    now = timezone.now()
    ages = [(now - order.created_at).days for order in Order.objects.order_by("pk")]
    assert ages == sorted(ages, reverse=True)
    assert (ages[0], ages[-1]) == (56, 0)
    for order in Order.objects.prefetch_related("events", "payments"):
        events = sorted(order.events.all(), key=lambda event: event.pk)
        times = [event.created_at for event in events]
        assert times == sorted(times)
        assert order.user.created_at < order.created_at <= times[0]
        assert times[-1] < now
        assert order.payments.get().created_at >= order.created_at
        assert (order.confirmed_at - order.created_at).days == 0
        assert order.ended_at is None or order.confirmed_at < order.ended_at <= times[-1]
    for review in Review.objects.filter(is_verified=True).select_related("user"):
        bought = review.user.orders.filter(lines__variant__product=review.product_id)
        assert bought.filter(created_at__lt=review.created_at).exists()


@pytest.mark.usefixtures("made")
def test_customers_cannot_sign_in_and_are_not_written_to(settings: Any) -> None:
    customers = User.objects.exclude(email=DEMO_EMAIL)
    assert customers.count() == 8
    assert not any(one.has_usable_password() or one.is_staff for one in customers)
    assert all(one.email.endswith("@example.org") for one in customers)
    outbox.drain()
    assert mail.outbox == []
    assert not SentMail.objects.exists()
    assert not DeferredTask.objects.exists()


@pytest.mark.usefixtures("made")
def test_a_cart_is_left_open() -> None:
    priya = User.objects.get(name="Priya Nair")
    priced = carts.priced(carts.find(priya, None))
    assert [line.quantity for line in priced.lines] == [1, 2]
    assert WishlistItem.objects.values("user").distinct().count() == 5


@pytest.mark.usefixtures("made")
def test_a_second_seed_changes_nothing() -> None:
    before = counts()
    assert seed() == ""
    assert counts() == before


def test_the_catalog_comes_alone_where_that_is_asked_for() -> None:
    seed(catalog_only=True)
    assert User.objects.get().email == DEMO_EMAIL
    assert not Order.objects.exists()
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    "theirs", ["customer", "cart", "catalog", "zones", "vouchers", "no demo", "no bank"]
)
def test_a_shop_of_its_own_is_left_alone(theirs: str, settings: Any) -> None:
    seed(catalog_only=True)
    match theirs:
        case "customer":
            User.objects.create_user("ann@example.org", None)
        case "cart":
            Cart.objects.create(digest="d")
        case "catalog":
            Product.objects.filter(slug="morning-mug").delete()
        case "zones":
            ShippingZone.objects.filter(name="Rest of the world").delete()
        case "vouchers":
            Voucher.objects.all().delete()
        case "no demo":
            settings.DEMO_ACCOUNT = False
        case "no bank":
            settings.MANUAL_PAYMENTS = False
    before = counts()
    assert seed() == ""
    assert counts() == before
