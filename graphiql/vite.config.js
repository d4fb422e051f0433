import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { licenses } from './licenses.js';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const { collect, write } = licenses();

// Two things are put in place of larger ones, see the comments in the files.
const alias = [
  { find: /^monaco-editor\/esm\/vs\/editor\/edcore\.main\.js$/, replacement: path('src/monaco.js') },
  { find: /^prettier\/(plugins\/estree|parser-babel)$/, replacement: path('src/prettier-jsonc.js') },
  { find: 'prettier/parser-graphql', replacement: 'prettier/plugins/graphql' },
];

// Each output is one script: a chunk that imported the entry back by its plain
// name would load it twice where the static files storage adds hashes to names.
const output = { entryFileNames: '[name].js', codeSplitting: false, comments: { legal: false } };

export default defineConfig({
  // Every URL is relative to the file that names it: STATIC_URL may be anything.
  base: './',
  publicDir: false,
  resolve: { alias },
  oxc: { jsx: { runtime: 'automatic' } },
  plugins: [collect(), write],
  worker: {
    format: 'es',
    plugins: () => [collect()],
    rolldownOptions: { output },
  },
  build: {
    target: 'es2022',
    outDir: path('../shop/static/graphiql'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    sourcemap: false,
    chunkSizeWarningLimit: 5000,
    rolldownOptions: {
      input: { graphiql: path('src/main.jsx') },
      checks: { moduleLevelDirective: false },
      output: {
        ...output,
        assetFileNames: ({ names }) => (names.some((name) => name.endsWith('.css')) ? 'graphiql.css' : '[name][extname]'),
      },
    },
  },
});
