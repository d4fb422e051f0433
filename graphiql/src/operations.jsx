import { useEffect, useState } from 'react';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';

// The trusted operations of this very server, as its OpenAPI document tells them: each opens in a
// tab of its own, with variables that were really sent once.
const address = document.getElementById('graphiql').dataset.openapi;
let loading = null;

function load() {
  loading ??= fetch(address, { credentials: 'same-origin' }).then((response) => {
    if (!response.ok) throw new Error(`The server answered with status ${response.status}.`);
    return response.json();
  });
  // What failed is tried again when the panel is opened again.
  loading.catch(() => (loading = null));
  return loading;
}

function variablesOf(endpoint) {
  const body = endpoint.requestBody?.content['application/json'];
  if (body) {
    const onlyInput = /\(\s*\$input: /.test(endpoint['x-graphql-document']);
    return body.example && (onlyInput ? { input: body.example } : body.example);
  }
  const given = endpoint.parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, example, content }) => [name, example ?? content?.['application/json']?.example])
    .filter(([, example]) => example !== undefined);
  return given.length ? Object.fromEntries(given) : undefined;
}

function listed(openapi) {
  const found = Object.values(openapi.paths)
    .flatMap((path) => Object.values(path))
    .filter((endpoint) => endpoint['x-graphql-document']);
  const unique = [...new Map(found.map((endpoint) => [endpoint['x-graphql-document'], endpoint])).values()];
  return Map.groupBy
    ? Map.groupBy(unique, (endpoint) => endpoint.tags[0])
    : unique.reduce((groups, endpoint) => {
        const [tag] = endpoint.tags;
        return groups.set(tag, [...(groups.get(tag) ?? []), endpoint]);
      }, new Map());
}

function Operations() {
  const { addTab } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const [groups, setGroups] = useState(null);
  const [error, setError] = useState('');
  const [wanted, setWanted] = useState('');

  useEffect(() => {
    load().then(
      (openapi) => setGroups(listed(openapi)),
      (problem) => setError(problem.message),
    );
  }, []);

  function open(endpoint) {
    const variables = variablesOf(endpoint);
    addTab();
    // The editors now show the new tab, and tell it what they hold.
    queryEditor.setValue(endpoint['x-graphql-document'].trimEnd());
    variableEditor?.setValue(variables ? JSON.stringify(variables, null, 2) : '');
  }

  const words = wanted.toLowerCase().split(/\s+/);
  const matches = ({ operationId, summary, tags }) => {
    const text = `${operationId} ${summary} ${tags}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const shown = [...(groups ?? [])]
    .map(([tag, endpoints]) => [tag, endpoints.filter(matches)])
    .filter(([, endpoints]) => endpoints.length);

  return (
    <section className="shop-operations" aria-label="Operations">
      <h2 className="graphiql-doc-explorer-title">Operations</h2>
      <input
        type="search"
        placeholder="cart, refund, sign in …"
        aria-label="Find operations"
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
      />
      {error && <p role="alert">{error}</p>}
      {groups && !shown.length && <p>Nothing is called like this.</p>}
      {shown.map(([tag, endpoints]) => (
        <div key={tag}>
          <h3>{tag}</h3>
          <ul>
            {endpoints.map((endpoint) => (
              <li key={endpoint.operationId}>
                <button type="button" onClick={() => open(endpoint)} title={endpoint.description}>
                  <b>{endpoint.operationId}</b> {endpoint.summary}
                </button>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M4 5h3M4 12h3M4 19h3M11 5h9M11 12h9M11 19h9" strokeLinecap="round" />
    </svg>
  );
}

export const operationsPlugin = { title: 'Operations', icon: Icon, content: Operations };
