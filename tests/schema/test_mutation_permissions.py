"""Every mutation of the schema, called by everyone: who is let through, and nobody else writes.

Generated from the schema: a mutation without a sample input here fails the suite.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile

from schema.base import Mutation
from schema.permissions import ANYONE
from schema.root import schema
from shop.actions import jobs
from shop.actions.catalog import categories, media, products, taxonomy
from shop.actions.webhooks import endpoints
from shop.models import User

FIELDS = schema.graphql_schema.mutation_type.fields
OPEN = {"tokenAuth", "verifyToken", "refreshToken", "revokeToken"}
GUARDED = sorted(FIELDS.keys() - OPEN)

# One valid input for each mutation, given the shop that it is sent to.
SAMPLES: dict[str, Callable[[SimpleNamespace], dict[str, Any]]] = {
    "attributeCreate": lambda shop: {"name": "Colour", "values": ["Red"]},
    "attributeDelete": lambda shop: {"id": shop.attribute},
    "attributeUpdate": lambda shop: {"id": shop.attribute, "addValues": ["Wool"]},
    "attributeValueDelete": lambda shop: {"id": shop.value},
    "attributeValueUpdate": lambda shop: {"id": shop.value, "name": "Earthenware"},
    "brandCreate": lambda shop: {"name": "Another"},
    "brandDelete": lambda shop: {"id": shop.brand},
    "brandUpdate": lambda shop: {"id": shop.brand, "name": "Renamed"},
    "categoryCreate": lambda shop: {"name": "Another"},
    "categoryDelete": lambda shop: {"id": shop.category},
    "categoryUpdate": lambda shop: {"id": shop.category, "name": "Renamed"},
    "collectionCreate": lambda shop: {"name": "Another", "products": [shop.product]},
    "collectionDelete": lambda shop: {"id": shop.collection},
    "collectionUpdate": lambda shop: {"id": shop.collection, "products": [shop.product]},
    "exportProducts": lambda shop: {},
    "importProducts": lambda shop: {
        "file": SimpleUploadedFile("catalog.csv", b"Handle,Title\nladle,Ladle\n")
    },
    "jobCancel": lambda shop: {"id": shop.job},
    "mediaCreate": lambda shop: {"product": shop.product, "url": "https://example.org/2.jpg"},
    "mediaDelete": lambda shop: {"id": shop.media},
    "mediaUpdate": lambda shop: {"id": shop.media, "alt": "From behind"},
    "productCreate": lambda shop: {"name": "Another", "variants": [{"sku": "A-1"}]},
    "productDelete": lambda shop: {"id": shop.product},
    "productUpdate": lambda shop: {"id": shop.product, "name": "Renamed"},
    "userActivate": lambda shop: {"id": shop.inactive},
    "userCreate": lambda shop: {"email": "new@example.org"},
    "userDeactivate": lambda shop: {"id": shop.shopper},
    "userDelete": lambda shop: {"id": shop.shopper},
    "userUpdate": lambda shop: {"id": shop.shopper, "name": "Renamed"},
    "variantCreate": lambda shop: {
        "product": shop.product,
        "options": [{"name": "Size", "value": "L"}],
    },
    "variantDelete": lambda shop: {"id": shop.variant},
    "variantUpdate": lambda shop: {"id": shop.variant, "sku": "OTHER-1"},
    "webhookDeliveryReplay": lambda shop: {"id": shop.delivery},
    "webhookEndpointCreate": lambda shop: {"url": "https://2.example.org/", "topics": ["ALL"]},
    "webhookEndpointDelete": lambda shop: {"id": shop.endpoint},
    "webhookEndpointRotateSecret": lambda shop: {"id": shop.endpoint},
    "webhookEndpointTest": lambda shop: {"id": shop.endpoint},
    "webhookEndpointUpdate": lambda shop: {"id": shop.endpoint, "description": "For tea"},
}


def permission_of(mutation: str) -> str | None:
    return FIELDS[mutation].resolve.__self__.permission


@pytest.fixture
def shop(db: None, gid: Any) -> SimpleNamespace:
    """Global ids of one of everything."""
    product = products.create(name="Ladle", variants=[{"sku": "LADLE-1", "price": 1250}])
    attribute = taxonomy.create_attribute(name="Material", values=["Clay"])
    endpoint = endpoints.create(url="https://1.example.org/", topics=["*"], by=None)
    rows = {
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
        "shopper": User.objects.create_user("shopper@example.org"),
        "variant": product.variants.get(),
    }
    return SimpleNamespace(**{name: gid(row) for name, row in rows.items()})


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


def test_there_is_a_sample_input_for_every_guarded_mutation() -> None:
    assert sorted(SAMPLES) == GUARDED


@pytest.mark.parametrize("mutation", sorted(FIELDS))
def test_each_mutation_declares_who_may_call_it(mutation: str) -> None:
    mutation_class = FIELDS[mutation].resolve.__self__
    assert issubclass(mutation_class, Mutation)
    assert (mutation_class.permission == ANYONE) == (mutation in OPEN)


@pytest.mark.parametrize("mutation", GUARDED)
def test_description_names_the_permission(mutation: str) -> None:
    assert f"Needs the permission `{permission_of(mutation)}`." in FIELDS[mutation].description


@pytest.mark.parametrize("mutation", sorted(OPEN))
def test_description_of_an_open_mutation_says_so(mutation: str) -> None:
    assert "Open to anyone." in FIELDS[mutation].description


@pytest.mark.parametrize("mutation", GUARDED)
@pytest.mark.parametrize(
    ("caller", "code"),
    [("nobody", "UNAUTHENTICATED"), ("customer", "FORBIDDEN"), ("clerk", "FORBIDDEN")],
)
def test_refused_without_the_permission_and_nothing_is_written(
    caller: str, code: str, mutation: str, call: Any, dump: Any
) -> None:
    user = None
    if caller != "nobody":
        user = User.objects.create_user("someone@example.org", is_staff=caller == "clerk")
        # Every other permission of the shop does not help.
        wanted = permission_of(mutation).removeprefix("shop.")
        if caller == "clerk":
            user.user_permissions.set(Permission.objects.exclude(codename=wanted))
    before = dump()
    answer = call(mutation, user)
    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert answer["data"] == {mutation: None}
    assert dump() == before


@pytest.mark.parametrize("mutation", GUARDED)
def test_let_through_with_just_the_declared_permission(mutation: str, call: Any, dump: Any) -> None:
    app, _, codename = permission_of(mutation).partition(".")
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    clerk.user_permissions.add(
        Permission.objects.get(content_type__app_label=app, codename=codename)
    )
    before = dump()
    assert call(mutation, clerk) == {"data": {mutation: {"userErrors": []}}}
    assert dump() != before


def test_a_disabled_member_of_staff_is_refused(call: Any, dump: Any) -> None:
    user = User.objects.create_superuser("gone@example.org", is_active=False)
    before = dump()
    answer = call("productCreate", user)
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in answer
    assert dump() == before
