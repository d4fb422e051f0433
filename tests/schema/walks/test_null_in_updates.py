"""Null for every nullable input of every mutation that changes something.

Generated from the schema. Null either clears the field, or is REQUIRED and nothing is written; it
changes no other field.
"""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from graphql_relay import from_global_id

from shop.actions.customers import address_rules
from shop.models import Order, User
from tests.schema.samples import FIELDS

CHANGES = sorted(name for name in FIELDS if name.endswith(("Update", "Set")))
# They name the object, or are no field of it.
CONTROL = {"id", "variant", "cart", "version", "idempotencyKey", "clientMutationId"}
PLACE = {
    "name": "Ana Souza",
    "company": "Ladlemoor",
    "line1": "Avenida Paulista 1000",
    "line2": "Sala 2",
    "district": "Bela Vista",
    "city": "São Paulo",
    "region": "SP",
    "postalCode": "01310-100",
    "country": "BR",
    "phone": "+551130000000",
}


def _to_brazil(order: str) -> str:
    """An order that goes to where addresses have all parts: another country changes its total."""
    address = dict.fromkeys(address_rules.TEXTS, "") | {"country": "BR", "region": "SP"}
    Order.objects.filter(pk=from_global_id(order).id).update(shipping_address=address)
    return order


NAMED = {"name": "Named", "slug": "named", "description": "<p>About it</p>"}
TERMS = {
    "minimumSubtotal": "20.00",
    "startsAt": "2026-01-01T00:00:00Z",
    "endsAt": "2030-01-01T00:00:00Z",
    "isActive": True,
}
# A value for every nullable input field of each mutation, other than the cleared one.
FULL: dict[str, Callable[[SimpleNamespace], dict[str, Any]]] = {
    "addressUpdate": lambda shop: {
        "id": shop.address,
        **PLACE,
        "setDefaultShipping": True,
        "setDefaultBilling": True,
    },
    "attributeUpdate": lambda shop: {
        "id": shop.attribute,
        "releaseSlugs": [],
        "name": "Fabric",
        "slug": "fabric",
        "filterable": True,
        "addValues": ["Wool"],
    },
    "attributeValueUpdate": lambda shop: {"id": shop.value, "name": "Earthenware"},
    "automaticDiscountUpdate": lambda shop: {
        "id": shop.discount,
        "name": "Autumn",
        "basisPoints": 700,
        **TERMS,
    },
    "brandUpdate": lambda shop: {"id": shop.brand, **NAMED, "releaseSlugs": []},
    "cartAddressesSet": lambda shop: {
        "cart": shop.cart_token,
        "shippingAddress": PLACE,
        "billingAddress": PLACE,
    },
    "cartEmailSet": lambda shop: {"cart": shop.cart_token, "email": "ann@example.org"},
    "cartReminderSet": lambda shop: {"cart": shop.cart_token, "wanted": True},
    "cartShippingSet": lambda shop: {"cart": shop.cart_token, "shippingRate": shop.rate},
    "categoryUpdate": lambda shop: {
        "id": shop.category,
        "releaseSlugs": [],
        **NAMED,
        "position": 7,
        "parent": shop.parent,
    },
    "collectionUpdate": lambda shop: {
        "id": shop.collection,
        "releaseSlugs": [],
        **NAMED,
        "products": [shop.product],
    },
    "mediaUpdate": lambda shop: {"id": shop.media, "alt": "From behind", "position": 1},
    "productUpdate": lambda shop: {
        "id": shop.product,
        "releaseSlugs": [],
        **NAMED,
        "category": shop.category,
        "brand": shop.brand,
        "attributeValues": [shop.value],
        "status": "PUBLISHED",
        "taxCategory": "books",
        "seoTitle": "Ladles",
        "seoDescription": "All ladles",
    },
    "orderUpdate": lambda shop: {
        "id": _to_brazil(shop.promised),
        "email": "right@example.org",
        "shippingAddress": PLACE,
        "billingAddress": {**PLACE, "line1": "Rua Augusta 1"},
    },
    "profileUpdate": lambda shop: {"name": "Ann Ladle"},
    "shippingRateUpdate": lambda shop: {
        "id": shop.rate,
        "name": "Express",
        "amount": "6.00",
        "description": "Takes a day",
        "minWeight": 10,
        "maxWeight": 100,
        "minTotal": "1.00",
        "maxTotal": "100.00",
        "position": 3,
        "isActive": True,
    },
    "shippingZoneUpdate": lambda shop: {"id": shop.zone, "name": "Far", "countries": ["JP"]},
    "stockUpdate": lambda shop: {"variant": shop.variant, "backorder": True, "lowAt": 2},
    "taxRateUpdate": lambda shop: {
        "id": shop.tax,
        "country": "US",
        "region": "NY",
        "taxCategory": "books",
        "basisPoints": 700,
        "name": "Sales tax",
    },
    "fulfillmentUpdate": lambda shop: {
        "id": shop.fulfillment,
        "carrier": "Post",
        "trackingNumber": "1Z",
        "trackingUrl": "https://post.example/1Z",
    },
    "userUpdate": lambda shop: {
        "id": shop.shopper,
        "email": "renamed@example.org",
        "name": "Renamed",
        "roles": ["SUPPORT"],
    },
    "variantUpdate": lambda shop: {
        "id": shop.variant,
        "sku": "LADLE-2",
        "options": [{"name": "Size", "value": "L"}],
        "price": "12.00",
        "compareAt": "15.00",
        "weightGrams": 900,
        "requiresShipping": False,
        "barcode": "4006381333931",
        "position": 4,
        "image": shop.media,
    },
    "voucherUpdate": lambda shop: {
        "id": shop.voucher,
        "code": "NEW",
        "kind": "PERCENT",
        "basisPoints": 700,
        "usageLimit": 10,
        "customerLimit": 2,
        **TERMS,
    },
    "webhookEndpointUpdate": lambda shop: {
        "id": shop.endpoint,
        "url": "https://2.example.org/",
        "topics": ["PRODUCT_CREATED"],
        "description": "For tea",
        "query": "{ shop { name } }",
        "isActive": True,
    },
}
# Alternatives of a field that the sample has; null for both has a test of its own.
ALTERNATIVES = {
    ("cartAddressesSet", "shippingAddressId"),
    ("cartAddressesSet", "billingAddressId"),
    ("voucherUpdate", "amount"),
}
# Commands: they change another field than one of their own name, and null tells them nothing.
COMMANDS = {
    ("addressUpdate", "setDefaultShipping"): ["REQUIRED"],
    ("addressUpdate", "setDefaultBilling"): ["REQUIRED"],
    ("attributeUpdate", "addValues"): [],
    **{
        (f"{name}Update", "releaseSlugs"): []
        for name in ("attribute", "brand", "category", "collection", "product")
    },
    # The cheapest rate is taken, which may be the same.
    ("cartShippingSet", "shippingRate"): [],
}
# Null has the value of another field in its place.
REPLACED = {("orderUpdate", ("billingAddress",)): "shippingAddress"}
EMPTY = (None, "", 0, [], "0.00")
# Null for the field changes these as well.
TIED = {
    ("variantUpdate", "options"): {"name"},
    ("variantUpdate", "price"): {"compareAt"},
}


