"""Permissions and their descriptions, on a small schema."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from graphql import (
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from schema.engine.connections import NodeType
from schema.engine.errors import Forbidden, Unauthenticated
from schema.permissions import (
    ANYONE,
    SIGNED_IN,
    carries_credential,
    describe,
    make_refusable_nullable,
    permission_of,
    require,
    sentence,
)
from shop.models import User

OWN_ORDERS = "Everyone sees their own; all need the permission `shop.view_order`."


def test_anonymous_users_pass_only_what_is_open_to_anyone() -> None:
    require(AnonymousUser(), ANYONE)
    with pytest.raises(Unauthenticated):
        require(AnonymousUser(), SIGNED_IN)
    with pytest.raises(Unauthenticated):
        require(AnonymousUser(), "shop.change_brand")


@pytest.mark.django_db
def test_signed_in_users_pass_what_they_have_the_permission_for() -> None:
    user = User.objects.create_user("ann@example.org")
    user.user_permissions.set([Permission.objects.get(codename="change_brand")])
    for permission in (ANYONE, SIGNED_IN, "shop.change_brand"):
        require(user, permission)
    with pytest.raises(Forbidden) as refused:
        require(user, "shop.delete_brand")
    assert (refused.value.extensions or {})["permission"] == "shop.delete_brand"


@pytest.mark.parametrize(
    ("permission", "own_rows", "text"),
    [
        (ANYONE, False, "Open to anyone."),
        (SIGNED_IN, True, "Open to everyone who is signed in."),
        ("shop.view_order", True, OWN_ORDERS),
        ("shop.view_order", False, "Needs the permission `shop.view_order`."),
    ],
)
def test_each_permission_has_its_sentence(permission: str, own_rows: bool, text: str) -> None:
    assert sentence(permission, own_rows=own_rows) == text
    assert own_rows or sentence(permission) == text


def object_type(name: str, fields: Any, *bases: type, **declared: Any) -> Any:
    """An object type that Graphene has made of a class with the attributes `declared`."""
    found: Any = GraphQLObjectType(
        name,
        {key: GraphQLField(item, description=f"The {key}.") for key, item in fields.items()},
        description=f"A {name}.",
    )
    options = {"Meta": type("Meta", (), {"abstract": True})} if bases else {}
    found.graphene_type = type(name, bases, {**options, **declared})
    return found


def small_schema(query: dict[str, Any] | None = None, **roots: str) -> Any:
    """A schema with a public type, a private one, and one that everybody has rows of.

    Args:
        query: further fields of the query type.
        roots: permissions that fields of the query type declare themselves.
    """
    brand = object_type(
        "Brand",
        {"name": GraphQLString, "margin": GraphQLInt},
        NodeType,
        permission=ANYONE,
        field_permissions={"margin": "shop.view_stock"},
    )
    job = object_type("Job", {"state": GraphQLString}, NodeType, permission="shop.view_job")
    order = object_type(
        "Order",
        {"total": GraphQLInt, "risk": GraphQLInt},
        NodeType,
        permission="shop.view_order",
        own_rows=True,
        field_permissions={"risk": "shop.view_payment"},
    )
    edge = object_type("OrderEdge", {"node": order})
    orders = object_type("OrderConnection", {"edges": GraphQLList(edge)})
    fields = {
        "brand": GraphQLNonNull(brand),
        "job": GraphQLNonNull(job),
        "orders": GraphQLNonNull(orders),
        "total": GraphQLNonNull(GraphQLInt),
        "staffOrders": orders,
        **(query or {}),
    }
    declared = {"total": SIGNED_IN, "staffOrders": "shop.view_payment", **roots}
    return GraphQLSchema(object_type("Query", fields, field_permissions=declared))


def test_descriptions_of_types_and_fields_name_their_permissions() -> None:
    schema = small_schema()
    describe(schema)
    types = schema.type_map
    said = {name: types[name].description for name in ("Brand", "Job", "Order", "OrderEdge")}
    assert said == {
        "Brand": "A Brand. Open to anyone.",
        "Job": "A Job. Needs the permission `shop.view_job`.",
        "Order": f"A Order. {OWN_ORDERS}",
        "OrderEdge": "A OrderEdge.",
    }
    fields = {
        f"{name}.{key}": field.description
        for name in ("Brand", "Job", "Order", "OrderEdge", "Query")
        for key, field in types[name].fields.items()
    }
    assert fields == {
        "Brand.name": "The name.",
        "Brand.margin": "The margin. Needs the permission `shop.view_stock`.",
        "Job.state": "The state. Needs the permission `shop.view_job`.",
        "Order.total": f"The total. {OWN_ORDERS}",
        "Order.risk": "The risk. Needs the permission `shop.view_payment`.",
        "OrderEdge.node": "The node.",
        "Query.brand": "The brand. Open to anyone.",
        "Query.job": "The job. Needs the permission `shop.view_job`.",
        "Query.orders": f"The orders. {OWN_ORDERS}",
        "Query.total": "The total. Open to everyone who is signed in.",
        "Query.staffOrders": "The staffOrders. Needs the permission `shop.view_payment`.",
    }


def test_a_node_type_without_a_permission_is_an_error() -> None:
    secret = object_type("Secret", {"name": GraphQLString}, NodeType)
    with pytest.raises(TypeError, match=r"^Secret does not declare"):
        describe(small_schema({"secret": secret}, secret=ANYONE))


def test_a_root_field_without_a_permission_is_an_error() -> None:
    schema = small_schema({"count": GraphQLInt})
    with pytest.raises(TypeError, match=r"^Query\.count does not declare"):
        describe(schema)
    with pytest.raises(TypeError, match=r"^Query\.count does not declare"):
        make_refusable_nullable(schema)


def test_only_root_fields_that_need_a_permission_become_nullable() -> None:
    schema = small_schema()
    make_refusable_nullable(schema)
    types = {name: str(field.type) for name, field in schema.query_type.fields.items()}
    assert types == {
        "brand": "Brand!",
        "job": "Job",
        "orders": "OrderConnection",
        "total": "Int",
        "staffOrders": "OrderConnection",
    }


class _Resolver(SimpleNamespace):
    def mutate(self, *_: Any) -> None:
        """Stands for the resolver of a mutation class."""


def test_mutations_need_all_permissions_that_they_declare() -> None:
    plain = _Resolver(permission="shop.add_brand", further_permissions=())
    several = _Resolver(
        permission="shop.add_refund",
        further_permissions=("shop.change_order",),
        carries_credential=True,
    )
    fields = {
        "plain": GraphQLField(GraphQLInt, resolve=plain.mutate),
        "several": GraphQLField(GraphQLInt, resolve=several.mutate),
    }
    root = GraphQLObjectType("Mutation", fields)
    assert permission_of(root, "plain") == [("shop.add_brand", False)]
    assert permission_of(root, "several") == [
        ("shop.change_order", False),
        ("shop.add_refund", False),
    ]
    assert carries_credential(root, "several") is True
    assert carries_credential(root, "plain") is False
    assert carries_credential(root, "unknown") is False
    assert carries_credential(small_schema().query_type, "total") is False
