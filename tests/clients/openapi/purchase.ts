// Buys something over plain HTTP, with types made of the OpenAPI document: copy and adapt. Compiled under
// `strict` and run; each line with `@ts-expect-error` must be an error, every other line must not.
import createClient from 'openapi-fetch';
import type { components, paths } from './api';

type Schemas = components['schemas'];
type Money = Schemas['MoneyParts'];

/** What the customer sees in the end. */
export interface Receipt {
  number: string;
  status: Schemas['OrderStatus'];
  paid: Schemas['PaymentStatus'];
  total: Money;
  names: string[];
}

/** Whatever an operation answers but its data. */
class Refused extends Error {
  constructor(readonly status: number, answer: unknown) {
    super(`${status}: ${JSON.stringify(answer)}`);
  }
}

function ok<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Refused(answer.response.status, answer.error);
  return answer.data;
}

function there<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`There is no ${what}.`);
  return value;
}

export async function buy(baseUrl: string, address: Schemas['AddressInput']): Promise<Receipt> {
  const api = createClient<paths>({ baseUrl });

  // Browse: input objects are JSON in one parameter.
  const filter: Schemas['ProductFilter'] = { category: 'home-kitchen', inStock: true };
  const orderBy: Schemas['ProductOrder'] = { field: 'PRICE', direction: 'ASC' };
  const list = ok(
    await api.GET('/api/product-list', {
      params: { query: { filter: JSON.stringify(filter), orderBy: JSON.stringify(orderBy), first: 5 } },
    }),
  );
  const card = there(list.data.products.edges[0], 'product').node;
  const price: string | undefined = card.minPrice?.amount;

  const detail = ok(await api.GET('/api/product-detail', { params: { query: { slug: card.slug } } }));
  const variants = there(detail.data.product, 'product').variants.edges.map(({ node }) => node);
  const variant = there(
    variants.find(({ availability }) => availability.purchasable),
    `variant of ${card.name}, from ${price ?? 'nothing'} on,`,
  );

  // Fill a cart.
  const created = ok(
    await api.POST('/api/cart-create', {
      body: { email: 'ann@example.org', lines: [{ variant: variant.id, quantity: 1 }] },
    }),
  );
  const cart = there(created.data.cartCreate?.token, 'token of the cart');
  const sent = ok(await api.POST('/api/cart-addresses-set', { body: { cart, shippingAddress: address } }));
  const total = there(sent.data.cartAddressesSet?.cart, 'cart').total;

  // Pay, under a key: sent again after a lost answer, it is the same order.
  const params = { header: { 'Idempotency-Key': crypto.randomUUID() } };
  const body = { cart, payment: { provider: 'DEMO' }, expectedTotal: total.amount } as const;
  const first = ok(await api.POST('/api/checkout-complete', { params, body })).data.checkoutComplete;
  const again = ok(await api.POST('/api/checkout-complete', { params, body })).data.checkoutComplete;
  const order = there(first?.order, 'order');
  if (again?.order?.number !== order.number) throw new Error('There are two orders.');

  const found = ok(
    await api.POST('/api/order-by-token', {
      body: { number: order.number, token: there(first?.token, 'token of the order') },
    }),
  );
  const seen = there(found.data.orderByToken, 'order');
  return {
    number: seen.number,
    status: seen.status,
    paid: seen.paymentStatus,
    total: seen.total,
    names: seen.lines.edges.map(({ node }) => node.name),
  };
}

/** What an answer of 409 or 422 says: the codes of the user errors. */
export async function refused(baseUrl: string, code: string): Promise<Schemas['ErrorCode'][]> {
  const api = createClient<paths>({ baseUrl });
  const { data } = await api.POST('/api/cart-create', { body: {} });
  const cart = there(data?.data.cartCreate?.token, 'token');
  const answer = await api.POST('/api/cart-voucher-apply', { body: { cart, code } });
  // Of the errors of a request there are `errors`; user errors come with data.
  if (!answer.error || 'errors' in answer.error) return [];
  return there(answer.error.data.cartVoucherApply, 'payload').userErrors.map((error) => error.code);
}

/** Nothing in here runs. */
export async function mistakes(baseUrl: string): Promise<void> {
  const api = createClient<paths>({ baseUrl });
  // @ts-expect-error: there is no such operation.
  await api.GET('/api/product-lists');
  // @ts-expect-error: a query is not posted.
  await api.POST('/api/product-list', { body: {} });
  // @ts-expect-error: a page size is a number.
  await api.GET('/api/product-list', { params: { query: { first: 'many' } } });
  // @ts-expect-error: the text is required.
  await api.GET('/api/product-search');
  // @ts-expect-error: amounts are strings, never binary floats.
  await api.POST('/api/checkout-complete', { body: { payment: { provider: 'DEMO' }, expectedTotal: 12.5 } });
  // @ts-expect-error: there is no such provider.
  await api.POST('/api/checkout-complete', { body: { payment: { provider: 'CASH' }, expectedTotal: '1' } });
  // @ts-expect-error: there is no such field in the input.
  const input: Schemas['CartCreateInput'] = { colour: 'red' };
  const { data } = await api.GET('/api/product-detail', { params: { query: { slug: 'morning-mug' } } });
  // @ts-expect-error: there may be no such product.
  console.log(data?.data.product.name);
  // @ts-expect-error: the operation does not select it.
  console.log(data?.data.product?.position, input);
}
