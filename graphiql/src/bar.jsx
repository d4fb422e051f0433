import { useEffect, useState } from 'react';
import { readToken, setToken, signIn, useToken } from './api.js';

function describe(token, now) {
  const payload = readToken(token);
  if (!payload) return '';
  if (!payload.exp) return 'Token set';
  const seconds = payload.exp - now / 1000;
  if (seconds <= 0) return 'Token expired';
  if (seconds < 60) return 'Token expires in less than a minute';
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `Token expires in ${minutes} min`;
  return `Token expires in ${Math.round(minutes / 60)} h`;
}

function useNow(active) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!active) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, [active]);
  return now;
}

function SignIn({ endpoint }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');

  async function submit(event) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(await signIn(endpoint, form.get('email'), form.get('password')));
    setBusy(false);
  }

  return (
    <form className="shop-bar-group" onSubmit={submit}>
      {error && (
        <span className="shop-bar-error" role="alert" title={error}>
          {error}
        </span>
      )}
      <input name="email" type="email" placeholder="Email" aria-label="Email" autoComplete="username" required />
      <input
        name="password"
        type="password"
        placeholder="Password"
        aria-label="Password"
        autoComplete="current-password"
        required
      />
      <button type="submit" disabled={busy}>
        {busy ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  );
}

export function Bar({ endpoint }) {
  const token = useToken();
  const now = useNow(token);
  const state = describe(token, now);

  return (
    <header className="graphiql-container shop-bar">
      <span className="shop-bar-title">
        shop <code>{endpoint}</code>
      </span>
      {token ? (
        <div className="shop-bar-group">
          <span className={state.endsWith('expired') ? 'shop-bar-error' : 'shop-bar-note'} role="status">
            {state}
          </span>
          <button type="button" onClick={() => setToken('')}>
            Sign out
          </button>
        </div>
      ) : (
        <SignIn endpoint={endpoint} />
      )}
      <label className="shop-bar-group">
        Token
        <input
          className="shop-bar-token"
          value={token}
          onChange={(event) => setToken(event.target.value)}
          placeholder="none: signed out"
          title="Sent as “Authorization: Bearer …”, unless the Headers editor sets Authorization"
          autoComplete="off"
          spellCheck={false}
        />
      </label>
    </header>
  );
}
