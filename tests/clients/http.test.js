// The audits of the GraphQL-over-HTTP working group's reference implementation, all levels of them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { DEVELOPMENT, PRODUCTION } from './shop.js';

// These four ask for `__type`, which production refuses on purpose; the same four pass in development.
const INTROSPECTING = ['2EA1', '28B9', 'D6D5', '6A70'];

test('there are 61 audits', () => assert.equal(serverAudits({ url: DEVELOPMENT }).length, 61));

for (const [server, url] of Object.entries({ development: DEVELOPMENT, production: PRODUCTION })) {
  describe(`graphql-http, ${server}`, () => {
    const audits = serverAudits({ url });
    for (const audit of audits) {
      if (url === PRODUCTION && INTROSPECTING.includes(audit.id)) continue;
      test(audit.name, async () => {
        const { status, reason, response } = await audit.fn();
        // "notice" and "warn" are a MAY and a SHOULD that is not met: we meet them, too.
        assert.equal(status, 'ok', `${audit.id} ${status}: ${reason} (HTTP ${response?.status})`);
      });
    }
  });
}
