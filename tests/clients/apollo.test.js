// Apollo Client 4 without React, as a single-page application sets it up.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { asapScheduler, filter, firstValueFrom, from, observeOn, switchMap } from 'rxjs';
import { guestCart } from './guest.js';
import { ask, bearer, browser, CREDENTIALS, DEVELOPMENT, picture, PRODUCTION, recorder, signIn, UPLOADS } from './shop.js';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const { token } = await signIn();

/** A client over `link`, or over plain HTTP with these options. */
function apollo(options = {}, link = new HttpLink({ uri: DEVELOPMENT, ...options })) {
  const products = relayStylePagination(['filter', 'orderBy']);
  const cache = new InMemoryCache({ typePolicies: { Query: { fields: { products } } } });
  return new ApolloClient({ cache, link });
}

const SHOP = gql`query Shop { shop { name currency } }`;
const PAGE = gql`
  query Page($first: Int, $after: String, $filter: ProductFilter) {
    products(first: $first, after: $after, filter: $filter, orderBy: { field: NAME, direction: ASC }) {
      edges { cursor node { id name } }
      pageInfo { hasNextPage endCursor startCursor hasPreviousPage }
    }
  }
`;
const CREATE = gql`
  mutation Create($input: ProductCreateInput!) {
    productCreate(input: $input) { product { id name } userErrors { code message field } }
  }
`;
const VIEWER = gql`query Viewer { viewer { id email } }`;

test('a query', async () => {
  const { wire, fetch } = recorder();
  const { data } = await apollo({ fetch }).query({ query: SHOP });
  assert.equal(data.shop.currency, 'USD');
  assert.deepEqual(wire.map(({ method, status }) => [method, status]), [['POST', 200]]);
});

test('a query by GET, with variables', async () => {
  const { wire, fetch } = recorder();
  const client = apollo({ fetch, useGETForQueries: true });
  const { data } = await client.query({ query: PAGE, variables: { first: 2, filter: { price: { min: '10.00' } } } });
  assert.equal(data.products.edges.length, 2);
  assert.deepEqual(wire.map(({ method, status }) => [method, status]), [['GET', 200]]);
});

test('with queries by GET, mutations still go by POST', async () => {
  const { wire, fetch } = recorder();
  const client = apollo({ fetch, useGETForQueries: true, headers: bearer(token) });
  const { data } = await client.mutate({ mutation: CREATE, variables: { input: { name: 'Sent by POST' } } });
  assert.equal(data.productCreate.product.name, 'Sent by POST');
  assert.deepEqual(wire.map(({ method }) => method), ['POST']);
});

test('client awareness, trace context and conditional requests pass the preflight of another origin', async () => {
  const { preflights, fetch } = browser(process.env.STOREFRONT);
  const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1',
    'sentry-trace': '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7', baggage: 'sentry-release=1' };
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    clientAwareness: { name: 'storefront', version: '1.2.3' },
    link: new HttpLink({ uri: DEVELOPMENT, fetch, headers: { ...bearer(token), ...trace } }),
  });
  assert.equal((await client.query({ query: SHOP })).data.shop.currency, 'USD');
  assert.deepEqual(preflights, [[
    'apollographql-client-name', 'apollographql-client-version', 'authorization', 'baggage', 'content-type',
    'sentry-trace', 'traceparent', 'tracestate',
  ]]);
  const url = `${DEVELOPMENT}?query=${encodeURIComponent('{ shop { name } }')}`;
  const first = await fetch(url);
  assert(first.readable('ETag'));
  const again = await fetch(url, { headers: { 'If-None-Match': first.headers.get('ETag') } });
  assert.equal(again.status, 304);
  const stranger = browser('https://elsewhere.example');
  await assert.rejects(stranger.fetch(url), /not allowed/);
});

test('an expired header does not stop a sign-in', async () => {
  const { data } = await apollo({ uri: PRODUCTION, headers: bearer('expired') }).mutate({
    mutation: gql`mutation In($input: TokenAuthInput!) { tokenAuth(input: $input) { user { email } userErrors { code } } }`,
    variables: { input: CREDENTIALS },
  });
  assert.equal(data.tokenAuth.user.email, CREDENTIALS.email);
});

test('userErrors of a mutation arrive as data', async () => {
  const client = apollo({ headers: bearer(token) });
  const { data, error } = await client.mutate({
    mutation: CREATE,
    variables: { input: { name: 'Mug', variants: [{ sku: 'MUG-1', price: '5.00', compareAt: '4.00' }] } },
  });
  assert.equal(error, undefined);
  assert.equal(data.productCreate.product, null);
  const [{ code, field }] = data.productCreate.userErrors;
  assert.equal(code, 'COMPARE_AT_NOT_ABOVE_PRICE');
  assert.equal(field.at(-1), 'compareAt');
});

