"""The schema: all queries and all mutations."""

import graphene

from schema.engine.nodes import NodeField, NodesField
from schema.mutations.catalog.media import MediaMutation
from schema.mutations.catalog.products import ProductsMutation
from schema.mutations.catalog.taxonomy import TaxonomyMutation
from schema.mutations.customers import CustomersMutation
from schema.types.catalog.queries import CatalogQuery
from schema.types.customers import CustomersQuery


class Query(CatalogQuery, CustomersQuery, graphene.ObjectType):
    """Everything that can be read."""

    node = NodeField()
    nodes = NodesField()


class Mutation(
    ProductsMutation, TaxonomyMutation, MediaMutation, CustomersMutation, graphene.ObjectType
):
    """Everything that can be changed. Each mutation is one transaction of its own."""


schema = graphene.Schema(query=Query, mutation=Mutation)
