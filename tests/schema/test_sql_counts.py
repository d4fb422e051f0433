"""The promise of constant SQL: every document costs what its header says, at N and at 2N rows."""

import datetime
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from graphql import FieldNode, TypeInfo, TypeInfoVisitor, Visitor, parse, visit
from graphql_relay import to_global_id

from schema.root import schema
from shop.actions import audit, carts, customers, inventory, jobs
from shop.actions.catalog import categories, taxonomy
from shop.actions.customers import address_rules, addresses, users
from shop.actions.customers.roles import Role
from shop.actions.promotions import automatic_discounts, vouchers
from shop.actions.shipping import shipping_rates, shipping_zones, tax_rates
from shop.actions.webhooks import endpoints
from shop.models import (
    Address,
    AuditEntry,
    AuditSource,
    CartLine,
    Fulfillment,
    FulfillmentLine,
    Job,
    JobKind,
    MovementReason,
    Order,
    Product,
    Return,
    ReturnLine,
    Review,
    Session,
    ShippingZone,
    User,
    Variant,
    Voucher,
    WebhookEndpoint,
    WishlistItem,
)
from tests.conftest import add_products, count_stock, make_world
from tests.kept import Kept
from tests.shop import sold
from tests.shop.orders import place, stocked

DOCUMENTS = sorted((Path(__file__).parents[1] / "documents").glob("*.graphql"))
SCHEMA = schema.graphql_schema
LISTED = [Product, Order, User, Address, Session, Job, WebhookEndpoint, CartLine, Voucher]


def gid(row: Any) -> str:
    return to_global_id(type(row).__name__, row.pk)


def _variables(world: SimpleNamespace) -> dict[str, Any]:
    return {
        "after": "2100-01-01T00:00:00Z",
        "product": gid(world.products[0]),
        "category": gid(world.mugs),
        "someone": gid(User.objects.order_by("pk").first()),
        "order": gid(Order.objects.order_by("pk").first()),
    }


def _double(world: SimpleNamespace) -> None:
    """Twice as many of everything that a document may list."""
    add_products(world, len(world.products))
    _add_stock(world)
    for number in range(4):
        top = categories.create(name=f"Ladle top {number}")
        below = categories.create(name=f"Below {number}", parent=top)
        categories.create(name=f"Lowest {number}", parent=below)
        categories.create(name=f"Mug kind {number}", parent=world.mugs)
        taxonomy.create_brand(name=f"Ladle {number}")
        taxonomy.create_attribute(name=f"Attribute {number}", values=["Clay", "Clay pot"])
        taxonomy.create_collection(name=f"Collection {number}", products=world.products)
    _add_jobs(Job.objects.count())
    _add_webhooks(WebhookEndpoint.objects.count())
    _add_sessions(Session.objects.count())
    _add_addresses(Address.objects.count())
    _add_entries(AuditEntry.objects.count())
    _add_users(User.objects.count())
    _add_cart_lines(2 * CartLine.objects.count())
    _add_orders(world, Order.objects.count())
    _add_zones(ShippingZone.objects.count())
    _add_promotions(Voucher.objects.count())
    _add_reviews(2)


def _add_stock(world: SimpleNamespace) -> None:
    """Stock of all variants, moved by somebody else each."""
    count_stock(1000)
    for variant in Variant.objects.order_by("-pk")[:4]:
        clerk = User.objects.create_user(f"{User.objects.count()}@example.org", is_staff=True)
        reason = MovementReason.DAMAGED
        inventory.correct(variant, delta=-1, reason=reason, by=clerk)


def _add_jobs(count: int) -> None:
    """Imports in the queue, each started by someone."""
    for _ in range(count):
        job = jobs.start_export(by=User.objects.order_by("pk").first())
        Job.objects.filter(pk=job.pk).update(kind=JobKind.IMPORT_PRODUCTS)


def _add_webhooks(count: int) -> None:
    """Endpoints with two deliveries each."""
    for number in range(count):
        url = f"https://{number}.example.org/"
        endpoint = endpoints.create(url=url, topics=["brand.updated"], by=None)
        for _ in range(2):
            endpoints.send_test(endpoint)


def _add_sessions(count: int) -> None:
    """Devices of the member of staff who asks."""
    staff = User.objects.get(email_key="staff@example.org")
    for _ in range(count):
        lifetime = datetime.timedelta(days=1)
        customers.open_session(staff, lifetime=lifetime, device=customers.Device("Phone", ""))


