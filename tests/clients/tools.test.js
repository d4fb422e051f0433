// Tools that read the committed SDL: the Relay compiler, GraphQL Code Generator with tsc, graphql-eslint.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import graphqlEslint from '@graphql-eslint/eslint-plugin';
import { ESLint } from 'eslint';
import relay from 'relay-runtime';
import { guestCart } from './guest.js';
import { ask, DEVELOPMENT } from './shop.js';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const SDL = path('../../schema/schema.graphql');

/** A throwaway project with the SDL in it, so that nothing generated lands in the checkout. */
const projects = [];
async function project(files) {
  const folder = await mkdtemp(join(tmpdir(), 'clients-'));
  projects.push(folder);
  await symlink(path('node_modules'), join(folder, 'node_modules'));
  for (const [name, source] of Object.entries({ 'schema.graphql': SDL, ...files })) {
    await cp(source, join(folder, name), { recursive: true });
  }
  return folder;
}
after(() => Promise.all(projects.map((folder) => rm(folder, { recursive: true }))));

/** Runs a package's command in `cwd`; what it printed becomes the message of a failure. */
function command(cwd, name, ...options) {
  return new Promise((resolve, reject) => {
    execFile(path(`node_modules/.bin/${name}`), options, { cwd }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${name} failed:\n${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}

test('relay-compiler accepts the SDL: connections, refetching, store directives', async () => {
  const folder = await project({
    'relay.config.json': path('relay/relay.config.json'),
    'src/ProductList.ts': path('relay/ProductList.ts'),
  });
  await mkdir(join(folder, 'artifacts'));
  await command(folder, 'relay-compiler', '--noWatchman');
  // The document that the compiler makes of a paginated fragment, sent as relay-runtime would.
  const artifact = await readFile(join(folder, 'artifacts/ProductListCategoryPaginationQuery.graphql.ts'), 'utf8');
  const query = JSON.parse(artifact.match(/^ +"text": (".*")/m)[1]);
  const category = await ask({ query: '{ categories(first: 1) { edges { node { id } } } }' });
  const [{ node }] = category.data.categories.edges;
  const { data, errors } = await ask({ query, variables: { id: node.id, count: 2, cursor: null } });
  assert.equal(errors, undefined);
  assert.equal(data.node.products.edges.length, 2);
});

test('relay-runtime refetches the cart of a guest through node(id)', async () => {
  const folder = await project({
    'relay.config.json': path('relay/guest.config.json'),
    'src/GuestCart.js': path('relay/GuestCart.js'),
  });
  await mkdir(join(folder, 'artifacts'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await command(folder, 'relay-compiler', '--noWatchman');
  const artifact = async (name) => {
    const file = pathToFileURL(join(folder, `artifacts/${name}.graphql.js`));
    return (await import(file)).default;
  };
  const { token, id, add } = await guestCart();
  const sent = [];
  const network = (headers) => relay.Network.create(async ({ text, name }, variables) => {
    sent.push(name);
    return ask({ query: text, variables }, { url: DEVELOPMENT, headers });
  });
  const environmentFor = (headers) => new relay.Environment({
    network: network(headers), store: new relay.Store(new relay.RecordSource()),
  });
  const environment = environmentFor({ 'Cart-Token': token });
  const run = async (where, name, variables) =>
    relay.fetchQuery(where, await artifact(name), variables).toPromise();
  const quantity = () => environment.getStore().getSource().get(id).quantity;
  await run(environment, 'GuestCartQuery', {});
  assert.equal(quantity(), 1);
  assert.equal(await add(2), 3);
  await run(environment, 'GuestCartRefetchQuery', { id });
  assert.equal(quantity(), 3);
  assert.deepEqual(sent, ['GuestCartQuery', 'GuestCartRefetchQuery']);
  // Without the token there is nothing to see.
  const other = environmentFor({});
  await run(other, 'GuestCartRefetchQuery', { id });
  assert.equal(other.getStore().getSource().get(id), undefined);
});

test('codegen types the sample operations, and a strict program compiles with them', async () => {
  const folder = await project({
    'codegen.yml': path('typed/codegen.yml'),
    'tsconfig.json': path('typed/tsconfig.json'),
    'program.ts': path('typed/program.ts'),
    operations: path('../../graphiql/src/operations'),
    'operations/more.graphql': path('typed/operations.graphql'),
  });
  await command(folder, 'graphql-codegen', '--config', 'codegen.yml');
  await command(folder, 'tsc', '--project', '.');
});

// The rule sets as they are, but for two options.
const OPTIONS = {
  // Objects have ids, so that clients can keep one copy of each. Values, lists and results have none.
  '@graphql-eslint/strict-id-in-types': ['error', {
    exceptions: {
      types: [
        'AddressRegion', 'AddressRules', 'AuditChange', 'Availability', 'CartDiscount', 'CartNotice',
        'CartShippingOffer', 'Country', 'DigitalDelivery', 'JobProblem', 'JobProgress', 'JobResult', 'Money', 'NextStep',
        'OrderDiscount', 'PageInfo', 'PostalAddress', 'ProductOption', 'ProductRating',
        'SelectedOption', 'Shop', 'TaxLine', 'UserError',
      ],
      suffixes: ['Connection', 'Edge', 'Payload'],
    },
  }],
  // Unset, it forbids every list that is no connection: `nodes`, `userErrors`, even `[String!]!`.
  '@graphql-eslint/relay-edge-types': ['error', {
    withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false,
  }],
};

for (const name of ['schema-recommended', 'schema-relay']) {
  test(`graphql-eslint has no finding: ${name}`, async () => {
    const { rules } = graphqlEslint.configs[`flat/${name}`];
    const options = Object.fromEntries(Object.entries(OPTIONS).filter(([rule]) => rule in rules));
    const eslint = new ESLint({
      cwd: path('../..'),
      overrideConfigFile: true,
      overrideConfig: {
        files: ['**/*.graphql'],
        plugins: { '@graphql-eslint': graphqlEslint },
        languageOptions: { parser: graphqlEslint.parser, parserOptions: { graphQLConfig: { schema: SDL } } },
        rules: { ...rules, ...options },
      },
    });
    const [{ messages }] = await eslint.lintFiles([SDL]);
    const findings = messages.map(({ line, ruleId, message }) => `${line}: ${message} (${ruleId})`);
    assert.equal(findings.length, 0, `${findings.length} findings\n${findings.join('\n')}`);
  });
}