/** What the error link sees, and what the caller gets, of a query that fails. */
async function failure(query, options) {
  const seen = [];
  const link = new ErrorLink(({ error }) => void seen.push(error));
  const client = apollo({}, ApolloLink.from([link, new HttpLink({ uri: DEVELOPMENT, ...options })]));
  const error = await client.query(query).then(() => assert.fail('no error'), (reason) => reason);
  assert(CombinedGraphQLErrors.is(error), `${error.name}: ${error.message}`);
  assert.deepEqual(seen, [error]);
  return error.errors.map(({ extensions, path }) => [extensions.code, path]);
}

for (const useGETForQueries of [false, true]) {
  const how = useGETForQueries ? 'GET' : 'POST';
  test(`BAD_REQUEST for a page that is too large, by ${how}`, async () => {
    const codes = await failure({ query: PAGE, variables: { first: 101 } }, { useGETForQueries });
    assert.deepEqual(codes, [['BAD_REQUEST', ['products']]]);
  });
  test(`VALIDATION_FAILED for an unknown field, by ${how}`, async () => {
    const codes = await failure({ query: gql`{ nothing }` }, { useGETForQueries });
    assert.deepEqual(codes, [['VALIDATION_FAILED', undefined]]);
  });
  test(`UNAUTHENTICATED for a bad token, by ${how}`, async () => {
    const codes = await failure({ query: SHOP }, { useGETForQueries, headers: bearer('nonsense') });
    assert.deepEqual(codes, [['UNAUTHENTICATED', undefined]]);
  });
}

test('BAD_REQUEST for a variable of the wrong type', async () => {
  assert.equal((await failure({ query: PAGE, variables: { first: 'many' } }))[0][0], 'BAD_REQUEST');
});

test('errorPolicy "all" keeps the data that is there', async () => {
  const query = gql`{ shop { name } viewer { id } node(id: "nonsense") { id } }`;
  const { data, error } = await apollo().query({ query, errorPolicy: 'all' });
  assert(data.shop.name);
  assert.equal(data.viewer, null);
  assert.equal(data.node, null);
  assert.deepEqual(error.errors.map(({ extensions, path }) => [extensions.code, path]), [['BAD_REQUEST', ['node']]]);
});

test('relayStylePagination merges two pages', async () => {
  const client = apollo();
  const query = client.watchQuery({ query: PAGE, variables: { first: 3 } });
  // As a screen does, look at what is shown: `fetchMore` itself returns before the pages are merged.
  const shown = (count) => firstValueFrom(
    query.pipe(filter(({ data }) => data?.products?.edges.length === count), observeOn(asapScheduler)),
  );
  const screen = query.subscribe(() => {});
  const { data: first } = await shown(3);
  await query.fetchMore({ variables: { after: first.products.pageInfo.endCursor } });
  const { products: merged } = (await shown(6)).data;
  screen.unsubscribe();
  const { data: whole } = await apollo().query({ query: PAGE, variables: { first: 6 } });
  assert.deepEqual(merged.edges, whole.products.edges);
  assert.equal(merged.pageInfo.endCursor, whole.products.pageInfo.endCursor);
  assert.equal(new Set(merged.edges.map(({ node }) => node.id)).size, 6);
});

test('objects are cached by type and id, also those from node(id)', async () => {
  const client = apollo();
  const { data } = await client.query({ query: PAGE, variables: { first: 1 } });
  const [{ node }] = data.products.edges;
  const query = gql`query Again($id: ID!) { node(id: $id) { id ... on Product { name status } } }`;
  const again = await client.query({ query, variables: { id: node.id } });
  assert.equal(again.data.node.__typename, 'Product');
  const cached = client.cache.extract()[`Product:${node.id}`];
  assert.deepEqual([cached.name, cached.status], [node.name, 'PUBLISHED']);
});

/** A client with automatic persisted queries, and what it sends. */
function persisting({ useGETForHashedQueries = false, headers, Link = HttpLink, uri = DEVELOPMENT } = {}) {
  const { wire, fetch } = recorder();
  const hashing = new PersistedQueryLink({ sha256, useGETForHashedQueries });
  return { wire, client: apollo({}, ApolloLink.from([hashing, new Link({ uri, fetch, headers })])) };
}