def _add_addresses(count: int) -> None:
    """Addresses of whoever asks."""
    user = User.objects.order_by("pk").first()
    parts = {"city": "Springfield", "region": "IL", "postal_code": "62704", "country": "US"}
    for number in range(count):
        addresses.create(user, name="Ann Baker", line1=f"{number} Main St", **parts)


def _add_entries(count: int) -> None:
    """Entries of the audit, each by somebody else."""
    for _ in range(count):
        number = User.objects.count()
        clerk = User.objects.create_user(f"{number}@example.org", is_staff=True)
        with audit.acting(clerk, AuditSource.API, "192.0.2.1"):
            taxonomy.create_brand(name=f"Brand of {number}")


def _add_users(count: int) -> None:
    """Customers and members of staff."""
    owner = User.objects.order_by("pk").first()
    for number in range(count):
        email = f"{number}-of-{count}@example.org"
        users.create(by=owner, email=email, roles=[Role.SUPPORT] if number % 2 else [])


def _add_cart_lines(count: int) -> None:
    """Lines of the cart of the member of staff who asks; there are to be `count` of them."""
    staff = User.objects.get(email_key="staff@example.org")
    cart, _ = carts.create(staff)
    for variant in Variant.objects.order_by("pk")[cart.lines.count() : count]:
        cart.lines.create(variant=variant, quantity=1, seen_price=variant.price)


def _add_orders(world: SimpleNamespace, count: int) -> None:
    """Orders of whoever asks, and of guests; partly shipped and partly back."""
    user = User.objects.order_by("pk").first()
    variants = [stocked(row) for row in world.products[0].variants.order_by("pk")[:2]]
    for number in range(count):
        lines = dict.fromkeys(variants, 3)
        order = place(None if number % 2 else user, lines, discount=1000)
        parcel = Fulfillment.objects.create(order=order, carrier="Post")
        back = Return.objects.create(order=order)
        for line in order.lines.all():
            FulfillmentLine.objects.create(fulfillment=parcel, line=line, quantity=1)
            ReturnLine.objects.create(parcel=back, line=line, quantity=1, restocked=True)
        payment = order.payments.get()
        for key in ("first", "second"):
            key = f"{payment.key} {key}"[-64:]
            refund = payment.refunds.create(key=key, currency="USD", amount=200)
            for line in order.lines.all():
                refund.lines.create(line=line, quantity=1, currency="USD", amount=100)
            sold.dispute(payment, amount=100)
        Order.objects.filter(pk=order.pk).update(fulfillment_status="partial")


def _add_zones(count: int) -> None:
    """Zones of a country each, with two rates and a tax rate."""
    codes = list(address_rules.countries())
    for number in range(ShippingZone.objects.count(), ShippingZone.objects.count() + count):
        zone = shipping_zones.create(name=f"Zone {number}", countries=[codes[number]])
        for name in ("Standard", "Express"):
            shipping_rates.create(zone, name=name, price=500, max_weight=1000, max_total=10_000)
        tax_rates.create(country=codes[number], basis_points=1900)


def _add_promotions(count: int) -> None:
    """Vouchers and automatic discounts."""
    for number in range(Voucher.objects.count(), Voucher.objects.count() + count):
        vouchers.create(code=f"FIVE-{number}", kind="fixed", amount=500)
        automatic_discounts.create(name=f"Sale {number}", basis_points=500)


def _add_reviews(count: int) -> None:
    """Customers who wrote about everything; and the staff wrote and would like to have it all."""
    staff = User.objects.get(email_key="staff@example.org")
    wishes = [WishlistItem(user=staff, variant=variant) for variant in Variant.objects.all()]
    WishlistItem.objects.bulk_create(wishes, ignore_conflicts=True)
    users = [
        User.objects.create_user(f"{User.objects.count()}-r@example.org") for _ in range(count)
    ]
    rows = [
        Review(user=user, product=product, rating=4, status=status)
        for user, status in ((staff, "pending"), *((user, "approved") for user in users))
        for product in Product.objects.all()
    ]
    Review.objects.bulk_create(rows, ignore_conflicts=True)


