// What tools that ask the server itself for its schema get.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema } from 'graphql';
import { ask, PRODUCTION } from './shop.js';

const sorted = (schema) => printSchema(lexicographicSortSchema(schema));

test('the development server tells the schema that is committed', async () => {
  const { data, errors } = await ask({ query: getIntrospectionQuery({ specifiedByUrl: true }) });
  assert.equal(errors, undefined);
  const committed = await readFile(new URL('../../schema/schema.graphql', import.meta.url), 'utf8');
  assert.equal(sorted(buildClientSchema(data)), sorted(buildSchema(committed)));
});

test('production refuses introspection with a code, and answers __typename', async () => {
  const { data, errors } = await ask({ query: getIntrospectionQuery() }, { url: PRODUCTION });
  assert.equal(data, undefined);
  assert(errors.every(({ extensions }) => extensions.code === 'VALIDATION_FAILED'));
  assert.deepEqual(await ask({ query: '{ __typename }' }, { url: PRODUCTION }), { data: { __typename: 'Query' } });
});

test('production suggests no names', async () => {
  for (const query of ['{ shopp { name } }', '{ shop { nam } }', '{ products(frist: 1) { totalCount } }']) {
    const { errors } = await ask({ query }, { url: PRODUCTION });
    assert.doesNotMatch(JSON.stringify(errors), /Did you mean/);
  }
});