/** Whether each request of `wire` carried the document. */
const sent = (wire) => wire.map(({ method, json, params }) => [method, Boolean(json?.query ?? params.get('query'))]);

for (const [server, uri] of Object.entries({ development: DEVELOPMENT, production: PRODUCTION })) {
  test(`persisted queries by POST: registered once, then the hash alone (${server})`, async () => {
    const query = gql(`query ByPost { shop { name } }`);
    const one = persisting({ uri });
    assert((await one.client.query({ query })).data.shop.name);
    assert.deepEqual(sent(one.wire), [['POST', false], ['POST', true]]);
    const two = persisting({ uri });
    assert((await two.client.query({ query })).data.shop.name);
    assert.deepEqual(sent(two.wire), [['POST', false]]);
  });

  test(`persisted queries by GET: registered once, then the hash alone (${server})`, async () => {
    const query = gql(`query ByGet($first: Int) { products(first: $first) { edges { node { id } } } }`);
    const one = persisting({ uri, useGETForHashedQueries: true });
    const variables = { first: 2 };
    assert.equal((await one.client.query({ query, variables })).data.products.edges.length, 2);
    assert.deepEqual(sent(one.wire), [['GET', false], ['POST', true]]);
    const two = persisting({ uri, useGETForHashedQueries: true });
    assert.equal((await two.client.query({ query, variables })).data.products.edges.length, 2);
    assert.deepEqual(sent(two.wire), [['GET', false]]);
  });
}

test('a persisted mutation goes by POST, its hash alone suffices the second time', async () => {
  const mutation = gql(`mutation Persisted($input: ProductCreateInput!) {
    productCreate(input: $input) { product { name } userErrors { code } }
  }`);
  const variables = { input: { name: 'Persisted' } };
  for (const expected of [[['POST', false], ['POST', true]], [['POST', false]]]) {
    const { client, wire } = persisting({ useGETForHashedQueries: true, headers: bearer(token) });
    assert.equal((await client.mutate({ mutation, variables })).data.productCreate.product.name, 'Persisted');
    assert.deepEqual(sent(wire), expected);
  }
});

test('errors of a persisted query keep their code', async () => {
  const { client } = persisting({ useGETForHashedQueries: true });
  const error = await client.query({ query: PAGE, variables: { first: 101 } }).catch((reason) => reason);
  assert.equal(error.errors[0].extensions.code, 'BAD_REQUEST');
});

test('a bad token is told once the document is known', async () => {
  const query = gql(`query Refused { shop { name } }`);
  const { client, wire } = persisting({ headers: bearer('nonsense') });
  const error = await client.query({ query }).catch((reason) => reason);
  assert.equal(error.errors[0].extensions.code, 'UNAUTHENTICATED');
  assert.equal(wire.length, 2);
});

const persistedQuery = (query, more) => ({ persistedQuery: { version: 1, sha256Hash: sha256(query), ...more } });

test('an unknown hash has the message and the code that clients look for', async () => {
  const { errors } = await ask({ extensions: persistedQuery(`never sent `) });
  assert.equal(errors[0].message, 'PersistedQueryNotFound');
  assert.equal(errors[0].extensions.code, 'PERSISTED_QUERY_NOT_FOUND');
});

test('a document is not registered under another hash', async () => {
  const wanted = `query Wanted { shop { name } }`;
  const extensions = persistedQuery(wanted);
  const { errors } = await ask({ query: '{ shop { currency } }', extensions });
  assert.equal(errors[0].extensions.code, 'BAD_REQUEST');
  assert.equal((await ask({ extensions })).errors[0].extensions.code, 'PERSISTED_QUERY_NOT_FOUND');
});

test('another version of the protocol is refused', async () => {
  const query = `query Version { shop { name } }`;
  const { errors } = await ask({ query, extensions: persistedQuery(query, { version: 2 }) });
  assert.equal(errors[0].extensions.code, 'BAD_REQUEST');
});

test('a request without document and hash is told so', async () => {
  for (const extensions of [undefined, null, {}, { persistedQuery: null }]) {
    const { errors } = await ask({ extensions });
    assert.equal(errors[0].extensions.code, 'BAD_REQUEST', JSON.stringify(extensions));
  }
});

test('a persisted mutation is not run by GET', async () => {
  const query = `mutation ByGet { productCreate(input: { name: "By GET" }) { product { id } } }`;
  const extensions = persistedQuery(query);
  await ask({ query, extensions }, { headers: bearer(token) });
  const url = `${DEVELOPMENT}?extensions=${encodeURIComponent(JSON.stringify(extensions))}`;
  const answer = await fetch(url, { headers: bearer(token) });
  assert.equal(answer.status, 405);
  assert.equal((await answer.json()).data, undefined);
});

