// Buying with Apollo Client: the example in cart.js against the shop that `make run` serves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createShop } from './cart.js';
import { ask, DEVELOPMENT } from './shop.js';

const HOME = {
  name: 'Ann Baker', line1: '1 Main St', city: 'Springfield', region: 'IL', postalCode: '62704', country: 'US',
};
const DEMO = { provider: 'DEMO' };

function memory() {
  const items = new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => items.set(name, value),
    removeItem: (name) => items.delete(name),
  };
}

async function someVariants() {
  const query = `{ products(first: 20, orderBy: {field: PRICE}) { edges { node {
    variants(first: 1) { edges { node { id price { amount } availability { purchasable } } } } } } } }`;
  const { data } = await ask({ query });
  const found = data.products.edges.flatMap(({ node }) => node.variants.edges.map((edge) => edge.node));
  return found.filter(({ availability }) => availability.purchasable);
}

async function filled(options = {}) {
  const storage = memory();
  const shop = createShop({ uri: DEVELOPMENT, storage, fetch, ...options });
  const [one, other] = await someVariants();
  assert.deepEqual((await shop.add(one.id, 2)).userErrors, []);
  assert.equal((await shop.add(other.id)).cart.quantity, 3);
  const { cart, userErrors } = await shop.sendTo(HOME);
  assert.deepEqual(userErrors, []);
  return { ...shop, storage, cart, total: cart.total.amount };
}

test('from a product to a paid order', async () => {
  const { pay, cart, total, storage } = await filled();
  assert.equal(cart.lines.edges.length, 2);
  assert(cart.shippingOffers.some(({ isChosen }) => isChosen));
  const { order, token, userErrors } = await pay(DEMO, { total });
  assert.deepEqual(userErrors, []);
  assert.equal(order.status, 'CONFIRMED');
  assert.equal(order.total.amount, total);
  assert.equal(storage.getItem('cart'), null);
  const query = `query ($number: String!, $token: String!) {
    orderByToken(number: $number, token: $token) { paymentStatus lines { totalCount } }
  }`;
  const { data } = await ask({ query, variables: { number: order.number, token } });
  assert.deepEqual(data.orderByToken, { paymentStatus: 'PAID', lines: { totalCount: 2 } });
});

test('a reply that is lost is asked for again, and nobody pays twice', async () => {
  let lost = 0;
  const { pay, total } = await filled({
    async fetch(uri, options) {
      const answer = await fetch(uri, options);
      if (options.body.includes('CheckoutComplete') && lost < 2) {
        lost += 1;
        await answer.text();
        throw new TypeError('the connection was lost');
      }
      return answer;
    },
  });
  const { order } = await pay(DEMO, { total });
  assert.equal(lost, 2);
  assert.equal(order.status, 'CONFIRMED');
});

test('two impatient clicks are one order', async () => {
  const { pay, total } = await filled();
  const key = crypto.randomUUID();
  const [first, second] = await Promise.all([pay(DEMO, { total, key }), pay(DEMO, { total, key })]);
  assert.equal(first.order.number, second.order.number);
});

test('a total that has changed is told and not charged', async () => {
  const { pay, total } = await filled();
  const refused = await pay(DEMO, { total: '0.01' });
  assert.equal(refused.userErrors[0].code, 'TOTAL_CHANGED');
  assert.equal(refused.total.amount, total);
  assert.equal((await pay(DEMO, { total: refused.total.amount })).order.status, 'CONFIRMED');
});

test('a declined card leaves the cart as it was', async () => {
  const { pay, total } = await filled();
  const declined = await pay({ ...DEMO, method: 'declined' }, { total });
  assert.equal(declined.userErrors[0].code, 'PAYMENT_DECLINED');
  assert.equal((await pay(DEMO, { total })).order.status, 'CONFIRMED');
});
