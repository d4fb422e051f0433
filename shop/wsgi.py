"""The WSGI application that production servers load."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

application = get_wsgi_application()

# The addresses with the schema and the trusted operations: a fault in them stops the start, and no
# first request waits for them.
from shop import database, outbox, urls  # noqa: E402, F401 - models load with the application.

database.serve_requests()
# The web server publishes its own events at once; without a broker it runs the tasks too.
outbox.start(polling=False)
