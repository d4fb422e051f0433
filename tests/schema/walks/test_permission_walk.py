"""Who may read and do what, walked over the whole schema and tried with everyone there is.

Generated from the schema: what is expected follows from the permissions that types, fields and
mutations declare, so that a new one is tried as soon as it is there.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from graphql_relay import from_global_id

from schema.engine.connections import NodeType
from schema.permissions import ANYONE, SIGNED_IN
from schema.root import schema
from shop.actions import audit, carts
from shop.actions.catalog import taxonomy
from shop.actions.customers import Device, addresses, open_session, users
from shop.actions.customers.roles import PERMISSIONS, Role
from shop.models import AuditEntry, AuditSource, Job, JobKind, User, Variant
from tests.schema.samples import GUARDED, OWN, SAMPLES, WITH_CODES, permissions_needed

SCHEMA = schema.graphql_schema
SENTENCE = re.compile(
    r"(Open to anyone|Open to everyone who is signed in"
    r"|(Needs|Everyone sees their own; all need) the permission `[a-z_]+\.[a-z_]+`)\."
    # Mutations name the codes of their errors last.
    r"(\s+Errors: [A-Z_]+(, [A-Z_]+)*\.)?$"
)
OBJECTS = {
    name: item
    for name, item in SCHEMA.type_map.items()
    if isinstance(item, GraphQLObjectType) and not name.startswith("__")
}
ROOTS = {"Query", "Mutation"}
NODES = {
    name: item.graphene_type
    for name, item in OBJECTS.items()
    if issubclass(getattr(item, "graphene_type", type), NodeType)
}
PRIVATE = sorted(name for name, node in NODES.items() if node.permission != ANYONE)
# What nullable fields show of objects of another type takes that type's permission.
SHOWN_WITH = {
    ("AuditEntry", "actor"): "shop.view_user",
    ("AuditEntry", "difference"): "shop.view_brand",
    ("Job", "createdByEmail"): "shop.view_user",
    ("Order", "customer"): "shop.view_user",
    ("OrderEvent", "actor"): "shop.view_user",
    ("StockMovement", "actor"): "shop.view_user",
    ("StockMovement", "stock"): "shop.view_stock",
}


# --- Declared -------------------------------------------------------------------------------------


def reached(*, only_declared: bool) -> set[str]:
    """The object types that fields lead to, from the roots; or that declared fields lead to."""
    waiting, seen = [*ROOTS], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for field_name, field in OBJECTS[name].fields.items():
            if not only_declared or is_declared(name, field_name):
                waiting += [item.name for item in _possible(get_named_type(field.type))]
    return seen


def _possible(item: Any) -> Iterator[GraphQLObjectType]:
    if isinstance(item, GraphQLInterfaceType):
        yield from SCHEMA.get_possible_types(item)
    elif isinstance(item, GraphQLObjectType):
        yield item


def is_declared(type_name: str, field_name: str) -> bool:
    """Whether descriptions say who reads a field. Values are read with the field they come from."""
    item = OBJECTS[type_name]
    if type_name not in ROOTS | NODES.keys():
        return True
    said = item.fields[field_name].description or ""
    if SENTENCE.search(said):
        return True
    is_public = type_name in NODES and NODES[type_name].permission == ANYONE
    return is_public and (item.description or "").endswith("Open to anyone.")


def test_every_field_of_a_node_and_every_root_field_says_who_may_read_it() -> None:
    undeclared = [
        f"{name}.{field_name}"
        for name in sorted(ROOTS | NODES.keys())
        for field_name in OBJECTS[name].fields
        if not is_declared(name, field_name)
    ]
    assert undeclared == []


def test_nothing_is_reached_but_through_fields_that_say_so() -> None:
    assert reached(only_declared=True) == reached(only_declared=False) == OBJECTS.keys()


def test_everything_with_an_id_is_a_node_with_a_permission() -> None:
    for name in sorted(OBJECTS):
        names = [interface.name for interface in OBJECTS[name].interfaces]
        assert (names == ["Node"]) == (name in NODES), name
        assert name not in NODES or isinstance(NODES[name].permission, str)


def test_fields_with_a_permission_of_their_own_exist() -> None:
    for name, item in OBJECTS.items():
        declared = getattr(item.graphene_type, "field_permissions", {})
        assert declared.keys() <= item.fields.keys(), name


# --- Callers --------------------------------------------------------------------------------------


@pytest.fixture
def people(shop: SimpleNamespace, staff: User) -> dict[str, User | None]:
    """A stranger, the customer whose everything is, another one, and one of each role."""
    roles = {
        f"role {role.value}": users.create(by=staff, email=f"{role}@shop.example", roles=[role])
        for role in Role
    }
    other = User.objects.create_user("zoe@example.org", "another password")
    return {"stranger": None, "customer": shop.owner, "other customer": other, **roles}


def clerk_with(*permissions: str) -> User:
    user = User.objects.create_user("clerk@shop.example", is_staff=True)
    names = [permission.removeprefix("shop.") for permission in permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def private(shop: SimpleNamespace, staff: User, gid: Any) -> dict[str, str]:
    """The id of one of each private type; what can be someone's own is the customer's."""
    with audit.acting(staff, AuditSource.API, None):
        taxonomy.create_brand(name="Trays & Co.")
    job = Job.objects.create(kind=JobKind.EXPORT_ACCOUNT, created_by=shop.owner)
    cart, _ = carts.create(shop.owner)
    cart.lines.create(variant=Variant.objects.get(sku="SOLD-1"), quantity=2, seen_price=900)
    return {
        "Address": shop.address,
        "AuditEntry": gid(AuditEntry.objects.get()),
        "Cart": gid(cart),
        "CartLine": gid(cart.lines.get()),
        "DigitalContent": shop.digital_content,
        "Dispute": shop.dispute,
        "Fulfillment": shop.fulfillment,
        "FulfillmentLine": shop.fulfillment_line,
        "AutomaticDiscount": shop.discount,
        "Job": gid(job),
        "Order": shop.order,
        "OrderEvent": shop.event,
        "OrderLine": shop.order_line,
        "Payment": shop.payment,
        "Refund": shop.refund,
        "RefundLine": shop.refund_line,
        "Return": getattr(shop, "return"),
        "ReturnLine": shop.return_line,
        "Session": shop.session,
        "ShippingZone": shop.zone,
        "TaxRate": shop.tax,
        "Stock": shop.stock,
        "StockMovement": shop.movement,
        "User": gid(shop.owner),
        "Voucher": shop.voucher,
        "WebhookDelivery": shop.delivery,
        "WebhookEndpoint": shop.endpoint,
        "WishlistItem": shop.wish,
    }


def permissions_of(name: str, user: User | None) -> frozenset[str]:
    """What a caller holds: for roles what shop/actions/customers/roles.py says."""
    if name.startswith("role "):
        return PERMISSIONS[Role(name.removeprefix("role "))]
    return frozenset(user.get_all_permissions()) if user else frozenset()


def sees_row(kind: str, name: str, held: frozenset[str]) -> bool:
    """Whether a caller sees the sample of a private type, by what the type declares."""
    node = NODES[kind]
    is_own = node.permission == SIGNED_IN or getattr(node, "own_rows", False)
    return node.permission in held or (is_own and name == "customer")


def shows(kind: str, field: str, name: str, held: frozenset[str]) -> bool:
    """Whether a caller who sees the row sees what the field holds."""
    wanted = getattr(NODES[kind], "field_permissions", {}).get(field)
    wanted = wanted or SHOWN_WITH.get((kind, field))
    return wanted is None or wanted in held or name == "customer"


# --- Reading --------------------------------------------------------------------------------------


def test_there_is_a_sample_of_every_private_type(private: dict[str, str]) -> None:
    assert sorted(private) == PRIVATE
    assert SHOWN_WITH.keys() <= {(kind, name) for kind in PRIVATE for name in OBJECTS[kind].fields}


def selection(kind: str, name: str) -> str:
    field = OBJECTS[kind].fields[name]
    assert not [key for key, argument in field.args.items() if is_required_argument(argument)]
    return name if is_leaf_type(get_named_type(field.type)) else f"{name} {{ __typename }}"


@pytest.mark.parametrize("kind", PRIVATE)
def test_private_fields_answer_those_for_whom_they_are_declared(
    kind: str, private: dict[str, str], people: Any, api: Any, unknown: Any
) -> None:
    node = NODES[kind]
    if "." in node.permission:
        people["clerk"] = clerk_with(node.permission)
    # Whose it is sees all of it, else the superuser does.
    is_own = node.permission == SIGNED_IN or getattr(node, "own_rows", False)
    full = people["customer"] if is_own else User.objects.get(email="staff@example.org")
    seen = {name: sees_row(kind, name, permissions_of(name, u)) for name, u in people.items()}
    assert {*seen.values()} == {True, False}
    for field in OBJECTS[kind].fields:
        selected = f"... on {kind} {{ {selection(kind, field)} }}"
        document = f"query($id: ID!) {{ node(id: $id) {{ {selected} }} }}"
        expected = api(document, full, id=private[kind])["data"]["node"]
        for name, user in people.items():
            answer = api(document, user, id=private[kind])
            if not seen[name]:
                assert answer == {"data": {"node": None}}, (field, name)
                assert answer == api(document, user, id=unknown(kind)), (field, name)
            elif shows(kind, field, name, permissions_of(name, user)):
                assert answer == {"data": {"node": expected}}, (field, name)
            else:
                assert expected[field] is not None
                assert answer == {"data": {"node": {field: None}}}, (field, name)


def _returned(field: Any) -> tuple[str, bool]:
    """The name of the type that a root field is about, and whether it is a list of them."""
    named = get_named_type(field.type)
    edges = getattr(named, "fields", {}).get("edges")
    if edges is None:
        return named.name, False
    return get_named_type(get_named_type(edges.type).fields["node"].type).name, True


# What tokens open, their own tests show.
BY_TOKEN = {"cart", "orderByToken"}
ABOUT_PRIVATE = {
    name: _returned(field)
    for name, field in SCHEMA.query_type.fields.items()
    if _returned(field)[0] in PRIVATE and name not in BY_TOKEN
}


@pytest.mark.parametrize("root_field", sorted(ABOUT_PRIVATE))
def test_private_root_fields_answer_those_for_whom_they_are_declared(
    root_field: str, private: dict[str, str], people: Any, api: Any, unknown: Any
) -> None:
    kind, is_list = ABOUT_PRIVATE[root_field]
    own = SCHEMA.query_type.graphene_type.field_permissions.get(root_field)
    wanted = own or NODES[kind].permission
    # Where everyone may ask, what is not theirs is as if it were not.
    is_open = own is None and getattr(NODES[kind], "own_rows", False)
    takes_id = "id" in SCHEMA.query_type.fields[root_field].args
    for name, user in people.items():
        held = permissions_of(name, user)
        ask = _asking(api, root_field, user, is_list=is_list, takes_id=takes_id)
        answer = ask(private[kind])
        if not is_open and wanted not in held:
            _assert_refused(answer, user)
        elif is_list:
            assert "errors" not in answer, (name, answer)
            assert answer["data"][root_field]["totalCount"] > 0
            assert answer["data"][root_field]["edges"]
        elif sees_row(kind, name, held) or (not takes_id and user):
            found = private[kind] if takes_id else answer["data"][root_field]["id"]
            assert answer == {"data": {root_field: {"id": found}}}, name
        elif "errors" in answer:
            # It may ask strangers to sign in, whatever the id is.
            assert user is None
            _assert_refused(answer, user)
        else:
            assert answer == {"data": {root_field: None}}, name
        if takes_id and not sees_row(kind, name, held):
            assert answer == ask(unknown(kind)), name


def _asking(api: Any, root_field: str, user: User | None, *, is_list: bool, takes_id: bool) -> Any:
    chosen = "totalCount edges { node { id } }" if is_list else "id"

    def ask(global_id: str) -> dict[str, Any]:
        if not takes_id:
            return api(f"{{ {root_field} {{ {chosen} }} }}", user)
        document = f"query($id: ID!) {{ {root_field}(id: $id) {{ {chosen} }} }}"
        return api(document, user, id=global_id)

    return ask


def _assert_refused(answer: dict[str, Any], user: User | None) -> None:
    code = "FORBIDDEN" if user else "UNAUTHENTICATED"
    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert not any((answer["data"] or {}).values())


# --- Writing --------------------------------------------------------------------------------------


def unrecorded(dumped: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return dumped | {"shop.AuditEntry": []}


@contextmanager
def undone() -> Iterator[None]:
    """Leaves the shop as it was; to the shop it is no transaction, and mutations may have some."""
    atomic = transaction.atomic()
    atomic._from_testcase = True
    with atomic:
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("mutation", GUARDED)
def test_each_role_may_do_what_its_permissions_say(
    mutation: str, people: Any, call: Any, dump: Any
) -> None:
    wanted = permissions_needed(mutation)
    before = unrecorded(dump())
    for role in Role:
        user = people[f"role {role.value}"]
        with undone():
            answer = call(mutation, user)
            if wanted <= PERMISSIONS[role]:
                assert answer == {"data": {mutation: {"userErrors": []}}}, role
                assert unrecorded(dump()) != before, role
            else:
                _assert_refused(answer, user)
                assert unrecorded(dump()) == before, role


@pytest.mark.parametrize("mutation", GUARDED)
def test_other_people_may_not(mutation: str, people: Any, call: Any, dump: Any) -> None:
    before = dump()
    for name in ("stranger", "customer", "other customer"):
        _assert_refused(call(mutation, people[name]), people[name])
    assert dump() == before


@pytest.fixture
def visitor(customer: User) -> User:
    """Another customer, who has things too, and the password of the samples."""
    customer.set_password("an owner password")
    customer.save()
    place = {"line1": "Allee 9", "city": "Berlin", "postal_code": "10115", "country": "DE"}
    addresses.create(customer, name="Bob Butcher", **place)
    open_session(customer, lifetime=timedelta(days=1), device=Device())
    return customer


# A guest's cart is of whoever has its token, and becomes theirs.
TAKES_OVER = {"cartMerge"}


@pytest.mark.parametrize("mutation", sorted(OWN - TAKES_OVER))
def test_what_is_for_everyone_changes_nothing_of_anyone_else(
    mutation: str, shop: SimpleNamespace, visitor: User, call: Any, dump: Any, unknown: Any
) -> None:
    before = dump()
    answer = call(mutation, visitor)
    after = dump()
    own = {row["id"] for row in before["shop.Session"] if row["user_id"] == visitor.pk}
    for table, rows in before.items():
        key = "id" if table == "shop.User" else "user_id"
        others = [
            row for row in rows if row.get(key) != visitor.pk and row.get("session_id") not in own
        ]
        assert [row for row in others if row not in after[table]] == [], table
    given = SAMPLES[mutation](shop).get("id")
    if given is None:
        assert mutation in WITH_CODES or answer == {"data": {mutation: {"userErrors": []}}}
        return
    assert after == before
    kind = from_global_id(given)[0]
    setattr(shop, kind.lower(), unknown(kind))
    assert answer == call(mutation, visitor)
    assert answer["data"][mutation]["userErrors"] == [{"code": "NOT_FOUND", "field": ["id"]}]
