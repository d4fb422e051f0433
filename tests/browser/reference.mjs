// Opens the reference at /docs/ in headless Chromium, on a desktop and on a phone: every page, the
// search, links between pages, and the picture of the tables, under its Content-Security-Policy and
// with every other host blocked.
//
//   BASE_URL=http://127.0.0.1:8000 node reference.mjs [folder for screenshots]
//
// Other settings are those in browser.mjs. Exits with a status other than 0 on any failure.
import { end, fail, launch, openPage, policyOf } from './browser.mjs';

const { BASE_URL = 'http://127.0.0.1:8000' } = process.env;
const folder = process.argv[2];
const home = new URL('/docs/', BASE_URL);
const PAGES = ['queries', 'mutations', 'objects', 'inputs', 'values', 'changes', 'tables'];
const SCREENS = { desktop: { width: 1400, height: 900 }, phone: { width: 390, height: 844 } };

const browser = await launch(home);

try {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    const page = await openPage(browser, home, viewport);
    const shoot = async (name) => {
      if (folder) await page.screenshot({ path: `${folder}/reference-${screen}-${name}.png` });
    };

    const policy = await policyOf(await page.goto(home.href));
    if (/unsafe/.test(policy)) fail(`weak Content-Security-Policy: ${policy}`);
    await shoot('home');

    // Every page is there, has what it promises, and is no wider than the screen.
    for (const name of PAGES) {
      await page.goto(home.href);
      await page.getByRole('navigation', { name: 'Reference' }).locator(`a[href="/docs/${name}/"]`).click();
      await page.waitForURL(`**/docs/${name}/`);
      if ((await page.locator('header a[aria-current]').count()) !== 1) fail(`no page is current on ${name}`);
      if ((await page.locator('main').innerText()).length < 100) fail(`the page of ${name} is empty`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wide > 0) fail(`${name} is ${wide} pixels too wide on a ${screen}`);
    }
    const picture = page.locator('.picture img');
    if (!(await picture.evaluate((image) => image.complete && image.naturalWidth > 500))) fail('the picture of the tables is not shown');
    await shoot('tables');

    // The search finds a mutation by its name, and leads to it.
    await page.goto(home.href);
    await page.keyboard.press('/');
    await page.keyboard.type('cartLinesAdd');
    const first = page.locator('#found a').first();
    await first.waitFor();
    if ((await first.locator('code').textContent()) !== 'cartLinesAdd') fail(`found first: ${await first.textContent()}`);
    await shoot('search');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/docs/mutations/#mutation-cartLinesAdd');
    const section = page.locator('#mutation-cartLinesAdd');
    if (!(await section.locator('h2').isVisible())) fail('the mutation is not shown');
    const top = await section.evaluate((element) => element.getBoundingClientRect().top);
    if (top < 0 || top > viewport.height / 2) fail(`the mutation is at ${top} pixels`);
    await shoot('mutation');

    // From there a link leads to the type of its input, on another page.
    await section.getByRole('link', { name: /CartLinesAddInput/ }).first().click();
    await page.waitForURL('**/docs/inputs/#definition-CartLinesAddInput');
    if (!(await page.locator('#definition-CartLinesAddInput h2').isVisible())) fail('the input is not shown');

    // By a part of the name, by a typing error, by a field, and by nothing that there is.
    for (const [asked, expected] of [
      ['lines add', /cartLinesAdd/],
      ['chekoutComplete', /checkoutComplete/],
      ['compareAt', /Variant/],
      ['xyzzyxyzzy', /Nothing/],
    ]) {
      await page.goto(`${home.href}?q=${encodeURIComponent(asked)}`);
      await page.locator('#found li').first().waitFor();
      const found = await page.locator('#found').innerText();
      if (!expected.test(found)) fail(`"${asked}" finds ${found.slice(0, 200)}`);
    }
    await page.keyboard.press('Escape');

    // Every link of a page leads somewhere.
    await page.goto(new URL('objects/', home).href);
    const dead = await page.evaluate(() =>
      [...document.querySelectorAll('main a[href^="#"]')].map((link) => link.hash.slice(1)).filter((id) => !document.getElementById(id)),
    );
    if (dead.length) fail(`links to nothing: ${dead.slice(0, 5).join(', ')}`);
    await page.context().close();
  }
} catch (error) {
  fail(error.message);
} finally {
  await browser.close();
}

end('The reference works');
