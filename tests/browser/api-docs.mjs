// Opens Swagger UI, on a desk and on a phone: runs an operation, signs in, and runs one that needs it.
//
//   BASE_URL=http://127.0.0.1:8000 EMAIL=... PASSWORD=... node api-docs.mjs FOLDER
//
// Screenshots go to FOLDER; other settings are in browser.mjs. Exits with a status other than 0 on any
// failure.
import { end, fail, launch, openPage, policyOf } from './browser.mjs';

const { BASE_URL = 'http://127.0.0.1:8000', EMAIL, PASSWORD } = process.env;
const shots = process.argv[2];
const base = new URL('/api/docs/', BASE_URL);
const VIEWPORTS = { desktop: { width: 1400, height: 900 }, phone: { width: 390, height: 844 } };

const browser = await launch(base);

// Opens an operation and runs it, as it is filled in or with another body.
async function run(page, name, body) {
  const block = page.locator(`.opblock[id$="-${name}"]`);
  await block.locator('.opblock-summary-control').click();
  await block.getByRole('button', { name: 'Try it out' }).click();
  if (body) await block.locator('.body-param__text').fill(JSON.stringify(body));
  const done = page.waitForResponse((reply) => new URL(reply.url()).pathname.startsWith('/api/'));
  await block.getByRole('button', { name: 'Execute' }).click();
  const reply = await done;
  const answer = block.locator('.live-responses-table');
  await answer.locator('.response-col_status').getByText(String(reply.status())).waitFor();
  return { block, reply, data: (await reply.json()).data, shown: await answer.textContent() };
}

try {
  for (const [name, viewport] of Object.entries(VIEWPORTS)) {
    const page = await openPage(browser, base, viewport);
    const shoot = async (what) => {
      if (shots) await page.screenshot({ path: `${shots}/api-docs-${name}-${what}.png` });
    };
    const response = await page.goto(base.href);
    const policy = await policyOf(response);
    if (/'unsafe-eval'|script-src[^;]*'unsafe-inline'/.test(policy)) fail(`weak Content-Security-Policy: ${policy}`);
    await page.locator('.opblock').first().waitFor();
    const paths = Object.keys((await (await page.request.get(new URL('/api/openapi.json', base).href)).json()).paths);
    const listed = await page.locator('.opblock-summary-path').evaluateAll((all) => all.map((one) => one.dataset.path));
    for (const path of paths) if (!listed.includes(path)) fail(`${path} is not shown`);
    await shoot('list');

    // Runs as it is filled in: with the example.
    const products = await run(page, 'productList');
    if (products.reply.status() !== 200) fail(`the product list answered ${products.reply.status()}`);
    const names = products.data.products.edges.map(({ node }) => node.name);
    if (!names.length || !names.every((each) => products.shown.includes(each))) fail(`shown of ${names}: ${products.shown}`);
    await products.block.scrollIntoViewIfNeeded();
    await shoot('parameters');
    await products.block.locator('.live-responses-table').scrollIntoViewIfNeeded();
    await shoot('answer');
    // The schema of the answer, with what its references lead to.
    const schema = products.block.locator('tr.response[data-code="200"]').last();
    await schema.getByRole('tab', { name: 'Schema' }).click();
    await schema.getByText('Expand all').first().click();
    await schema.getByText('hasNextPage').first().waitFor();
    await schema.scrollIntoViewIfNeeded();
    await shoot('schema');
    await products.block.locator('.opblock-summary-control').click();

    // Who signs in has a token from then on; what needs one sends it.
    const { reply } = await run(page, 'tokenAuth', { email: EMAIL, password: PASSWORD });
    if (reply.status() !== 200) fail(`the sign-in answered ${reply.status()}`);
    const { token } = (await reply.json()).data.tokenAuth;
    const orders = await run(page, 'orderList');
    if (orders.reply.status() !== 200) fail(`the list of orders answered ${orders.reply.status()}`);
    const { authorization } = await orders.reply.request().allHeaders();
    if (authorization !== `Bearer ${token}`) fail(`sent Authorization: ${authorization}`);

    // The place for a token that comes from elsewhere.
    await page.locator('.scheme-container .authorize').click();
    const dialog = page.locator('.dialog-ux .modal-ux');
    await dialog.getByText('Authorized').first().waitFor();
    await shoot('token');
    await dialog.getByRole('button', { name: 'Remove authorization' }).click();
    await dialog.getByRole('textbox').fill('of-another-place');
    await dialog.getByRole('button', { name: 'Apply credentials' }).click();
    await dialog.getByRole('button', { name: 'Close' }).last().click();

    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) fail(`on a ${name}, ${wide} pixels stick out`);
    await page.context().close();
  }
} catch (error) {
  fail(error.message);
  const page = browser.contexts()[0]?.pages()[0];
  if (page && shots) await page.screenshot({ path: `${shots}/api-docs-failure.png` }).catch(() => {});
} finally {
  await browser.close();
}

end('Swagger UI works');