def _shop() -> SimpleNamespace:
    """N rows of everything that a document may list, its staff and the variables of documents."""
    world = make_world()
    world.staff = User.objects.create_superuser("staff@example.org", "a staff password")
    _add_stock(world)
    _add_jobs(2)
    _add_webhooks(2)
    _add_sessions(2)
    _add_addresses(2)
    _add_entries(2)
    _add_users(4)
    _add_cart_lines(3)
    _add_orders(world, 2)
    _add_zones(2)
    _add_promotions(2)
    _add_reviews(2)
    world.variables = _variables(world)
    return world


def _doubled_shop() -> SimpleNamespace:
    world = _shop()
    _double(world)
    return world


@pytest.fixture(scope="module")
def kept_shops(django_db_setup: None, django_db_blocker: Any) -> dict[str, Kept]:
    with django_db_blocker.unblock():
        return {"N": Kept("shop_n", _shop), "2N": Kept("shop_2n", _doubled_shop)}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_sql_count_does_not_depend_on_rows(
    path: Path, db: None, kept_shops: dict[str, Kept], api: Any
) -> None:
    document = path.read_text()
    expected = int(re.search(r"^# sql: (\d+)$", document, re.MULTILINE)[1])
    declared = set(re.findall(r"\$(\w+):", document))
    is_staff = re.search(r"^# as: staff$", document, re.MULTILINE)
    for size, kept in kept_shops.items():
        before = transaction.savepoint()
        shop = kept.copied()
        # Anonymous, unless the header says who asks.
        viewer = shop.staff if is_staff else None
        variables = {k: v for k, v in shop.variables.items() if k in declared}
        with CaptureQueriesContext(connection) as captured:
            answer = api(document, viewer, **variables)
        assert "errors" not in answer
        statements = "\n".join(query["sql"] for query in captured.captured_queries)
        assert len(captured) == expected, f"at {size} rows:\n{statements}"
        transaction.savepoint_rollback(before)


def test_2n_rows_are_more_than_n_in_every_answer(db: None, kept_shops: dict[str, Kept]) -> None:
    counts = []
    for kept in kept_shops.values():
        before = transaction.savepoint()
        kept.copied()
        counts.append({model: model._base_manager.count() for model in LISTED})
        transaction.savepoint_rollback(before)
    small, large = counts
    assert all(0 < 2 * small[model] <= large[model] for model in LISTED)


def test_every_list_field_of_the_schema_is_in_a_document() -> None:
    listed = {
        (parent, name)
        for parent, object_type in SCHEMA.type_map.items()
        for name, field in getattr(object_type, "fields", {}).items()
        if hasattr(getattr(field, "resolve", None), "connection")
    }
    assert len(listed) > 10
    assert listed - _fields_in_documents() == set()


def _fields_in_documents() -> set[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    info = TypeInfo(SCHEMA)

    class Collect(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            parent = info.get_parent_type()
            if parent is not None:
                seen.add((parent.name, node.name.value))

    for path in DOCUMENTS:
        visit(parse(path.read_text()), TypeInfoVisitor(info, Collect()))
    return seen


LIST = """query($first: Int) { products(first: $first) { edges { node {
  category { name } brand { name }
  variants(first: 3) { edges { node { sku } } } media(first: 3) { edges { node { url } } }
} } } }"""


@pytest.mark.parametrize("first", [1, 100])
def test_product_list_takes_three_statements_for_any_page(
    first: int, world: SimpleNamespace, api: Any
) -> None:
    with CaptureQueriesContext(connection) as captured:
        answer = api(LIST, first=first)
    assert len(answer["data"]["products"]["edges"]) == min(first, len(world.products))
    assert len(captured) == 3


def test_total_count_costs_a_statement_only_when_selected(world: SimpleNamespace, api: Any) -> None:
    with CaptureQueriesContext(connection) as rows_only:
        api("{ products { edges { node { name } } } }")
    with CaptureQueriesContext(connection) as count_only:
        answer = api("{ products { totalCount } }")
    assert (len(rows_only), len(count_only)) == (1, 1)
    assert answer["data"]["products"]["totalCount"] == len(world.products)


def test_a_signed_in_viewer_costs_one_statement_more(
    world: SimpleNamespace, api: Any, customer: Any
) -> None:
    with CaptureQueriesContext(connection) as captured:
        api(LIST, customer, first=10)
    assert len(captured) == 4
