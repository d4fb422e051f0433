"""One of everything that the API tells of or changes."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.contrib.auth.models import AnonymousUser
from graphql_relay import to_global_id

from shop.actions import aftersales, carts, customers, inventory, jobs, reviews
from shop.actions.aftersales import Back, Wanted
from shop.actions.catalog import categories, digital_content, media, products, taxonomy
from shop.actions.customers import addresses
from shop.actions.promotions import automatic_discounts, vouchers
from shop.actions.reviews import wishlist
from shop.actions.shipping import tax_rates
from shop.actions.webhooks import endpoints
from shop.models import (
    Cart,
    PaymentState,
    ShippingRate,
    ShippingZone,
    Stock,
    User,
    Variant,
    Voucher,
    VoucherKind,
    ZoneCountry,
)
from tests.shop import orders, sold
from tests.shop.selling import BERLIN


def make_shop() -> SimpleNamespace:
    """Global ids of one of everything, whose everything is `owner`'s."""
    product = products.create(name="Ladle", variants=[{"sku": "LADLE-1", "price": 1250}])
    attribute = taxonomy.create_attribute(name="Material", values=["Clay"])
    endpoint = endpoints.create(url="https://1.example.org/", topics=["*"], by=None)
    owner = User.objects.create_user("owner@example.org", "an owner password")
    offered = products.create(
        name="Spoon",
        variants=[
            {"sku": f"SPOON-{size}", "price": 700, "options": [{"name": "Size", "value": size}]}
            for size in "SL"
        ],
        status="published",
    )
    small, large = offered.variants.order_by("position")
    review = reviews.submit(owner, offered, rating=4, title="Stirs", address="192.0.2.1")
    place = {"line1": "Allee 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
    stock = inventory.correct(product.variants.get(), on_hand=5, by=owner)
    rows = {
        **sold_to(owner),
        "address": addresses.create(owner, name="Ann Baker", **place),
        "attribute": attribute,
        "value": attribute.values.get(),
        "brand": taxonomy.create_brand(name="Ladlemoor"),
        "category": categories.create(name="Kitchen"),
        "collection": taxonomy.create_collection(name="Gifts"),
        "delivery": endpoints.send_test(endpoint),
        "discount": automatic_discounts.create(name="Summer", basis_points=500),
        "endpoint": endpoint,
        "inactive": User.objects.create_user("inactive@example.org", is_active=False),
        "job": jobs.start_export(by=None),
        "movement": stock.movements.get(),
        "media": media.add_url(product, "https://example.org/1.jpg"),
        "offered": offered,
        "offered_variant": small,
        "product": product,
        "review": reviews.moderate(review, "approved"),
        "session": customers.open_session(
            owner,
            lifetime=timedelta(days=1),
            device=customers.Device(),
        ).session,
        "stock": stock,
        "shopper": User.objects.create_user("shopper@example.org"),
        "tax": tax_rates.create(country="DE", basis_points=1900),
        "variant": product.variants.get(),
        "voucher": vouchers.create(code="WELCOME10", kind="percent", basis_points=1000),
        "wish": wishlist.add(owner, large),
        "wished_variant": large,
    }
    sold = products.create(
        name="Jug", variants=[{"sku": "SOLD-1", "price": 900}], status="published"
    ).variants.get()
    inventory.open_stock([Stock(variant=sold, on_hand=20)])
    cart, cart_token, rate = _cart(sold)
    rows |= {"cart": cart, "cart_line": cart.lines.get(), "rate": rate, "sold": sold}
    rows["zone"] = rate.zone
    ids = {name: to_global_id(type(row).__name__, row.pk) for name, row in rows.items()}
    return SimpleNamespace(owner=owner, cart_token=cart_token, **ids)


def sold_to(user: User) -> dict[str, Any]:
    """An order that can go on in every way, all that belongs to it, and one not paid yet."""
    order = orders.place(user, {orders.variant(): 3})
    line = order.lines.get()
    parcel = aftersales.fulfil(order, {line.pk: 2}, by=user)
    returned = aftersales.return_(order, {line.pk: Back(1)}, by=user)
    refund = aftersales.refund(order, Wanted(lines={line.pk: 1}), by=user)
    payment = order.payments.get()
    promised = orders.place(user, {orders.variant(): 2}, state=PaymentState.AUTHORIZED)
    download = orders.variant(requires_shipping=False)
    content = digital_content.set_content(download, kind="text", content="KEY-0815")
    delivered = orders.place(user, {download: 1}, shipping=0)
    return {
        "delivered": delivered,
        "delivered_line": delivered.lines.get(),
        "digital_content": content,
        "download": download,
        "dispute": sold.dispute(payment),
        "event": order.events.order_by("pk").first(),
        "fulfillment": parcel,
        "fulfillment_line": parcel.lines.get(),
        "mistaken": aftersales.fulfil(orders.place(user), by=user),
        "order": order,
        "order_line": line,
        "payment": payment,
        "promised": promised,
        "promised_line": promised.lines.get(),
        "refund": refund,
        "refund_line": refund.lines.get(),
        "return": returned,
        "return_line": returned.lines.get(),
    }


def _cart(variant: Variant) -> tuple[Cart, str | None, ShippingRate]:
    """A guest's cart that goes to Berlin, its token, and a rate that is offered for it."""
    zone = ShippingZone.objects.create(name="Germany")
    ZoneCountry.objects.create(zone=zone, country="DE")
    rate = ShippingRate.objects.create(zone=zone, name="Standard", price=500)
    cart, token = carts.create(AnonymousUser())
    carts.add(cart, [(variant.pk, 1)])
    carts.set_addresses(cart, shipping=BERLIN, billing=None)
    Voucher.objects.create(code="TENOFF", kind=VoucherKind.PERCENT, value=1000)
    return cart, token, rate
