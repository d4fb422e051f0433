// What the page of a guest's cart writes: a fragment that is refetched through `node(id)`.
import { graphql } from 'relay-runtime';

graphql`
  query GuestCartQuery {
    cart {
      ...GuestCart_cart
    }
  }
`;

graphql`
  fragment GuestCart_cart on Cart @refetchable(queryName: "GuestCartRefetchQuery") {
    quantity
    total {
      amount
    }
  }
`;
