import './workers.js';
import './monaco.js';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './style.css';

import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { createFetcher } from './api.js';
import { Bar } from './bar.jsx';
import { operationsPlugin } from './operations.jsx';
import { defaultTabs } from './tabs.js';

const root = document.getElementById('graphiql');
const endpoint = root.dataset.endpoint || '/graphql/';
const fetcher = createFetcher(endpoint);
// A server without the addresses of plain HTTP has no such list.
const plugins = root.dataset.openapi ? [operationsPlugin, HISTORY_PLUGIN] : [HISTORY_PLUGIN];

createRoot(root).render(
  <>
    <Bar endpoint={endpoint} />
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      defaultTabs={defaultTabs}
      defaultEditorToolsVisibility="variables"
    />
  </>,
);
