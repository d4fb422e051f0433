// The tabs of a first visit: every operation of ./operations, in the order of
// the file names, each with the variables of the .variables.json file beside it.
const operations = import.meta.glob('./operations/*.graphql', { query: '?raw', import: 'default', eager: true });
const variables = import.meta.glob('./operations/*.variables.json', { query: '?raw', import: 'default', eager: true });

export const signInOperation = operations['./operations/5-sign-in.graphql'];

export const defaultTabs = Object.keys(operations)
  .sort()
  .map((path) => ({
    query: operations[path].trimEnd(),
    variables: variables[path.replace(/\.graphql$/, '.variables.json')]?.trimEnd() ?? '',
  }));
