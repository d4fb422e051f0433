"""The schema: all queries and all mutations."""

from typing import ClassVar, cast

import graphene
from graphql import GraphQLScalarType

from schema import permissions
from schema.engine.nodes import NodeField, NodesField
from schema.engine.scalars import require_offsets
from schema.mutations.accounts import AccountsMutation
from schema.mutations.addresses import AddressesMutation
from schema.mutations.carts import CartsMutation
from schema.mutations.catalog.media import MediaMutation
from schema.mutations.catalog.products import ProductsMutation
from schema.mutations.catalog.taxonomy import TaxonomyMutation
from schema.mutations.checkout import CheckoutMutation
from schema.mutations.corrections import CorrectionsMutation
from schema.mutations.customers import CustomersMutation
from schema.mutations.digital import DigitalMutation
from schema.mutations.jobs import JobsMutation
from schema.mutations.orders import OrdersMutation
from schema.mutations.profiles import ProfilesMutation
from schema.mutations.promotions import PromotionsMutation
from schema.mutations.reordering import ReorderingMutation
from schema.mutations.reviews import ReviewsMutation
from schema.mutations.second_factor import SecondFactorMutation
from schema.mutations.shipping import ShippingMutation
from schema.mutations.stock import StockMutation
from schema.mutations.users import UsersMutation
from schema.mutations.webhooks import WebhooksMutation
from schema.payloads import PayloadExecutor
from schema.permissions import ANYONE
from schema.types.addresses import AddressesQuery
from schema.types.audit import AuditQuery
from schema.types.carts import CartsQuery
from schema.types.catalog.queries import CatalogQuery
from schema.types.customers import VIEW_USERS, CustomersQuery
from schema.types.jobs import JobsQuery
from schema.types.orders.queries import OrdersQuery
from schema.types.promotions import PromotionsQuery
from schema.types.reviews import ReviewsQuery
from schema.types.shipping import ShippingQuery
from schema.types.stock import StockQuery
from schema.types.webhooks import WebhooksQuery
from shop.actions.webhooks import payloads


class Query(
    AddressesQuery,
    AuditQuery,
    CartsQuery,
    CatalogQuery,
    CustomersQuery,
    JobsQuery,
    OrdersQuery,
    PromotionsQuery,
    ReviewsQuery,
    ShippingQuery,
    StockQuery,
    WebhooksQuery,
    graphene.ObjectType,
):
    """Everything that can be read."""

    # What an id leads to has a permission of its own; a list of users is for those who see all.
    field_permissions: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("node", "nodes"), ANYONE),
        **CartsQuery.field_permissions,
        **JobsQuery.field_permissions,
        **OrdersQuery.field_permissions,
        **ReviewsQuery.field_permissions,
        "users": VIEW_USERS,
    }

    node = NodeField()
    nodes = NodesField()


class Mutation(
    ProductsMutation,
    TaxonomyMutation,
    MediaMutation,
    CustomersMutation,
    ProfilesMutation,
    SecondFactorMutation,
    AddressesMutation,
    AccountsMutation,
    UsersMutation,
    JobsMutation,
    OrdersMutation,
    ReorderingMutation,
    CorrectionsMutation,
    PromotionsMutation,
    ReviewsMutation,
    ShippingMutation,
    DigitalMutation,
    StockMutation,
    WebhooksMutation,
    CartsMutation,
    CheckoutMutation,
    graphene.ObjectType,
):
    """Everything that can be changed. Each mutation is one transaction of its own."""


# Where the formats of scalars are specified (https://spec.graphql.org/draft/#sec--specifiedBy).
_SPECIFICATIONS = {
    "Decimal": "https://www.w3.org/TR/xmlschema11-2/#decimal",
    "Upload": "https://github.com/jaydenseric/graphql-multipart-request-spec",
}

schema = graphene.Schema(query=Query, mutation=Mutation)
permissions.make_refusable_nullable(schema.graphql_schema)
for _name, _url in _SPECIFICATIONS.items():
    # Graphene has no option for it.
    cast(GraphQLScalarType, schema.graphql_schema.type_map[_name]).specified_by_url = _url
require_offsets(cast(GraphQLScalarType, schema.graphql_schema.type_map["DateTime"]))
permissions.describe(schema.graphql_schema)
payloads.register_executor(PayloadExecutor(schema.graphql_schema))
