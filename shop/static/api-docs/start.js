// Starts Swagger UI: in a file of its own, because the Content-Security-Policy lets no script in a page.
const place = document.getElementById('api-docs');

/** Follows the references of `value`, which all lead into the document itself. */
function resolved(value, document, within = []) {
  if (Array.isArray(value)) return value.map((inner) => resolved(inner, document, within));
  if (value === null || typeof value !== 'object') return value;
  const { $ref, ...rest } = value;
  // One that leads round in a circle stays as it is.
  if (typeof $ref !== 'string' || within.includes($ref)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner, document, within)]));
  }
  const target = $ref.split('/').slice(1).reduce((found, step) => found[step], document);
  // What stands beside a reference is about this place.
  return { ...resolved(target, document, [...within, $ref]), ...rest, $$ref: $ref };
}

// Swagger UI's own way reads the whole document anew for each operation that is opened.
const LocalReferences = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        requestResolvedSubtree: (original, { specActions, specSelectors }) => (path) => {
          const json = specSelectors.specJson();
          const found = json.getIn(path);
          if (!found || specSelectors.specResolvedSubtree(path)) return;
          specActions.updateResolvedSubtree(path, resolved(found.toJS(), json.toJS()));
        },
      },
    },
  },
});

const ui = SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  plugins: [LocalReferences],
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: 'list',
  filter: true,
  // Their list is long, and each answer shows those that it has.
  defaultModelsExpandDepth: -1,
  // Else addresses of other hosts would be asked what they think of the document.
  validatorUrl: null,
  responseInterceptor(response) {
    // Who has signed in here is signed in here: no need to copy the token.
    const token = response.body?.data?.tokenAuth?.token;
    if (token) ui.preauthorizeApiKey('token', token);
    return response;
  },
});
