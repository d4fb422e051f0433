// Headless Chromium with every host but the shop's blocked; what goes wrong on its page is a failure.
//
// Settings: CHROMIUM (default /usr/bin/chromium), COLOR_SCHEME (light or dark).
import { chromium } from 'playwright-core';

const { CHROMIUM = '/usr/bin/chromium', COLOR_SCHEME = 'light' } = process.env;

const failures = [];
export const fail = (message) => failures.push(message);

export function launch(base) {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE ${base.hostname}`,
    ],
  });
}

// A page that may talk to the host of `base` only, without errors of any kind.
export async function openPage(browser, base, viewport) {
  const context = await browser.newContext({ viewport, colorScheme: COLOR_SCHEME });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);

  context.on('request', (request) => {
    const url = new URL(request.url());
    if (['data:', 'about:'].includes(url.protocol)) return;
    if (url.origin !== base.origin) fail(`request to another host: ${url.href}`);
  });
  context.on('requestfailed', (request) => {
    // Chromium cancels what a navigation interrupts.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED') fail(`failed request: ${request.url()}`);
  });
  context.on('response', (response) => {
    if (response.status() >= 400) fail(`${response.status()} ${response.url()}`);
  });
  page.on('pageerror', (error) => fail(`page error on ${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' || /Content.Security.Policy|web worker/i.test(text)) {
      fail(`console ${message.type()} on ${page.url()}: ${text}`);
    }
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`Content-Security-Policy violation: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return page;
}

// The Content-Security-Policy of a response, which must be strict.
export async function policyOf(response) {
  const policy = (await response.headerValue('content-security-policy')) ?? '';
  if (!/default-src 'none'/.test(policy)) fail(`no strict Content-Security-Policy: ${policy || 'none at all'}`);
  return policy;
}

// Tells all failures and ends the process, with a status other than 0 if there were any.
export function end(success) {
  for (const message of new Set(failures)) console.error(`FAILED ${message}`);
  console.log(failures.length ? `${failures.length} failures` : success);
  process.exit(failures.length ? 1 : 0);
}
