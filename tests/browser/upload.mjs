// Uploads 3 MB with an expired access token: the page must read the error, and no network error.
//
//   EMAIL=... PASSWORD=... node upload.mjs URL...
//
// Each URL is a server whose access tokens live for one second: granian, and nginx in front of it.
import { end, fail, launch } from './browser.mjs';

const { EMAIL, PASSWORD } = process.env;
const ROUNDS = 5;
const SIGN_IN = 'mutation ($input: TokenAuthInput!) { tokenAuth(input: $input) { token } }';
const UPLOAD = 'mutation ($input: MediaCreateInput!) { mediaCreate(input: $input) { media { id } userErrors { code } } }';

async function tokenOf(base) {
  const body = JSON.stringify({ query: SIGN_IN, variables: { input: { email: EMAIL, password: PASSWORD } } });
  const reply = await fetch(new URL('/graphql/', base), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  return (await reply.json()).data.tokenAuth.token;
}

// Runs in the page.
async function upload({ query, token, bytes }) {
  const form = new FormData();
  form.append('operations', JSON.stringify({ query, variables: { input: { product: 'UHJvZHVjdDox', file: null } } }));
  form.append('map', JSON.stringify({ 0: ['variables.input.file'] }));
  form.append('0', new Blob([new Uint8Array(bytes)], { type: 'image/png' }), 'picture.png');
  const headers = {
    Accept: 'application/graphql-response+json',
    Authorization: `Bearer ${token}`,
    'GraphQL-Require-Preflight': '1',
  };
  try {
    const reply = await fetch('/graphql/', { method: 'POST', headers, body: form });
    return { status: reply.status, code: (await reply.json()).errors?.[0].extensions.code };
  } catch (error) {
    return { error: String(error) };
  }
}

let answered = 0;
for (const address of process.argv.slice(2)) {
  const base = new URL(address);
  const browser = await launch(base);
  const page = await browser.newPage();
  await page.goto(new URL('/health/live', base).href);
  const token = await tokenOf(base);
  await page.waitForTimeout(2_500);
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = await page.evaluate(upload, { query: UPLOAD, token, bytes: 3_000_000 });
    if (found.status === 401 && found.code === 'TOKEN_EXPIRED') answered += 1;
    else fail(`${address}: ${JSON.stringify(found)}`);
  }
  await browser.close();
}
end(`an upload with an expired token: ${answered} answers that the page could read`);
