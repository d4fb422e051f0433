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

// By area. What goes by GET and by POST is one operation.
function listed(openapi) {
  const areas = new Map();
  for (const path of Object.values(openapi.paths)) {
    const [endpoint] = Object.values(path);
    const [area] = endpoint.tags;
    areas.set(area, [...(areas.get(area) ?? []), endpoint]);
  }
  return areas;
}

function Operations() {
  const { addTab } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const [areas, setAreas] = useState(null);
  const [error, setError] = useState('');
  const [wanted, setWanted] = useState('');

  useEffect(() => {
    load().then(
      (openapi) => setAreas(listed(openapi)),
      (problem) => setError(problem.message),
    );
  }, []);

  function open(endpoint) {
    const variables = endpoint['x-graphql-variables'] ?? {};
    addTab();
    // The editors now show the new tab, and tell it what they hold.
    queryEditor.setValue(endpoint['x-graphql-document'].trimEnd());
    variableEditor?.setValue(Object.keys(variables).length ? JSON.stringify(variables, null, 2) : '');
  }

  const words = wanted.toLowerCase().split(/\s+/);
  const matches = ({ operationId, summary, tags }) => {
    const text = `${operationId} ${summary} ${tags}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const shown = [...(areas ?? [])]
    .map(([area, endpoints]) => [area, endpoints.filter(matches)])
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
      {areas && !shown.length && <p>Nothing is called like this.</p>}
      {shown.map(([area, endpoints]) => (
        <div key={area}>
          <h3>{area}</h3>
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
