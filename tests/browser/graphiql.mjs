// Opens GraphiQL in headless Chromium, runs the first sample operation and
// checks that the page works under its Content-Security-Policy on its own host.
//
//   BASE_URL=http://127.0.0.1:8000 node graphiql.mjs [screenshot.png]
//
// Other settings: GRAPHIQL_PATH (default /graphql/), EMAIL and PASSWORD (to check
// signing in as well), and those in browser.mjs. Exits with a status other than 0
// on any failure.
import { end, fail, launch, openPage, policyOf } from './browser.mjs';

const {
  BASE_URL = 'http://127.0.0.1:8000',
  GRAPHIQL_PATH = '/graphql/',
  EMAIL,
  PASSWORD,
} = process.env;
const screenshot = process.argv[2];
const page_url = new URL(GRAPHIQL_PATH, BASE_URL);
const TABS = ['Products', 'FilterProducts', 'Product', 'Categories', 'SignIn', 'CreateProduct'];

const browser = await launch(page_url);

try {
  const page = await openPage(browser, page_url, { width: 1400, height: 860 });

  const requests = [];
  const workers = [];
  page.context().on('request', (request) => {
    if (!/^(data|about):/.test(request.url())) requests.push(request.url());
  });
  page.on('worker', (worker) => workers.push(worker.url()));

  const response = await page.goto(page_url.href);
  const policy = await policyOf(response);
  if (/'unsafe-eval'|script-src[^;]*'unsafe-inline'/.test(policy)) fail(`weak Content-Security-Policy: ${policy}`);

  const answer = page.locator('.result-window .view-lines');
  const isOperation = (request) =>
    request.method() === 'POST' && !request.postData()?.includes('IntrospectionQuery');
  async function run() {
    const done = page.waitForResponse((reply) => isOperation(reply.request()));
    await page.locator('button.graphiql-execute-button').click();
    const body = await (await done).json();
    await page.waitForFunction(() =>
      document.querySelector('.result-window .view-lines')?.textContent.includes('"data"'),
    );
    return body;
  }

  // The sample operations are there, and the first one runs.
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  const tabs = await page.locator('.graphiql-tab-button').allTextContents();
  if (tabs.join() !== TABS.join()) fail(`tabs: ${tabs.join(', ')}`);
  const products = await run();
  if (products.errors || !Array.isArray(products.data?.products?.edges)) {
    fail(`the first operation answered ${JSON.stringify(products).slice(0, 300)}`);
  }
  if (!(await answer.textContent()).includes('products')) fail('the result is not shown');

  // The GraphQL worker validates what is typed.
  await page.locator('.graphiql-tab-button').nth(3).click();
  await page.locator('.graphiql-query-editor .view-line').first().click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\n{ noSuchField }');
  await page.locator('.graphiql-query-editor .squiggly-error').first().waitFor();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await page.keyboard.type('{ shop { name } }');
  await page.locator('.graphiql-query-editor .squiggly-error').waitFor({ state: 'detached' });
  if (!(await run()).data?.shop) fail('a typed operation has no result');

  // Tabs are kept over a reload.
  await page.waitForTimeout(1000);
  await page.reload();
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  await page.waitForFunction(() => document.querySelector('.graphiql-query-editor').textContent.includes('shop'));
  await page.locator('.graphiql-tab-button').first().click();

  // The documentation and the history open.
  await page.getByRole('button', { name: /documentation explorer/i }).click();
  await page.locator('.graphiql-doc-explorer').getByText('Query', { exact: true }).first().click();
  await page.locator('.graphiql-doc-explorer').getByText('products', { exact: true }).first().waitFor();
  await page.getByRole('button', { name: /show history/i }).click();
  await page.locator('.graphiql-history-item').first().waitFor();
  await page.getByRole('button', { name: /hide history/i }).click();

  // The operations of the server are listed, found, and open in tabs with variables that run.
  await page.getByRole('button', { name: 'Show Operations' }).click();
  const panel = page.getByRole('region', { name: 'Operations' });
  await panel.getByRole('button').first().waitFor();
  const count = await panel.getByRole('button').count();
  if (count < 60) fail(`${count} operations are listed`);
  await panel.getByRole('searchbox').fill('productlist');
  if ((await panel.getByRole('button').count()) !== 1) fail('the search finds another number of operations');
  await panel.getByRole('button').click();
  await page.waitForFunction(() => document.querySelector('.graphiql-query-editor').textContent.includes('ProductList'));
  await page.waitForTimeout(500);
  if (screenshot) await page.screenshot({ path: screenshot.replace('.png', '-operations.png') });
  const listed = await run();
  if (!listed.data?.products?.edges?.length) fail(`ProductList answered ${JSON.stringify(listed).slice(0, 300)}`);
  await page.getByRole('button', { name: 'Hide Operations' }).click();
  await page.locator('.graphiql-tab-button').first().click();

  // The bar keeps a token and sends it; the headers editor wins.
  async function runAndReadHeaders() {
    const done = page.waitForResponse((reply) => isOperation(reply.request()));
    await page.locator('button.graphiql-execute-button').click();
    return (await done).request().allHeaders();
  }
  const field = page.getByLabel('Token');
  if (EMAIL && PASSWORD) {
    await page.getByLabel('Email').fill(EMAIL);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    const token = await field.inputValue();
    const headers = await runAndReadHeaders();
    if (headers.authorization !== `Bearer ${token}`) fail(`sent Authorization: ${headers.authorization}`);
    if (!headers.accept.startsWith('application/graphql-response+json')) fail(`sent Accept: ${headers.accept}`);
    await page.waitForFunction(() => document.querySelector('.result-window .view-lines')?.textContent.includes('"data"'));
    await page.waitForTimeout(500);
    if (screenshot) await page.screenshot({ path: screenshot });
    await page.getByRole('button', { name: 'Sign out' }).click();
  } else {
    await run();
    if (screenshot) await page.screenshot({ path: screenshot });
  }
  if ((await field.inputValue()) !== '') fail('the token is still there after signing out');
  const anonymous = await runAndReadHeaders();
  if (anonymous.authorization) fail('an Authorization header was sent without a token');
  await page.getByRole('button', { name: 'Headers', exact: true }).click();
  await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines').click();
  await page.keyboard.insertText('{"X-Sample":"yes"}');
  await page.getByRole('button', { name: /prettify/i }).click();
  await page.waitForFunction(
    () => document.querySelectorAll('.graphiql-editor-tool .graphiql-editor:not(.hidden) .view-line').length === 3,
  );
  if ((await runAndReadHeaders())['x-sample'] !== 'yes') fail('the headers editor has no effect');

  const kinds = ['editor.worker', 'graphql.worker', 'json.worker'];
  for (const kind of kinds) {
    if (!workers.some((url) => url.includes(kind))) fail(`${kind} did not start: ${workers.join(', ') || 'no workers'}`);
  }
  if (workers.some((url) => !url.startsWith(page_url.origin))) fail(`workers of another origin: ${workers.join(', ')}`);
  console.log(`${requests.length} requests, ${new Set(workers).size} workers, policy: ${policy}`);
} catch (error) {
  fail(error.message);
  const page = browser.contexts()[0]?.pages()[0];
  if (page && screenshot) await page.screenshot({ path: screenshot }).catch(() => {});
} finally {
  await browser.close();
}

end('GraphiQL works');