def is_nullable(field: Any) -> bool:
    return not isinstance(field.type, GraphQLNonNull)


def nullable_paths(
    input_type: GraphQLInputObjectType, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Paths of the nullable fields of an input, nested ones too."""
    for name, field in input_type.fields.items():
        if not path and name in CONTROL:
            continue
        if is_nullable(field):
            yield (*path, name)
        inner = get_nullable_type(field.type)
        if isinstance(inner, GraphQLInputObjectType):
            yield from nullable_paths(inner, (*path, name))


def input_of(mutation: str) -> GraphQLInputObjectType:
    return get_named_type(FIELDS[mutation].args["input"].type)


PATHS = [(mutation, path) for mutation in CHANGES for path in nullable_paths(input_of(mutation))]


def selection(object_type: GraphQLObjectType, *, deep: bool = True) -> str:
    """Selects all that an object says of itself, and which objects it refers to."""
    found = []
    for name, field in object_type.fields.items():
        inner = get_named_type(field.type)
        if any(isinstance(arg.type, GraphQLNonNull) for arg in field.args.values()):
            continue
        if is_leaf_type(inner):
            found.append(name)
        elif not isinstance(inner, GraphQLObjectType) or not deep:
            continue
        elif "edges" in inner.fields:
            found.append(f"{name} {{ edges {{ node {{ id }} }} }}")
        elif "id" in inner.fields and not isinstance(get_nullable_type(field.type), GraphQLList):
            found.append(f"{name} {{ id }}")
        else:
            found.append(f"{name} {{ {selection(inner, deep=False)} }}")
    return " ".join(found)


def changed_object(mutation: str) -> str:
    """The payload field with what was changed."""
    payload = get_named_type(FIELDS[mutation].type)
    (name,) = payload.fields.keys() - {"userErrors", "clientMutationId"}
    return name


def read(answer: dict[str, Any], mutation: str) -> dict[str, Any]:
    assert "errors" not in answer, answer
    return answer["data"][mutation][changed_object(mutation)]


def plain(value: Any) -> Any:
    """A value as it compares: amounts without their currency, connections as lists of ids."""
    if isinstance(value, dict) and "amount" in value:
        return value["amount"]
    if isinstance(value, dict) and "edges" in value:
        return [edge["node"]["id"] for edge in value["edges"]]
    return value


@pytest.fixture
def send(api: Any, shop: SimpleNamespace) -> Callable[..., dict[str, Any]]:
    """`send(mutation, input)`: its answer to the owner, with all of the object."""
    User.objects.filter(email="owner@example.org").update(is_superuser=True, is_staff=True)
    user = User.objects.get(email="owner@example.org")

    def call(mutation: str, values: dict[str, Any]) -> dict[str, Any]:
        payload = get_named_type(FIELDS[mutation].type)
        name = changed_object(mutation)
        fields = selection(get_named_type(payload.fields[name].type))
        return api(
            f"mutation($input: {input_of(mutation).name}!) {{ {mutation}(input: $input) {{ "
            f"{name} {{ {fields} }} userErrors {{ code field }} }} }}",
            user,
            input=values,
        )

    return call


@pytest.fixture
def full(shop: SimpleNamespace, mutate: Any) -> SimpleNamespace:
    """The shop, with a category for the other to lie in."""
    parent = mutate("categoryCreate", "category { id }", name="House")["category"]["id"]
    return SimpleNamespace(**vars(shop), parent=parent)


def test_every_mutation_that_changes_something_has_a_value_for_every_field(
    full: SimpleNamespace,
) -> None:
    missing = [
        (mutation, path)
        for mutation, path in PATHS
        if (mutation, path[0]) not in ALTERNATIVES
        and not _has(FULL[mutation](full) if mutation in FULL else {}, path)
    ]
    assert missing == []


def _has(values: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        values = (values or {}).get(name)
    return values is not None


def _with_null(values: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    name, *rest = path
    return {**values, name: _with_null(values[name], tuple(rest)) if rest else None}


@pytest.mark.parametrize(
    ("mutation", "path"),
    [(mutation, path) for mutation, path in PATHS if (mutation, path[0]) not in ALTERNATIVES],
    ids=lambda value: value if isinstance(value, str) else ".".join(value),
)
def test_null_clears_a_field_or_is_required(
    mutation: str, path: tuple[str, ...], full: SimpleNamespace, send: Any, dump: Any
) -> None:
    given = FULL[mutation](full)
    before = read(send(mutation, given), mutation)
    named = {name: value for name, value in given.items() if name in CONTROL}
    nested = {path[0]: given[path[0]]} if len(path) > 1 else {}
    rows = dump()
    answer = send(mutation, _with_null(named | nested, path))
    errors = answer["data"][mutation]["userErrors"]
    if (mutation, path[0]) in COMMANDS:
        assert [error["code"] for error in errors] == COMMANDS[mutation, path[0]]
        return
    if errors:
        assert errors == [{"code": "REQUIRED", "field": list(path)}]
        assert dump() == rows
        return
    after = read(answer, mutation)
    assert _at(before, path) not in EMPTY
    if other := REPLACED.get((mutation, path)):
        assert _at(before, path) != after[other] == _at(after, path)
    else:
        assert _at(after, path) in EMPTY
    tied = {path[0], "updatedAt", "version", *TIED.get((mutation, path[0]), ())}
    assert {k: v for k, v in after.items() if k not in tied and k in given} == {
        k: v for k, v in before.items() if k not in tied and k in given
    }


def _at(found: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = found
    for name in path:
        value = plain(value[name])
    return value


@pytest.mark.parametrize(
    ("mutation", "name"), sorted({(mutation, path[0]) for mutation, path in PATHS})
)
def test_the_description_of_a_field_says_what_null_does(mutation: str, name: str) -> None:
    assert "null" in input_of(mutation).fields[name].description.lower()


def test_null_for_the_value_of_another_kind_changes_nothing(
    shop: SimpleNamespace, send: Any
) -> None:
    before = read(send("voucherUpdate", {"id": shop.voucher}), "voucherUpdate")
    after = read(send("voucherUpdate", {"id": shop.voucher, "amount": None}), "voucherUpdate")
    assert after == before


def test_a_cart_needs_a_shipping_address(shop: SimpleNamespace, send: Any, dump: Any) -> None:
    rows = dump()
    answer = send("cartAddressesSet", {"cart": shop.cart_token, "shippingAddressId": None})
    assert answer["data"]["cartAddressesSet"]["userErrors"] == [
        {"code": "REQUIRED", "field": ["shippingAddress"]}
    ]
    assert dump() == rows


def test_a_field_that_is_refused_is_reported_with_all_other_errors(
    shop: SimpleNamespace, send: Any, dump: Any
) -> None:
    rows = dump()
    answer = send(
        "productUpdate",
        {"id": shop.product, "name": None, "slug": "no slug", "status": None},
    )
    assert answer["data"]["productUpdate"]["userErrors"] == [
        {"code": "REQUIRED", "field": ["status"]},
        {"code": "REQUIRED", "field": ["name"]},
        {"code": "INVALID", "field": ["slug"]},
    ]
    assert dump() == rows