test('batch-http: arrays of up to five operations', async () => {
  const { wire, fetch } = recorder();
  const client = apollo({}, new BatchHttpLink({ uri: DEVELOPMENT, fetch, batchMax: 5, batchInterval: 20 }));
  const sizes = [1, 2, 3, 4, 5, 6, 7];
  const results = await Promise.all(sizes.map((first) => client.query({ query: PAGE, variables: { first } })));
  assert.deepEqual(results.map(({ data }) => data.products.edges.length), sizes);
  assert.deepEqual(wire.map(({ json }) => json.length), [5, 2]);
});

test('batch-http: one that fails leaves the others alone', async () => {
  const client = apollo({}, new BatchHttpLink({ uri: DEVELOPMENT }));
  const [good, bad] = await Promise.allSettled(
    [1, 101].map((first) => client.query({ query: PAGE, variables: { first } })),
  );
  assert.equal(good.value.data.products.edges.length, 1);
  assert.equal(bad.reason.errors[0].extensions.code, 'BAD_REQUEST');
});

test('batch-http: persisted queries in arrays', async () => {
  const queries = [1, 2, 3].map((first) => gql(`query InArray${first} {
    products(first: ${first}) { edges { node { id } } }
  }`));
  for (const expected of [[[false, false, false], [true, true, true]], [[false, false, false]]]) {
    const { client, wire } = persisting({ Link: BatchHttpLink });
    const results = await Promise.all(queries.map((query) => client.query({ query })));
    assert.deepEqual(results.map(({ data }) => data.products.edges.length), [1, 2, 3]);
    assert.deepEqual(wire.map(({ json }) => json.map(({ query }) => Boolean(query))), expected);
  }
});

test('a batch of six is refused with a code', async () => {
  const { errors } = await ask(Array(6).fill({ query: '{ shop { name } }' }));
  assert.equal(errors[0].extensions.code, 'BAD_REQUEST');
});

const SIGN_IN = gql`
  mutation SignIn($input: TokenAuthInput!) {
    tokenAuth(input: $input) { token expiresIn refreshToken userErrors { code message field } }
  }
`;
const REFRESH = gql`
  mutation Refresh($input: RefreshTokenInput!) {
    refreshToken(input: $input) { token refreshToken userErrors { code message field } }
  }
`;

test('sign in, change something, refresh the token', async () => {
  let session;
  const authorise = new SetContextLink(({ headers }) => ({
    headers: { ...headers, ...(session && bearer(session.token)) },
  }));
  const client = apollo({}, ApolloLink.from([authorise, new HttpLink({ uri: DEVELOPMENT })]));
  const viewer = async () => (await client.query({ query: VIEWER, fetchPolicy: 'network-only' })).data.viewer;

  assert.equal(await viewer(), null);
  session = (await client.mutate({ mutation: SIGN_IN, variables: { input: CREDENTIALS } })).data.tokenAuth;
  assert.deepEqual(session.userErrors, []);
  assert.equal((await viewer()).email, CREDENTIALS.email);
  const { data } = await client.mutate({ mutation: CREATE, variables: { input: { name: 'Signed in' } } });
  assert.equal(data.productCreate.product.name, 'Signed in');

  const before = session;
  const input = { refreshToken: session.refreshToken };
  session = (await client.mutate({ mutation: REFRESH, variables: { input } })).data.refreshToken;
  assert.deepEqual(session.userErrors, []);
  assert.notEqual(session.refreshToken, before.refreshToken);
  assert.equal((await viewer()).email, CREDENTIALS.email);
});

test('a wrong password is a userError', async () => {
  const input = { email: 'nobody@example.com', password: 'wrong' };
  const { data } = await apollo().mutate({ mutation: SIGN_IN, variables: { input } });
  assert.equal(data.tokenAuth.token, null);
  assert.equal(data.tokenAuth.userErrors[0].code, 'INVALID_CREDENTIALS');
});

