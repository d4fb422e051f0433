// urql without React: its document cache, its exchanges, its own way of sending files.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { cacheExchange, Client, fetchExchange, gql } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { bearer, DEVELOPMENT, picture, PRODUCTION, recorder, signIn, UPLOADS } from './shop.js';

const { token } = await signIn();

/** A client, and what it sends. */
function urql({ url = DEVELOPMENT, persisted, headers, ...options } = {}) {
  const { wire, fetch } = recorder();
  const exchanges = [cacheExchange, ...(persisted ? [persistedExchange(persisted)] : []), fetchExchange];
  const client = new Client({ url, fetch, exchanges, fetchOptions: { headers }, preferGetMethod: false, ...options });
  return { wire, client };
}

/** Method of each request, and whether it carried the document. */
const sent = (wire) => wire.map(({ method, json, params }) => [method, Boolean(json?.query ?? params.get('query'))]);

const SHOP = gql`query Shop { shop { name currency } }`;
const PAGE = gql`
  query Page($first: Int, $filter: ProductFilter) {
    products(first: $first, filter: $filter) { edges { node { id name minPrice { amount currency } } } totalCount }
  }
`;
const CREATE = gql`
  mutation Create($input: ProductCreateInput!) {
    productCreate(input: $input) { product { id name } userErrors { code message field } }
  }
`;

test('a query, answered from the cache the second time', async () => {
  const { client, wire } = urql();
  for (const _ of [1, 2]) {
    const { data, error } = await client.query(SHOP, {});
    assert.equal(error, undefined);
    assert.equal(data.shop.currency, 'USD');
  }
  assert.deepEqual(sent(wire), [['POST', true]]);
});

test('a query by GET, with variables', async () => {
  const { client, wire } = urql({ preferGetMethod: 'force' });
  const { data } = await client.query(PAGE, { first: 2, filter: { price: { min: '10.00' } } });
  assert.equal(data.products.edges.length, 2);
  assert(data.products.totalCount > 2);
  assert.deepEqual(sent(wire), [['GET', true]]);
});

test('with GET preferred, mutations still go by POST', async () => {
  const { client, wire } = urql({ preferGetMethod: 'force', headers: bearer(token) });
  const { data } = await client.mutation(CREATE, { input: { name: 'Made with urql' } });
  assert.equal(data.productCreate.product.name, 'Made with urql');
  assert.deepEqual(sent(wire), [['POST', true]]);
});

test('a change empties the cache of lists that show the type', async () => {
  const { client, wire } = urql({ headers: bearer(token) });
  const before = (await client.query(PAGE, { first: 1 })).data.products.totalCount;
  await client.mutation(CREATE, { input: { name: 'One more' } });
  const after = (await client.query(PAGE, { first: 1 })).data.products.totalCount;
  assert.equal(after, before + 1);
  assert.equal(wire.length, 3);
});

test('userErrors of a mutation arrive as data', async () => {
  const { client } = urql({ headers: bearer(token) });
  const input = { name: 'Mug', variants: [{ sku: 'MUG-2', price: '5.00', compareAt: '4.00' }] };
  const { data, error } = await client.mutation(CREATE, { input });
  assert.equal(error, undefined);
  assert.equal(data.productCreate.userErrors[0].code, 'COMPARE_AT_NOT_ABOVE_PRICE');
});

for (const preferGetMethod of [false, 'force']) {
  const how = preferGetMethod ? 'GET' : 'POST';
  test(`error codes by ${how}`, async () => {
    const anonymous = urql({ preferGetMethod });
    const impostor = urql({ preferGetMethod, headers: bearer('nonsense') });
    const expected = [
      [anonymous, PAGE, { first: 101 }, 'BAD_REQUEST', 200],
      [anonymous, gql`{ nothing }`, {}, 'VALIDATION_FAILED', 400],
      [impostor, SHOP, {}, 'UNAUTHENTICATED', 401],
    ];
    for (const [{ client }, query, variables, code, status] of expected) {
      const { error, data } = await client.query(query, variables);
      // A networkError would mean that urql could not read the answer as GraphQL.
      assert.equal(error.networkError, undefined);
      assert.deepEqual(error.graphQLErrors.map(({ extensions }) => extensions.code), [code]);
      assert.equal(error.response.status, status);
      assert(!data);
    }
  });
}

for (const [server, url] of Object.entries({ development: DEVELOPMENT, production: PRODUCTION })) {
  // urql registers by GET, too, as long as the address stays short.
  for (const [how, prefer] of [['POST', false], ['GET', 'within-url-limit']]) {
    test(`persisted queries by ${how}: registered once, then the hash alone (${server})`, async () => {
      const query = gql(`query Urql${how}($first: Int) {
        products(first: $first) { edges { node { id } } }
      }`);
      for (const expected of [[[how, false], [how, true]], [[how, false]]]) {
        const { client, wire } = urql({ url, persisted: { preferGetForPersistedQueries: prefer } });
        const { data, error } = await client.query(query, { first: 2 });
        assert.equal(error, undefined);
        assert.equal(data.products.edges.length, 2);
        assert.deepEqual(sent(wire), expected);
      }
    });
  }
}

test('a persisted mutation goes by POST', async () => {
  const mutation = gql(`mutation Urql($input: ProductCreateInput!) {
    productCreate(input: $input) { product { name } userErrors { code } }
  }`);
  for (const expected of [[['POST', false], ['POST', true]], [['POST', false]]]) {
    const { client, wire } = urql({ persisted: { enableForMutation: true }, headers: bearer(token) });
    const { data, error } = await client.mutation(mutation, { input: { name: 'Persisted' } });
    assert.equal(error, undefined);
    assert.equal(data.productCreate.product.name, 'Persisted');
    assert.deepEqual(sent(wire), expected);
  }
});

test('a file is uploaded and deleted', async () => {
  const { client } = urql({ headers: { ...bearer(token), ...UPLOADS } });
  const product = (await client.query(PAGE, { first: 1 })).data.products.edges[0].node.id;
  const file = picture(await readFile(new URL('../../shop/static/sample/waxed-wash-bag.webp', import.meta.url)));
  const upload = gql`mutation Upload($input: MediaCreateInput!) {
    mediaCreate(input: $input) { media { id } userErrors { code message } }
  }`;
  const { data, error } = await client.mutation(upload, { input: { product, file } });
  assert.equal(error, undefined);
  assert.deepEqual(data.mediaCreate.userErrors, []);
  // Files lie outside the throwaway database.
  const remove = gql`mutation Delete($input: MediaDeleteInput!) { mediaDelete(input: $input) { deletedId } }`;
  const { id } = data.mediaCreate.media;
  const removed = await client.mutation(remove, { input: { id } });
  assert.equal(removed.data.mediaDelete.deletedId, id);
});
