// Starts Swagger UI: in a file of its own, because the Content-Security-Policy lets no script in a page.
const place = document.getElementById('api-docs');

const ui = SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
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
