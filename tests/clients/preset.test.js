// GraphQL Code Generator's client preset: documents that are named by `documentId`, and its manifest.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { ask, CREDENTIALS, PRODUCTION, recorder } from './shop.js';

// What the preset has written for the production server, by the id of each document.
const manifest = JSON.parse(await readFile(process.env.PRESET_MANIFEST, 'utf8'));
const named = (name) => Object.entries(manifest).find(([, text]) => text.includes(` ${name}`));

/** A client that sends the id of a document instead of its text. */
function client(fetch) {
  const link = new HttpLink({
    uri: PRODUCTION,
    // As the preset's documentation has it: the id goes beside the variables.
    fetch: (uri, options) => {
      const { operationName, variables } = JSON.parse(options.body);
      const [id] = named(operationName);
      return fetch(uri, { ...options, body: JSON.stringify({ documentId: id, variables }) });
    },
  });
  return new ApolloClient({ cache: new InMemoryCache(), link });
}

test('the preset writes a manifest of all operations', () => {
  assert.equal(Object.keys(manifest).length, 3);
  for (const id of Object.keys(manifest)) assert.match(id, /^sha256:[0-9a-f]{64}$/);
});

test('documents of the manifest run by their documentId, without the text', async () => {
  const { wire, fetch } = recorder();
  const [, text] = named('PresetProducts');
  const { data } = await client(fetch).query({ query: gql(text), variables: { first: 2 } });
  assert.equal(data.products.edges.length, 2);
  assert.equal(wire.length, 1);
  assert.match(wire[0].json.documentId, /^sha256:[0-9a-f]{64}$/);
  assert.equal(wire[0].json.query, undefined);
});

test('a mutation of the manifest runs by its documentId', async () => {
  const { wire, fetch } = recorder();
  const [, text] = named('PresetSignIn');
  const { data } = await client(fetch).mutate({ mutation: gql(text), variables: { input: CREDENTIALS } });
  assert.equal(data.tokenAuth.user.email, CREDENTIALS.email);
  assert.equal(wire[0].json.query, undefined);
});

test('a documentId of no known document has the code of persisted queries', async () => {
  const { errors } = await ask({ documentId: `sha256:${'0'.repeat(64)}` }, { url: PRODUCTION });
  assert.equal(errors[0].extensions.code, 'PERSISTED_QUERY_NOT_FOUND');
});
