// How a shop's front end sells with Apollo Client: copy and adapt.
//
// - The cart's token is in `storage`; whoever is signed in needs none.
// - Mutations answer the cart, which Apollo's cache keeps by its id: every place that shows it follows.
// - A checkout has a key of its own for each attempt. When a reply is lost, the same key is sent again
//   and gets the same order: nobody pays twice. RETRY says that the first is still at it.
// - When the total has changed, nothing was charged: show the new one, and ask again.
import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { RetryLink } from '@apollo/client/link/retry';

const CART = gql`
  fragment CartParts on Cart {
    id
    version
    quantity
    lines { edges { node { id name quantity total { amount } } } }
    shipping { amount }
    total { amount currency }
    shippingOffers { rateId name price { amount } isChosen }
    notices { code message lineId }
  }
`;
const CREATE = gql`
  ${CART}
  mutation CartCreate($input: CartCreateInput!) {
    cartCreate(input: $input) { token cart { ...CartParts } userErrors { code message field } }
  }
`;
const ADD = gql`
  ${CART}
  mutation CartLinesAdd($input: CartLinesAddInput!) {
    cartLinesAdd(input: $input) { cart { ...CartParts } userErrors { code message field } }
  }
`;
const ADDRESS = gql`
  ${CART}
  mutation CartAddressesSet($input: CartAddressesSetInput!) {
    cartAddressesSet(input: $input) { cart { ...CartParts } userErrors { code message field } }
  }
`;
const CHECKOUT = gql`
  mutation CheckoutComplete($input: CheckoutCompleteInput!) {
    checkoutComplete(input: $input) {
      order { id number status paymentStatus total { amount currency } }
      token
      nextStep { clientSecret url }
      total { amount currency }
      userErrors { code message field }
    }
  }
`;

/** The seconds after which the server asks for the same request again; undefined when it does not. */
const retryAfter = (error) =>
  CombinedGraphQLErrors.is(error)
    ? error.errors.find((one) => one.extensions?.code === 'RETRY')?.extensions.retryAfter
    : undefined;

export function createShop({ uri, storage, fetch }) {
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: new RetryLink({
      delay: { initial: 200, jitter: true },
      // No answer came: sent again is only what may come twice without being done twice.
      attempts: (count, operation, error) =>
        count <= 10 && operation.variables.input?.idempotencyKey !== undefined && Boolean(error),
    }).concat(new HttpLink({ uri, fetch })),
  });

  async function run(mutation, input) {
    for (let tries = 0; ; tries += 1) {
      try {
        const { data } = await client.mutate({ mutation, variables: { input } });
        return Object.values(data)[0];
      } catch (error) {
        const seconds = retryAfter(error);
        if (seconds === undefined || tries === 20) throw error;
        await new Promise((wake) => setTimeout(wake, seconds * 1000));
      }
    }
  }
  const token = () => storage.getItem('cart') ?? undefined;

  return {
    client,
    /** Puts a variant in the cart; the first makes the cart. */
    async add(variant, quantity = 1) {
      const lines = [{ variant, quantity }];
      if (token()) return run(ADD, { cart: token(), lines });
      const payload = await run(CREATE, { lines, email: 'ann@example.org' });
      if (payload.token) storage.setItem('cart', payload.token);
      return payload;
    },
    sendTo: (shippingAddress) => run(ADDRESS, { cart: token(), shippingAddress }),
    /** One attempt to pay what the customer saw. */
    async pay(payment, { total, key = crypto.randomUUID() }) {
      const input = { cart: token(), payment, expectedTotal: total, idempotencyKey: key };
      const payload = await run(CHECKOUT, input);
      if (payload.order && payload.order.status !== 'PENDING') storage.removeItem('cart');
      return payload;
    },
  };
}
