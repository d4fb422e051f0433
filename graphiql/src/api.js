import { useSyncExternalStore } from 'react';
import { signInOperation } from './tabs.js';

const KEY = 'shop-graphiql-token';
const listeners = new Set();

// The token lives in the session storage: it goes when the browser tab does.
export const getToken = () => sessionStorage.getItem(KEY) ?? '';

export function setToken(token) {
  const value = token.trim().replace(/^Bearer\s+/i, '');
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}

export const useToken = () =>
  useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, getToken);

// The payload of a JWT, unchecked, only to show whom it is for; null if it is none.
export function readToken(token) {
  try {
    const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(part), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

async function post(endpoint, body, headers) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    credentials: 'same-origin',
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The server answered with status ${response.status} and no JSON.`);
  }
}

function requestHeaders(own) {
  const headers = new Headers({
    Accept: 'application/graphql-response+json, application/json',
    'Content-Type': 'application/json',
  });
  const token = getToken();
  if (token) headers.set('Authorization', `Bearer ${token}`);
  // The headers editor wins.
  for (const [name, value] of Object.entries(own ?? {})) headers.set(name, value);
  return headers;
}

export const createFetcher = (endpoint) => async (params, options) => {
  const result = await post(endpoint, params, requestHeaders(options?.headers));
  // A sign-in that is run as an ordinary operation fills the token in as well.
  const token = result?.data?.tokenAuth?.token;
  if (typeof token === 'string' && token) setToken(token);
  return result;
};

// Resolves to an error message, or to '' when the token has been set.
export async function signIn(endpoint, email, password) {
  try {
    const headers = requestHeaders();
    headers.delete('Authorization');
    const result = await post(
      endpoint,
      { query: signInOperation, operationName: 'SignIn', variables: { email, password } },
      headers,
    );
    const payload = result.data?.tokenAuth;
    if (payload?.token) {
      setToken(payload.token);
      return '';
    }
    const errors = [...(payload?.userErrors ?? []), ...(result.errors ?? [])];
    return errors.map((error) => error.message).join(' ') || 'Could not sign in.';
  } catch (error) {
    return error.message;
  }
}
