// How the reference is searched: the same when the index is written and when it is read.

// "cartLinesAdd" is found by itself, and by "cart", "lines" and "add".
const words = (text) => text.match(/[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])/g) ?? [];

export const OPTIONS = {
  fields: ['name', 'parts', 'inside', 'about'],
  storeFields: ['name', 'kind', 'about'],
  tokenize: (text) => text.match(/[A-Za-z0-9_]+/g) ?? [],
  processTerm: (term) => term.toLowerCase(),
  searchOptions: {
    boost: { name: 8, parts: 4, inside: 2 },
    prefix: true,
    fuzzy: (term) => (term.length > 4 ? 0.2 : false),
    combineWith: 'AND',
  },
};

// An entry of the index; what is stored of it is the first sentence about it.
export const entry = ({ about, ...rest }) => ({
  ...rest,
  parts: words(rest.name).join(' '),
  about: about.replace(/\s+/g, ' ').replace(/(\. ).*$/, '.'),
});
