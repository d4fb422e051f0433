// The two servers that `run` starts, and small things that several checks need.
import assert from 'node:assert/strict';

const { DEVELOPMENT_URL, PRODUCTION_URL, EMAIL: email, PASSWORD: password } = process.env;
assert(DEVELOPMENT_URL && PRODUCTION_URL, 'start the checks with tests/clients/run');

export const DEVELOPMENT = DEVELOPMENT_URL;
export const PRODUCTION = PRODUCTION_URL;
export const CREDENTIALS = { email, password };
export const UPLOADS = { 'Apollo-Require-Preflight': 'true' };

/** The JSON that the server answers to one request without any client library. */
export async function ask(body, { url = DEVELOPMENT, headers = {} } = {}) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return answer.json();
}

export async function signIn(url = DEVELOPMENT) {
  const query = `mutation ($input: TokenAuthInput!) {
    tokenAuth(input: $input) { token refreshToken userErrors { code } }
  }`;
  const { data } = await ask({ query, variables: { input: CREDENTIALS } }, { url });
  assert.deepEqual(data.tokenAuth.userErrors, []);
  return data.tokenAuth;
}

export const bearer = (token) => ({ Authorization: `Bearer ${token}` });

/** A `fetch` that remembers what went over the wire, for clients that hide it. */
export function recorder() {
  const wire = [];
  async function recording(input, options = {}) {
    const answer = await fetch(input, options);
    const url = new URL(input);
    const json = typeof options.body === 'string' ? JSON.parse(options.body) : undefined;
    wire.push({ method: options.method ?? 'GET', params: url.searchParams, json, status: answer.status });
    return answer;
  }
  return { wire, fetch: recording };
}

// Headers and types that a browser sends to other origins without asking (https://fetch.spec.whatwg.org).
const SAFE = ['accept', 'accept-language', 'content-language', 'range'];

/** A `fetch` that asks as a browser does for a page of `origin`: preflight first, and what it may read. */
export function browser(origin) {
  const preflights = [];
  async function asking(input, options = {}) {
    const sent = new Headers(options.headers);
    const names = [...sent.keys()].filter((name) => !SAFE.includes(name)).sort();
    const preflight = await fetch(input, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': options.method ?? 'GET',
        'Access-Control-Request-Headers': names.join(','),
      },
    });
    preflights.push(names);
    const list = (answer, name) => (answer.headers.get(name) ?? '').toLowerCase().split(/, */);
    if (!preflight.ok || preflight.headers.get('Access-Control-Allow-Origin') !== origin) {
      throw new TypeError(`CORS: ${origin} is not allowed`);
    }
    const refused = names.filter((name) => !list(preflight, 'Access-Control-Allow-Headers').includes(name));
    if (refused.length) throw new TypeError(`CORS: ${refused} is not allowed`);
    sent.set('Origin', origin);
    const answer = await fetch(input, { ...options, headers: sent });
    assert.equal(answer.headers.get('Access-Control-Allow-Origin'), origin);
    const exposed = list(answer, 'Access-Control-Expose-Headers');
    return Object.assign(answer, { readable: (name) => exposed.includes(name.toLowerCase()) });
  }
  return { preflights, fetch: asking };
}

/** A picture small enough to send often. */
export const picture = (bytes) => new File([bytes], 'bag.webp', { type: 'image/webp' });
