"""What tests of every mutation may use: one of everything, and a sample call of each mutation."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from shop.actions import customers, jobs
from shop.actions.catalog import categories, media, products, taxonomy
from shop.actions.customers import addresses
from shop.actions.webhooks import endpoints
from shop.models import User
from tests.schema.samples import SAMPLES


@pytest.fixture
def shop(db: None, gid: Any) -> SimpleNamespace:
    """Global ids of one of everything."""
    product = products.create(name="Ladle", variants=[{"sku": "LADLE-1", "price": 1250}])
    attribute = taxonomy.create_attribute(name="Material", values=["Clay"])
    endpoint = endpoints.create(url="https://1.example.org/", topics=["*"], by=None)
    owner = User.objects.create_user("owner@example.org", "an owner password")
    place = {"line1": "Allee 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
    rows = {
        "address": addresses.create(owner, name="Ann Baker", **place),
        "attribute": attribute,
        "value": attribute.values.get(),
        "brand": taxonomy.create_brand(name="Ladlemoor"),
        "category": categories.create(name="Kitchen"),
        "collection": taxonomy.create_collection(name="Gifts"),
        "delivery": endpoints.send_test(endpoint),
        "endpoint": endpoint,
        "inactive": User.objects.create_user("inactive@example.org", is_active=False),
        "job": jobs.start_export(by=None),
        "media": media.add_url(product, "https://example.org/1.jpg"),
        "product": product,
        "session": customers.open_session(
            owner,
            lifetime=timedelta(days=1),
            device=customers.Device(),
        ).session,
        "shopper": User.objects.create_user("shopper@example.org"),
        "variant": product.variants.get(),
    }
    return SimpleNamespace(owner=owner, **{name: gid(row) for name, row in rows.items()})


@pytest.fixture
def call(
    api: Any, upload: Any, shop: SimpleNamespace
) -> Callable[[str, User | None], dict[str, Any]]:
    def send(mutation: str, user: User | None) -> dict[str, Any]:
        document = (
            f"mutation($input: {mutation[0].upper()}{mutation[1:]}Input!) "
            f"{{ {mutation}(input: $input) {{ userErrors {{ code field }} }} }}"
        )
        values = SAMPLES[mutation](shop)
        if file := values.get("file"):
            return upload(document, user, file, **values)
        return api(document, user, input=values)

    return send
