// What a Relay application writes. Only compiled, never run.
import { graphql } from 'relay-runtime';

graphql`
  query ProductListQuery($category: String!, $filter: ProductFilter, $orderBy: ProductOrder) {
    ...ProductList_query @arguments(filter: $filter, orderBy: $orderBy)
    category(slug: $category) {
      ...ProductList_category
    }
  }
`;

graphql`
  fragment ProductList_query on Query
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
    filter: { type: "ProductFilter" }
    orderBy: { type: "ProductOrder" }
  )
  @refetchable(queryName: "ProductListPaginationQuery") {
    products(first: $count, after: $cursor, filter: $filter, orderBy: $orderBy)
      @connection(key: "ProductList_products", filters: ["filter", "orderBy"]) {
      edges {
        node {
          ...ProductList_product
        }
      }
      totalCount
    }
  }
`;

// Backward, below a node: refetched through `node(id)`.
graphql`
  fragment ProductList_category on Category
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "ProductListCategoryPaginationQuery") {
    name
    products(last: $count, before: $cursor) @connection(key: "ProductListCategory_products") {
      edges {
        node {
          ...ProductList_product
        }
      }
    }
  }
`;

graphql`
  fragment ProductList_product on Product @refetchable(queryName: "ProductListProductRefetchQuery") {
    name
    createdAt
    minPrice {
      amount
      currency
    }
    variants(first: 10) {
      edges {
        node {
          sku
        }
      }
    }
  }
`;

graphql`
  query ProductListNodesQuery($id: ID!, $ids: [ID!]!) {
    node(id: $id) {
      ...ProductList_product @alias
    }
    nodes(ids: $ids) {
      id
      ... on Category {
        name
      }
    }
  }
`;

// The store is updated by directives: the payloads have the shape that these need.
graphql`
  mutation ProductListCreateMutation($input: ProductCreateInput!, $connections: [ID!]!) {
    productCreate(input: $input) {
      product @appendNode(connections: $connections, edgeTypeName: "ProductEdge") {
        ...ProductList_product
      }
      userErrors {
        code
        message
        field
      }
    }
  }
`;

graphql`
  mutation ProductListDeleteMutation($input: ProductDeleteInput!, $connections: [ID!]!) {
    productDelete(input: $input) {
      deletedId @deleteEdge(connections: $connections) @deleteRecord
      userErrors {
        code
      }
    }
  }
`;

graphql`
  mutation ProductListUploadMutation($input: MediaCreateInput!) {
    mediaCreate(input: $input) {
      media {
        url(size: MEDIUM)
      }
    }
  }
`;
