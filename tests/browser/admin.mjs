// Opens the staff screens in headless Chromium and checks that they work under
// their Content-Security-Policy, on their own host and without console errors.
//
//   BASE_URL=http://127.0.0.1:8000 EMAIL=… PASSWORD=… node admin.mjs [screenshot folder]
//
// EMAIL and PASSWORD are a superuser's; the catalog must have a product with a
// variant, and a category. Other settings are in browser.mjs. Exits with a status
// other than 0 on any failure. An order is made, with the demo provider.
import { createHmac } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { end, fail, launch, openPage, policyOf } from './browser.mjs';

const { BASE_URL = 'http://127.0.0.1:8000', EMAIL, PASSWORD } = process.env;
const folder = process.argv[2];
const base = new URL(BASE_URL);
const SCREENS = ['product', 'category', 'collection', 'brand', 'attribute', 'stock', 'importrecord', 'user', 'shippingzone', 'taxrate', 'voucher', 'automaticdiscount'];

if (!EMAIL || !PASSWORD) {
  console.error('EMAIL and PASSWORD are required');
  process.exit(2);
}
if (folder) await mkdir(folder, { recursive: true });

// What an authenticator app shows for a secret in base32 (RFC 6238).
function codeOf(secret) {
  const bits = [...secret].map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'));
  const key = Buffer.from(bits.join('').match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac('sha1', key).update(step).digest();
  const value = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(value % 1_000_000).padStart(6, '0');
}

async function ask(query, input) {
  const body = JSON.stringify({ query, variables: { input } });
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(new URL('/graphql/', base), { method: 'POST', headers, body });
  return (await answer.json()).data;
}

// A paid order of one unit, which has every button.
async function order() {
  const { products } = await ask(`{ products(first: 20, orderBy: {field: PRICE}) { edges { node {
    variants(first: 1) { edges { node { id availability { purchasable } } } } } } } }`);
  const variants = products.edges.flatMap(({ node }) => node.variants.edges.map((edge) => edge.node));
  const variant = variants.find(({ availability }) => availability.purchasable).id;
  const create = 'mutation ($input: CartCreateInput!) { made: cartCreate(input: $input) { token } }';
  const { made } = await ask(create, { email: 'ann@example.org', lines: [{ variant, quantity: 1 }] });
  const cart = made.token;
  const shippingAddress = {
    name: 'Ann Baker', line1: '1 Main St', city: 'Springfield', region: 'IL', postalCode: '62704', country: 'US',
  };
  const { sent } = await ask(
    'mutation ($input: CartAddressesSetInput!) { sent: cartAddressesSet(input: $input) { cart { total { amount } } } }',
    { cart, shippingAddress },
  );
  const { done } = await ask(
    'mutation ($input: CheckoutCompleteInput!) { done: checkoutComplete(input: $input) { order { number } } }',
    { cart, payment: { provider: 'DEMO' }, expectedTotal: sent.cart.total.amount },
  );
  return done.order.number;
}

const browser = await launch(base);

try {
  const page = await openPage(browser, base, { width: 1440, height: 900 });

  async function open(address) {
    const response = await page.goto(new URL(address, base).href);
    await page.waitForLoadState('networkidle');
    return response;
  }
  async function shoot(name, options = {}) {
    if (folder) await page.screenshot({ path: path.join(folder, `${name}.png`), ...options });
  }

  // Signing in.
  const response = await open('/admin/');
  const policy = await policyOf(response);
  await page.locator('#id_username').fill(EMAIL);
  await page.locator('#id_password').fill(PASSWORD);
  await shoot('login');
  await page.locator('button[type=submit]').click();
  await page.locator('#nav-sidebar').waitFor();
  await page.waitForLoadState('networkidle');
  await shoot('home');

  // Every list and every empty form opens.
  for (const screen of SCREENS) {
    await open(`/admin/shop/${screen}/`);
    await page.locator('#changelist').waitFor();
    await shoot(`${screen}-list`);
    if (await page.locator('a.addlink, a[href$="/add/"]').count()) {
      await open(`/admin/shop/${screen}/add/`);
      await page.locator(`#${screen}_form`).waitFor();
      await shoot(`${screen}-add`, { fullPage: true });
    }
  }

  // The list's filters open, its search finds, its actions appear.
  await open('/admin/shop/product/');
  await page.locator('#changelist a', { hasText: 'Filters' }).first().click();
  await page.getByText('By brand').waitFor();
  await page.locator('.select2-selection').last().click();
  await page.locator('.select2-results__option:not(.loading-results)').first().waitFor();
  await shoot('product-filters');
  await open('/admin/shop/product/');
  await page.locator('input.action-select').first().check();
  await page.locator('#changelist-actions select[name=action]').waitFor({ state: 'visible' });
  await shoot('product-actions');

  // A product's form: its pictures are there, a row can be added, the category is searched for.
  await open('/admin/shop/product/?status__exact=published');
  await page.locator('#result_list a[href*="/change/"]').first().click();
  await page.locator('#product_form').waitFor();
  await page.waitForLoadState('networkidle');
  await shoot('product-form', { fullPage: true });
  const rows = page.locator('[id^=variants-][id$=-sku], input[name^=variants-][name$=-sku]:visible');
  const before = await rows.count();
  await page.locator('#variants-group .add-row').click();
  if ((await rows.count()) !== before + 1) fail('no row was added for a new variant');
  await page.locator('.field-category .select2-selection').click();
  await page.locator('.select2-search__field').last().pressSequentially('a');
  await page.locator('.select2-results__option:not(.loading-results)').first().waitFor();
  await shoot('product-category');
  await page.keyboard.press('Escape');

  // What an action refuses is shown in the form; it leaves no page behind to warn about.
  await page.locator('input[name="variants-0-compare_at"]').fill('0.01');
  await page.locator('[name=_continue]').first().click();
  await page.getByText('The compare-at price must be above the price.').first().waitFor();
  await page.waitForLoadState('networkidle');
  await shoot('product-refused', { fullPage: true });

  const broken = await page.evaluate(() =>
    [...document.images].filter((image) => image.complete && !image.naturalWidth).map((image) => image.src),
  );
  if (broken.length) fail(`pictures that do not load: ${broken.join(', ')}`);

  // A variant is dragged below the next, and the form is saved.
  await open(page.url());
  const handles = page.locator('#variants-group tbody.original [x-sort\\:handle]');
  if ((await handles.count()) > 1) {
    const sku = page.locator('input[name="variants-0-sku"]');
    const first = await sku.inputValue();
    await page.locator('#variants-heading').evaluate((heading) => heading.scrollIntoView());
    const [from, to] = [await handles.nth(0).boundingBox(), await handles.nth(1).boundingBox()];
    await page.mouse.move(from.x + 8, from.y + 8);
    await page.mouse.down();
    await page.mouse.move(to.x + 8, to.y + to.height, { steps: 20 });
    await page.waitForTimeout(300);
    await page.mouse.up();
    await page.locator('[name=_continue]').first().click();
    await page.getByText('was changed successfully').first().waitFor();
    if ((await sku.inputValue()) === first) fail('dragging a variant did not move it');
    await page.waitForLoadState('networkidle');
    await shoot('product-saved');
  }

  // The page that asks before deleting.
  await page.locator('a[href$="/delete/"]').first().click();
  await page.getByText('Are you sure').first().waitFor();
  await page.waitForLoadState('networkidle');
  await shoot('product-delete');

  for (const screen of ['category', 'collection', 'attribute', 'user']) {
    await open(`/admin/shop/${screen}/`);
    const link = page.locator('#result_list a[href*="/change/"]').first();
    if (!(await link.count())) continue;
    await link.click();
    await page.locator(`#${screen}_form`).waitFor();
    await page.waitForLoadState('networkidle');
    await shoot(`${screen}-form`, { fullPage: true });
  }

  // Nothing is wider than a phone; the screen of an order has buttons and forms of its own.
  await order();
  await page.setViewportSize({ width: 390, height: 844 });
  for (const screen of ['product', 'order', 'job', 'webhookendpoint', 'stock', 'user', 'voucher']) {
    await open(`/admin/shop/${screen}/`);
    const addresses = await page.evaluate(() =>
      [...document.querySelectorAll('#result_list a[href*="/change/"], a.addlink, a[href$="/add/"]')]
        .slice(0, 2)
        .map((link) => link.href),
    );
    if (screen === 'order') {
      if (!addresses.length) fail('there is no order');
      addresses.push(...['parcel', 'refund', 'details', 'remove', 'cancel'].map((form) => addresses[0].replace(/change\/.*/, `${form}/`)));
    }
    for (const address of [page.url(), ...addresses, new URL('/admin/mails/', base).href]) {
      await open(address);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) fail(`${address} is ${over} pixels wider than a phone`);
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });

  // A second factor: turned on, asked for at the next sign-in, and turned off.
  await open('/admin/second-factor/');
  await page.locator('#id_password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set up' }).click();
  const secret = await page.locator('#secret').innerText();
  await page.locator('#id_code').fill(codeOf(secret));
  await shoot('second-factor-secret');
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.locator('#recovery-codes li').first().waitFor();
  const codes = await page.locator('#recovery-codes li').allInnerTexts();
  if (codes.length !== 10) fail(`${codes.length} recovery codes instead of 10`);
  await page.waitForLoadState('networkidle');
  await shoot('second-factor-codes');
  await page.context().clearCookies();
  await open('/admin/second-factor/');
  for (const [otp, next] of [['', '.errornote'], [codes[0], '#second-factor']]) {
    await page.locator('#id_username').fill(EMAIL);
    await page.locator('#id_password').fill(PASSWORD);
    await page.locator('#id_otp').fill(otp);
    await page.locator('button[type=submit]').click();
    await page.locator(next).first().waitFor();
    await page.waitForLoadState('networkidle');
    await shoot(otp ? 'second-factor' : 'login-refused');
  }
  await page.locator('#id_code').fill(codes[1]);
  await page.getByRole('button', { name: 'Turn off' }).click();
  await page.getByText('The second factor is off.').waitFor();
  await page.waitForLoadState('networkidle');
  console.log(`policy: ${policy}`);
} catch (error) {
  fail(error.message);
} finally {
  await browser.close();
}

end('The staff screens work');