test('an expired token is refreshed by the error link, and the query sent again', async () => {
  let session = await signIn(PRODUCTION);
  const codes = [];
  const http = new HttpLink({ uri: PRODUCTION });
  const refresh = async () => {
    const input = { refreshToken: session.refreshToken };
    // A client of its own, because this must go without the expired token.
    session = (await apollo({}, http).mutate({ mutation: REFRESH, variables: { input } })).data.refreshToken;
  };
  const renew = new ErrorLink(({ error, operation, forward }) => {
    codes.push(error.errors?.[0].extensions.code);
    if (codes.at(-1) === 'TOKEN_EXPIRED') return from(refresh()).pipe(switchMap(() => forward(operation)));
  });
  const authorise = new SetContextLink(() => ({ headers: bearer(session.token) }));
  const client = apollo({}, ApolloLink.from([renew, authorise, http]));
  await sleep(3_100);
  const { data } = await client.query({ query: VIEWER });
  assert.equal(data.viewer.email, CREDENTIALS.email);
  assert.deepEqual(codes, ['TOKEN_EXPIRED']);
});

const UPLOAD = gql`
  mutation Upload($input: MediaCreateInput!) {
    mediaCreate(input: $input) { media { id url(size: SMALL) width } userErrors { code message field } }
  }
`;
const BAG = new URL('../../shop/static/sample/waxed-wash-bag.webp', import.meta.url);

test('a file is uploaded, served and deleted', async () => {
  const client = apollo({}, new UploadHttpLink({ uri: DEVELOPMENT, headers: { ...bearer(token), ...UPLOADS } }));
  const { data: page } = await client.query({ query: PAGE, variables: { first: 1 } });
  const input = { product: page.products.edges[0].node.id, file: picture(await readFile(BAG)) };
  const { data } = await client.mutate({ mutation: UPLOAD, variables: { input } });
  assert.deepEqual(data.mediaCreate.userErrors, []);
  const { id, url } = data.mediaCreate.media;
  try {
    const answer = await fetch(new URL(url, DEVELOPMENT));
    assert.match(answer.headers.get('content-type'), /^image\//);
  } finally {
    // Files lie outside the throwaway database.
    const mutation = gql`mutation Delete($input: MediaDeleteInput!) { mediaDelete(input: $input) { deletedId } }`;
    const deleted = await client.mutate({ mutation, variables: { input: { id } } });
    assert.equal(deleted.data.mediaDelete.deletedId, id);
  }
});

test('a file is uploaded with a persisted mutation', async () => {
  const hashing = new PersistedQueryLink({ sha256 });
  const upload = new UploadHttpLink({ uri: DEVELOPMENT, headers: { ...bearer(token), ...UPLOADS } });
  const client = apollo({}, ApolloLink.from([hashing, upload]));
  const { data: page } = await client.query({ query: PAGE, variables: { first: 1 } });
  const input = { product: page.products.edges[0].node.id, file: picture('not a picture') };
  for (const _ of ['registered', 'by its hash']) {
    const { data } = await client.mutate({ mutation: UPLOAD, variables: { input } });
    assert.equal(data.mediaCreate.userErrors[0].code, 'FILE_TYPE_NOT_ALLOWED');
  }
});

test('a file that is no picture is a userError', async () => {
  const client = apollo({}, new UploadHttpLink({ uri: DEVELOPMENT, headers: { ...bearer(token), ...UPLOADS } }));
  const { data: page } = await client.query({ query: PAGE, variables: { first: 1 } });
  const input = { product: page.products.edges[0].node.id, file: picture('not a picture') };
  const { data } = await client.mutate({ mutation: UPLOAD, variables: { input } });
  assert.equal(data.mediaCreate.userErrors[0].code, 'FILE_TYPE_NOT_ALLOWED');
});

test('an upload without the header that forces a preflight is refused', async () => {
  const client = apollo({}, new UploadHttpLink({ uri: DEVELOPMENT, headers: bearer(token) }));
  const input = { product: 'UHJvZHVjdDox', file: picture('x') };
  const error = await client.mutate({ mutation: UPLOAD, variables: { input } }).catch((reason) => reason);
  assert(CombinedGraphQLErrors.is(error), error.message);
  assert.equal(error.errors[0].extensions.code, 'BAD_REQUEST');
});

test('a guest refetches the cart by node(id), with its token in a header', async () => {
  const { token, id, add } = await guestCart();
  const client = apollo({ headers: { 'Cart-Token': token } });
  const query = gql`query Guest($id: ID!) { node(id: $id) { id ... on Cart { quantity } } }`;
  const watched = client.watchQuery({ query, variables: { id } });
  const subscription = watched.subscribe(() => {});
  assert.equal((await watched.refetch()).data.node.quantity, 1);
  assert.equal(await add(2), 3);
  assert.equal((await watched.refetch()).data.node.quantity, 3);
  assert.equal(watched.getCurrentResult().data.node.quantity, 3);
  subscription.unsubscribe();
  const { data } = await apollo().query({ query, variables: { id } });
  assert.equal(data.node, null);
});
