"""Whoever may not see an object is answered as if there were none, wherever an id can be given.

Generated from the committed SDL: each argument and input field of type ID is given the id of
something that the caller may not see, and then an id that no row has. One without a call fails.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from graphql import (
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLList,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from graphql_jwt.shortcuts import get_token
from graphql_relay import from_global_id, to_global_id

from schema.engine.connections import NodeType
from schema.permissions import ANYONE, SIGNED_IN
from schema.root import schema
from shop.actions import audit, carts
from shop.actions.catalog import media, products
from shop.actions.shipping import shipping_rates, shipping_zones
from shop.models import AuditEntry, AuditSource, Job, JobKind, Review, User
from shop.models.catalog import VisibleToAll
from tests.kept import Kept
from tests.schema.one_of_everything import make_shop
from tests.schema.samples import SAMPLES, permission_of, permissions_needed

SDL = build_schema((Path(__file__).parents[3] / "schema" / "schema.graphql").read_text())


class Place(NamedTuple):
    """Where an id is given: the names of the inputs within each other, "0" for lists."""

    parent: str
    field: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.parent}.{self.field}({'.'.join(self.path)})"


def _ids(given: Any, path: tuple[str, ...], within: tuple[str, ...] = ()) -> Iterator[tuple]:
    """The paths to ids in the input type `given`."""
    given = get_nullable_type(given)
    if isinstance(given, GraphQLList):
        yield from _ids(given.of_type, (*path, "0"), within)
    elif given is GraphQLID:
        yield path
    elif isinstance(given, GraphQLInputObjectType) and given.name not in within:
        for name, field in given.fields.items():
            yield from _ids(field.type, (*path, name), (*within, given.name))


PLACES = [
    Place(type_name, name, path)
    for type_name, item in SDL.type_map.items()
    if not type_name.startswith("__") and not isinstance(item, GraphQLInputObjectType)
    for name, field in getattr(item, "fields", {}).items()
    for argument, definition in field.args.items()
    for path in _ids(definition.type, (argument,))
]
NODES = {
    name: item.graphene_type
    for name, item in schema.graphql_schema.type_map.items()
    if issubclass(getattr(item, "graphene_type", type), NodeType)
}
# Those who see any see all: there is nothing to hide among them.
OPEN_TO_ALL = {"Attribute", "AttributeValue", "Brand", "Category", "Collection"}
# Of what type the ids are, where neither the field's type nor a sample tells.
KINDS = {
    "attributeValues": "AttributeValue",
    "billingAddressId": "Address",
    "brand": "Brand",
    "category": "Category",
    "line": "CartLine",
    "lines": "CartLine",
    "image": "Media",
    "media": "Media",
    "order's line": "OrderLine",
    "parent": "Category",
    "product": "Product",
    "products": "Product",
    "shippingAddressId": "Address",
    "shippingRate": "ShippingRate",
    "variant": "Variant",
    "zone": "ShippingZone",
}
# What a token opens for anyone: what is hidden from them is in another cart.
OPENED = {"CartLine": "cart_line", "ShippingRate": "rate", "Variant": "sold"}
# Of these even staff name only their own.
OWN = {"Address", "Session", "WishlistItem"}
EVERY = sorted(NODES)
OF_QUERIES = {
    "node(id)": EVERY,
    "nodes(ids.0)": EVERY,
    "auditEntries(filter.actor.in.0)": ["User"],
    "auditEntries(filter.objectId)": EVERY,
}


def kinds_of(place: Place, shop: SimpleNamespace) -> list[str]:
    """The types of object that an id may be of there. Fails for places that nobody thought of."""
    if place.parent == "Query":
        known = OF_QUERIES.get(str(place).removeprefix("Query."))
        if known is None:
            assert place.path == ("id",), f"{place}: add it to OF_QUERIES"
            known = [get_named_type(SDL.query_type.fields[place.field].type).name]
    else:
        assert place.parent == "Mutation", f"{place}: there is no call for ids of nested fields"
        assert place.path[0] == "input"
        if place.path == ("input", "id"):
            known = [from_global_id(SAMPLES[place.field](shop)["id"])[0]]
        else:
            name = [name for name in place.path if name != "0"][-1]
            if place.field.startswith("order"):
                name = f"order's {name}"
            assert name in KINDS, f"{place}: add it to KINDS"
            known = [KINDS[name]]
    assert set(known) <= NODES.keys()
    return known


def gid(row: Any) -> str:
    return to_global_id(type(row).__name__, row.pk)


def make_all() -> SimpleNamespace:
    """One of everything, what is hidden of it, and the shop with a product that everyone sees."""
    shop = make_shop()
    User.objects.create_superuser("staff@example.org", "a staff password")
    return SimpleNamespace(shop=shop, hidden=make_hidden(shop), shown=make_shown(shop))


def make_hidden(shop: SimpleNamespace) -> dict[str, str]:
    with audit.acting(shop.owner, AuditSource.API, None):
        tray = products.update(products.create(name="Tray"), name="Trays")
    cart, _ = carts.create(shop.owner)
    line = cart.lines.create(variant=products.create(name="Pot").variants.create(), quantity=1)
    zone = shipping_zones.create(name="Far", countries=["KP"])
    hidden_rate = shipping_rates.create(zone, name="Once", price=900, is_active=False)
    return {
        "Address": shop.address,
        "Cart": gid(cart),
        "CartLine": gid(line),
        "AuditEntry": gid(AuditEntry.objects.latest("pk")),
        "DigitalContent": shop.digital_content,
        "Dispute": shop.dispute,
        "Fulfillment": shop.fulfillment,
        "FulfillmentLine": shop.fulfillment_line,
        "AutomaticDiscount": shop.discount,
        "Job": gid(Job.objects.create(kind=JobKind.EXPORT_ACCOUNT, created_by=shop.owner)),
        "Media": shop.media,
        "Order": shop.order,
        "OrderEvent": shop.event,
        "OrderLine": shop.order_line,
        "Payment": shop.payment,
        "Product": shop.product,
        "Refund": shop.refund,
        "RefundLine": shop.refund_line,
        "Return": getattr(shop, "return"),
        "ReturnLine": shop.return_line,
        "Review": gid(Review.objects.create(user=shop.owner, product=tray, rating=5)),
        "Session": shop.session,
        "ShippingRate": gid(hidden_rate),
        "ShippingZone": shop.zone,
        "TaxRate": shop.tax,
        "Stock": shop.stock,
        "StockMovement": shop.movement,
        "User": gid(shop.owner),
        "Variant": shop.variant,
        "Voucher": shop.voucher,
        "WebhookDelivery": shop.delivery,
        "WebhookEndpoint": shop.endpoint,
        "WishlistItem": shop.wish,
    }


def make_shown(shop: SimpleNamespace) -> SimpleNamespace:
    product = products.create(
        name="Mug", variants=[{"sku": "MUG-1", "price": 900}], status="published"
    )
    picture = media.add_url(product, "https://example.org/mug.jpg")
    seen = {"product": product, "variant": product.variants.get(), "media": picture}
    return SimpleNamespace(**vars(shop) | {name: gid(row) for name, row in seen.items()})


@pytest.fixture(scope="module")
def _kept_all(django_db_setup: None, django_db_blocker: Any) -> Kept:
    with django_db_blocker.unblock():
        return Kept("all", make_all)


@pytest.fixture
def everything(db: None, _kept_all: Kept) -> SimpleNamespace:
    return _kept_all.copied()


@pytest.fixture
def shop(everything: SimpleNamespace) -> SimpleNamespace:
    return everything.shop


@pytest.fixture
def hidden(everything: SimpleNamespace) -> dict[str, str]:
    """One object that customers do not see, of each type that is not public."""
    return everything.hidden


@pytest.fixture
def shown(everything: SimpleNamespace) -> SimpleNamespace:
    """The shop, but with a product that everyone sees."""
    return everything.shown


@pytest.fixture
def staff(everything: SimpleNamespace) -> User:
    return User.objects.get(email="staff@example.org")


@pytest.fixture
def ask(client: Client, shown: SimpleNamespace) -> Callable[..., tuple[int, dict[str, Any]]]:
    """`ask(place, id, user)`: the status and the answer."""

    def send(place: Place, given: str, user: User | None) -> tuple[int, dict[str, Any]]:
        values = {"input": SAMPLES[place.field](shown)} if place.parent == "Mutation" else {}
        headers = {"Authorization": f"Bearer {get_token(user)}"} if user else {}
        response = client.post(
            "/graphql/",
            {"query": _document(place), "variables": _with(values, place.path, given)},
            content_type="application/json",
            headers=headers,
        )
        return response.status_code, response.json()

    return send


def _with(values: Any, path: tuple[str, ...], given: str) -> Any:
    """`values` with an id at the end of `path`."""
    if not path:
        return given
    if path[0] == "0":
        return [_with(values[0] if values else {}, path[1:], given)]
    # An address is given, or else its id.
    values.pop(path[0].removesuffix("Id"), None) if path[0].endswith("AddressId") else None
    return {**values, path[0]: _with(values.get(path[0], {}), path[1:], given)}


def _document(place: Place) -> str:
    """The field with the one argument, and all that can be told of what it answers."""
    root = SDL.type_map[place.parent]
    field = root.fields[place.field]
    argument = place.path[0]
    operation = "mutation" if place.parent == "Mutation" else "query"
    return (
        f"{operation}($given: {field.args[argument].type}) "
        f"{{ {place.field}({argument}: $given) {{ {_selection(field)} }} }}"
    ).replace("$given", f"${argument}")


def _selection(field: Any) -> str:
    fields = getattr(get_named_type(field.type), "fields", {})
    if "edges" in fields:
        return "totalCount edges { node { id } }"
    if "userErrors" not in fields:
        return "__typename id"
    told = ["userErrors { code message field }"]
    for name, item in fields.items():
        if name != "userErrors":
            leaf = is_leaf_type(get_named_type(item.type))
            told.append(name if leaf else f"{name} {{ __typename id }}")
    return " ".join(told)


def same_but_for_ids(answers: list[tuple[int, dict[str, Any]]], ids: list[str]) -> bool:
    one, other = (
        json.dumps(answer).replace(given, "<id>")
        for answer, given in zip(answers, ids, strict=True)
    )
    return one == other


def holder(*permissions: str, is_staff: bool) -> User:
    """Someone with these permissions and no other."""
    name = "clerk" if is_staff else "helper"
    user = User.objects.create_user(f"{name}@holder.example", is_staff=is_staff)
    for permission in permissions:
        app, _, codename = permission.partition(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return user


def needed(place: Place) -> set[str]:
    """All that the field asks for before it looks at what it was given."""
    return permissions_needed(place.field) if place.parent == "Mutation" else {declared(place)}


def declared(place: Place) -> str:
    """The permission that the field asks for before it looks at what it was given."""
    if place.parent == "Mutation":
        return permission_of(place.field) or ""
    query = schema.graphql_schema.query_type
    if place.parent != "Query" or place.field in query.graphene_type.field_permissions:
        return query.graphene_type.field_permissions.get(place.field, ANYONE)
    returned = get_named_type(query.fields[place.field].type)
    if "edges" in getattr(returned, "fields", {}):
        returned = get_named_type(get_named_type(returned.fields["edges"].type).fields["node"].type)
    node_type = NODES.get(returned.name)
    # Of own rows, and of what is open to shoppers, everyone may ask.
    if node_type is None or getattr(node_type, "own_rows", False):
        return ANYONE
    return node_type.permission


def test_there_is_something_to_hide_of_every_type(hidden: dict[str, str]) -> None:
    assert hidden.keys() | OPEN_TO_ALL == NODES.keys()
    for name in OPEN_TO_ALL:
        assert isinstance(NODES[name]._meta.model.objects.all(), VisibleToAll)
        assert NODES[name].permission == ANYONE


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_customers_are_told_the_same_of_what_is_not_theirs_and_of_what_is_not(
    place: Place, shop: SimpleNamespace, hidden: Any, ask: Any, unknown: Any, dump: Any
) -> None:
    other = User.objects.create_user("zoe@example.org", "another password")
    for kind in kinds_of(place, shop):
        if kind in OPEN_TO_ALL and declared(place) == ANYONE:
            continue
        ids = [hidden.get(kind) or getattr(shop, _snake(kind)), unknown(kind)]
        for user in (other, None):
            before = dump()
            answers = [ask(place, given, user) for given in ids]
            assert dump() == before
            assert same_but_for_ids(answers, ids), f"{kind}: {answers}"
            _assert_refused(place, answers[0], user)


def _snake(kind: str) -> str:
    return {"AttributeValue": "value"}.get(kind, kind.lower())


def _assert_refused(place: Place, answer: tuple[int, dict[str, Any]], user: User | None) -> None:
    """That the answer is about who may do what, not about how the call was made."""
    status, body = answer
    assert status == 200
    wanted = declared(place)
    refused = wanted not in (ANYONE, SIGNED_IN) if user else wanted != ANYONE
    codes = [error["extensions"]["code"] for error in body.get("errors", [])]
    if refused:
        assert codes == ["FORBIDDEN" if user else "UNAUTHENTICATED"]
    elif place.parent == "Mutation":
        _assert_not_found(place, body)
    else:
        # A job's field asks strangers to sign in before anything else.
        assert codes == [] or (codes == ["UNAUTHENTICATED"] and not user)
        assert body["data"][place.field] in (None, [None])


def _assert_not_found(place: Place, body: dict[str, Any]) -> None:
    assert "errors" not in body, body
    payload = body["data"][place.field]
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("NOT_FOUND", list(place.path[1:]))


NEEDING = [place for place in PLACES if declared(place) not in (ANYONE, SIGNED_IN)]


@pytest.mark.parametrize("is_staff", [True, False], ids=["staff", "no staff"])
@pytest.mark.parametrize("place", NEEDING, ids=str)
def test_holders_of_just_the_permission_are_told_no_more_than_it_covers(
    place: Place,
    is_staff: bool,
    shop: SimpleNamespace,
    hidden: Any,
    ask: Any,
    unknown: Any,
    api: Any,
) -> None:
    """Not even those who may call something learn of what they may not see.

    Except of what the permission itself is about: to change users is to get at any of them. The
    answer shows nothing of them even then.
    """
    user = holder(*needed(place), is_staff=is_staff)
    for kind in kinds_of(place, shop):
        node = "query($id: ID!) { node(id: $id) { id } }"
        if kind in OPEN_TO_ALL or api(node, user, id=hidden[kind])["data"]["node"]:
            continue  # They see it.
        ids = [unknown(kind), hidden[kind]]
        answers = [ask(place, given, user) for given in ids]
        if _covers(declared(place), kind):
            assert place.parent == "Mutation"
            _assert_not_found(place, answers[0][1])
            _assert_done_and_nothing_shown(place, answers[1][1])
        else:
            assert same_but_for_ids(answers, ids), f"{kind}: {answers}"
            if place.parent == "Mutation":
                _assert_not_found(place, answers[1][1])


def _covers(permission: str, kind: str) -> bool:
    """Whether a permission is about this type of private object."""
    model = permission.rpartition("_")[2]
    if model in ("order", "orderevent", "refund", "return"):
        # Changes of an order change its lines and parcels, too.
        return kind in ("Order", "OrderLine", "Fulfillment")
    return NODES[kind].permission != ANYONE and model == kind.lower()


def _assert_done_and_nothing_shown(place: Place, body: dict[str, Any]) -> None:
    assert "errors" not in body, body
    payload = body["data"][place.field]
    for name, item in SDL.mutation_type.fields[place.field].type.fields.items():
        if get_named_type(item.type).name in NODES:
            assert payload[name] is None, name


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_who_may_see_it_is_told_of_it(
    place: Place,
    shop: SimpleNamespace,
    shown: SimpleNamespace,
    hidden: Any,
    ask: Any,
    unknown: Any,
    staff: User,
) -> None:
    """The calls above are good ones: for others they make a difference."""
    for kind in kinds_of(place, shop):
        existing = hidden.get(kind) or getattr(shop, _snake(kind))
        if kind in OPENED and place.field.startswith("cart"):
            existing = getattr(shop, OPENED[kind])
        if kind == "OrderLine" and place.field == "orderLinesCancel":
            # The order that is not paid yet.
            existing = shop.promised_line
        if kind == "OrderLine" and place.field == "orderDeliveryRevoke":
            # The order that was delivered.
            existing = shop.delivered_line
        user = staff
        if declared(place) == SIGNED_IN or (kind in OWN and declared(place) == ANYONE):
            user = User.objects.get(pk=shop.owner.pk)
        if declared(place) == SIGNED_IN and kind in ("Product", "Variant"):
            # What is for customers is about what is on sale.
            existing = getattr(shown, kind.lower())
        if place.path[-1] == "objectId":
            # What was done to it; only this one has an entry.
            name, key = from_global_id(existing)
            AuditEntry.objects.create(action="x", object_type=name, object_id=key, source="api")
        ids = [unknown(kind), existing]
        answers = [ask(place, given, user) for given in ids]
        assert not same_but_for_ids(answers, ids), f"{kind}: {answers}"
        assert "errors" not in answers[1][1], answers
