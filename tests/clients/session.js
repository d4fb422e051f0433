// How a single-page or mobile application stays signed in with Apollo Client: copy and adapt.
//
// - The access token is in memory and goes with every operation.
// - When it has expired, one refresh is made, however many operations have found out; they wait for
//   it and are sent again.
// - The refresh token is in `storage`, which other tabs share. When another tab has just spent it, the
//   server answers RETRY and harms nothing: by then the other tab has stored the new one.
// - When the refresh is refused, the session is over: `onEnd` shows the sign-in page.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { from, switchMap } from 'rxjs';

const SIGN_IN = gql`
  mutation SignIn($input: TokenAuthInput!) {
    tokenAuth(input: $input) { token refreshToken userErrors { code message field } }
  }
`;
const REFRESH = gql`
  mutation Refresh($input: RefreshTokenInput!) {
    refreshToken(input: $input) { token refreshToken userErrors { code message field } }
  }
`;
const SIGN_OUT = gql`
  mutation SignOut($input: RevokeTokenInput!) {
    revokeToken(input: $input) { revoked userErrors { code message } }
  }
`;

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const codeOf = (error) => (CombinedGraphQLErrors.is(error) ? error.errors[0].extensions?.code : undefined);

/**
 * An Apollo Client that stays signed in.
 *
 * @param uri the endpoint
 * @param storage with getItem, setItem and removeItem, such as localStorage
 * @param onEnd called when the session is over and the user has to sign in again
 * @param fetch instead of the global one
 */
export function createSession({ uri, storage, onEnd = () => {}, fetch }) {
  let accessToken = null;
  let refreshing = null;
  const http = new HttpLink({ uri, fetch });
  // Without a token: an expired one would be refused here as well.
  const bare = new ApolloClient({ link: http, cache: new InMemoryCache() });

  function keep({ token, refreshToken }) {
    accessToken = token;
    storage.setItem('refreshToken', refreshToken);
  }

  function forget() {
    accessToken = null;
    storage.removeItem('refreshToken');
  }

  async function spend(tries = 5) {
    const refreshToken = storage.getItem('refreshToken');
    const { data, error } = await bare.mutate({
      mutation: REFRESH,
      variables: { input: { refreshToken } },
      errorPolicy: 'all',
    });
    if (codeOf(error) === 'RETRY' && tries > 1) {
      await sleep(200);
      return spend(tries - 1);
    }
    if (error) throw error;
    if (data.refreshToken.userErrors.length) {
      forget();
      onEnd();
      throw new Error('The session is over.');
    }
    keep(data.refreshToken);
  }

  /** A new access token; whoever asks while one is under way gets the same. */
  function refresh() {
    refreshing ??= spend().finally(() => {
      refreshing = null;
    });
    return refreshing;
  }

  const renew = new ErrorLink(({ error, operation, forward }) => {
    const { sentWith } = operation.getContext();
    // UNAUTHENTICATED: this device was signed out. The refresh finds out, and ends the session.
    if (!['TOKEN_EXPIRED', 'UNAUTHENTICATED'].includes(codeOf(error)) || !sentWith) return;
    // Whoever finds out late need not ask: the token has been renewed since this was sent.
    const renewed = sentWith === accessToken ? refresh() : Promise.resolve();
    return from(renewed).pipe(switchMap(() => forward(operation)));
  });
  const authorise = new SetContextLink(async ({ headers }) => {
    // After a reload only the refresh token is left.
    if (!accessToken && storage.getItem('refreshToken')) await refresh().catch(() => {});
    if (!accessToken) return {};
    return { headers: { ...headers, Authorization: `Bearer ${accessToken}` }, sentWith: accessToken };
  });
  const client = new ApolloClient({
    link: ApolloLink.from([renew, authorise, http]),
    cache: new InMemoryCache(),
  });

  return {
    client,
    refresh,
    /** Signs in. Returns the user errors: none on success. */
    async signIn(input) {
      const { data } = await bare.mutate({ mutation: SIGN_IN, variables: { input } });
      if (data.tokenAuth.userErrors.length === 0) keep(data.tokenAuth);
      return data.tokenAuth.userErrors;
    },
    /** Signs this device out, at the server too. */
    async signOut() {
      const refreshToken = storage.getItem('refreshToken');
      forget();
      await client.clearStore();
      if (refreshToken) await bare.mutate({ mutation: SIGN_OUT, variables: { input: { refreshToken } } });
    },
  };
}
