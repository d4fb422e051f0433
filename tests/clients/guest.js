// A guest with a cart of one published variant.
import assert from 'node:assert/strict';
import { ask } from './shop.js';

/** The token and the id of a new cart, and `add(quantity)`, which puts more of the variant in it. */
export async function guestCart() {
  const found = await ask({
    query: `{ products(first: 20, filter: { inStock: true }) { edges { node {
      variants(first: 5) { edges { node { id availability { quantity } } } }
    } } } }`,
  });
  const variants = found.data.products.edges.flatMap(({ node }) => node.variants.edges.map((edge) => edge.node));
  const { id: variant } = variants.find(({ availability }) => availability.quantity >= 3);
  const { data } = await ask({
    query: `mutation ($input: CartCreateInput!) {
      cartCreate(input: $input) { token cart { id } userErrors { code } }
    }`,
    variables: { input: { lines: [{ variant, quantity: 1 }] } },
  });
  const { token, cart, userErrors } = data.cartCreate;
  assert.deepEqual(userErrors, []);
  async function add(quantity) {
    // Without the argument: the header says which cart is meant.
    const { data } = await ask({
      query: `mutation ($input: CartLinesAddInput!) {
        cartLinesAdd(input: $input) { cart { quantity } userErrors { code } }
      }`,
      variables: { input: { lines: [{ variant, quantity }] } },
    }, { headers: { 'Cart-Token': token } });
    assert.deepEqual(data.cartLinesAdd.userErrors, []);
    return data.cartLinesAdd.cart.quantity;
  }
  return { token, id: cart.id, add };
}
