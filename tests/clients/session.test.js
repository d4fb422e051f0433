// Staying signed in: the example in session.js against a server whose access tokens last three seconds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gql } from '@apollo/client';
import { createSession } from './session.js';
import { ask, CREDENTIALS, PRODUCTION, recorder } from './shop.js';

const EXPIRED = 3_100;
const VIEWER = gql`query Viewer { viewer { id email } }`;
const SHOP = gql`query Shop { shop { name } }`;
const DEVICES = gql`query Devices { viewer { sessions { edges { node { id isCurrent } } } } }`;

/** What localStorage does. */
function memory() {
  const items = new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => items.set(name, value),
    removeItem: (name) => items.delete(name),
  };
}

async function signedIn(options = {}) {
  const { wire, fetch } = recorder();
  const storage = options.storage ?? memory();
  const ended = [];
  const session = createSession({ uri: PRODUCTION, storage, fetch, onEnd: () => ended.push(true), ...options });
  if (!storage.getItem('refreshToken')) assert.deepEqual(await session.signIn(CREDENTIALS), []);
  const refreshes = () => wire.filter(({ json }) => json.operationName === 'Refresh').length;
  const query = async (document) =>
    (await session.client.query({ query: document, fetchPolicy: 'network-only' })).data;
  return { ...session, storage, query, refreshes, ended };
}

test('several queries that find the token expired make one refresh, and go on', async () => {
  const { query, refreshes } = await signedIn();
  assert.equal((await query(VIEWER)).viewer.email, CREDENTIALS.email);
  await sleep(EXPIRED);
  const answers = await Promise.all([VIEWER, SHOP, DEVICES, VIEWER, SHOP, DEVICES].map(query));
  assert.equal(refreshes(), 1);
  assert.equal(answers[0].viewer.email, CREDENTIALS.email);
  assert.equal(answers[2].viewer.sessions.edges.filter(({ node }) => node.isCurrent).length, 1);
  assert.equal((await query(VIEWER)).viewer.email, CREDENTIALS.email);
  assert.equal(refreshes(), 1);
  await sleep(EXPIRED);
  assert.equal((await query(VIEWER)).viewer.email, CREDENTIALS.email);
  assert.equal(refreshes(), 2);
});

test('two tabs that refresh in the same moment both go on', async () => {
  const storage = memory();
  const first = await signedIn({ storage });
  const second = await signedIn({ storage });
  await Promise.all([first.refresh(), second.refresh()]);
  const answers = await Promise.all([first, second].map(({ query }) => query(VIEWER)));
  assert.deepEqual(answers.map(({ viewer }) => viewer.email), [CREDENTIALS.email, CREDENTIALS.email]);
  assert.deepEqual([...first.ended, ...second.ended], []);
});

test('after a reload the session goes on', async () => {
  const { storage } = await signedIn();
  const reloaded = await signedIn({ storage });
  const [{ viewer }] = await Promise.all([reloaded.query(VIEWER), reloaded.query(SHOP)]);
  assert.equal(viewer.email, CREDENTIALS.email);
  assert.equal(reloaded.refreshes(), 1);
});

test('a session that was ended elsewhere asks for a new sign-in', async () => {
  const { query, storage, ended } = await signedIn();
  const elsewhere = await signedIn();
  await elsewhere.client.mutate({
    mutation: gql`mutation Everywhere { sessionRevokeAll(input: {}) { revokedCount userErrors { code } } }`,
  });
  await assert.rejects(query(VIEWER));
  assert.deepEqual(ended, [true]);
  assert.equal(storage.getItem('refreshToken'), null);
});

test('signing out makes the refresh token useless', async () => {
  const { signOut, storage, query } = await signedIn();
  const refreshToken = storage.getItem('refreshToken');
  await signOut();
  assert.equal((await query(VIEWER)).viewer, null);
  const document = 'mutation($t: String) { refreshToken(input: { refreshToken: $t }) { userErrors { code } } }';
  const { data } = await ask({ query: document, variables: { t: refreshToken } }, { url: PRODUCTION });
  assert.deepEqual(data.refreshToken.userErrors, [{ code: 'INVALID_TOKEN' }]);
});
