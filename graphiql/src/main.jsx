import './workers.js';
import './monaco.js';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './style.css';

import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { createFetcher } from './api.js';
import { Bar } from './bar.jsx';
import { defaultTabs } from './tabs.js';

const root = document.getElementById('graphiql');
const endpoint = root.dataset.endpoint || '/graphql/';
const fetcher = createFetcher(endpoint);

createRoot(root).render(
  <>
    <Bar endpoint={endpoint} />
    <GraphiQL fetcher={fetcher} defaultTabs={defaultTabs} defaultEditorToolsVisibility="variables" />
  </>,
);
