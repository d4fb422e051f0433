"""The shop behind an event loop, to measure what async would cost or bring."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

application = get_asgi_application()

# As shop.wsgi does: no first request waits for them.
from shop import outbox, urls  # noqa: E402, F401

outbox.start(polling=False)
