// GraphiQL prettifies variables and headers with prettier's JavaScript parser,
// which is half a megabyte. This is a prettier plugin that does it with
// jsonc-parser, which is in the bundle anyway (vite.config.js puts it there).
import { applyEdits, format } from 'jsonc-parser';

const options = { tabSize: 2, insertSpaces: true, eol: '\n' };

export const parsers = {
  jsonc: {
    astFormat: 'jsonc-text',
    parse: (text) => ({ text: applyEdits(text, format(text, undefined, options)).trim() }),
    locStart: () => 0,
    locEnd: (node) => node.text.length,
  },
};

export const printers = {
  'jsonc-text': { print: (path) => path.node.text },
};
