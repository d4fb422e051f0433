// Plain HTTP with types made of the OpenAPI document: openapi-typescript, tsc, openapi-fetch. They have a
// folder of their own, because the generator needs an older compiler than the others.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DEVELOPMENT, PRODUCTION } from './shop.js';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('openapi', import.meta.url));
const HOME = {
  name: 'Ann Baker', line1: '1 Main St', city: 'Springfield', region: 'IL', postalCode: '62704', country: 'US',
};

describe('a TypeScript client', () => {
  let folder;
  let program;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openapi-'));
    for (const name of ['package.json', 'tsconfig.json', 'purchase.ts']) {
      await cp(join(SOURCE, name), join(folder, name));
    }
    await symlink(join(SOURCE, 'node_modules'), join(folder, 'node_modules'));
  });
  after(() => rm(folder, { recursive: true }));

  /** Runs a package's command; what it printed becomes the message of a failure. */
  async function command(name, ...options) {
    try {
      await run(join(folder, 'node_modules/.bin', name), options, { cwd: folder });
    } catch ({ stdout, stderr }) {
      throw new Error(`${name} failed:\n${stdout}${stderr}`);
    }
  }

  test('is generated from the document that is served, and compiles under strict', async () => {
    const document = new URL('/api/openapi.json', DEVELOPMENT).href;
    await command('openapi-typescript', document, '--default-non-nullable=false', '-o', 'api.d.ts');
    await command('tsc', '--project', '.');
    program = await import(join(folder, 'built/purchase.js'));
  });

  test('buys something, and never twice', async () => {
    const receipt = await program.buy(new URL(DEVELOPMENT).origin, HOME);
    assert.equal(receipt.status, 'CONFIRMED');
    assert.equal(receipt.paid, 'PAID');
    assert.match(receipt.total.amount, /^\d+\.\d\d$/);
    assert.equal(receipt.names.length, 1);
  });

  test('reads why something was refused', async () => {
    const codes = await program.refused(new URL(DEVELOPMENT).origin, 'NO-SUCH-CODE');
    assert.deepEqual(codes, ['INVALID_VOUCHER']);
  });

  test('finds the same document in production', async () => {
    const texts = await Promise.all(
      [DEVELOPMENT, PRODUCTION].map(async (url) => (await fetch(new URL('/api/openapi.json', url))).text()),
    );
    assert.equal(texts[0], texts[1]);
  });
});
