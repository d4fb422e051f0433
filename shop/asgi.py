"""The ASGI application that production servers load: shop.wsgi behind request buffers."""

from shop.wsgi import application as wsgi  # isort: split

# Django is set up now.
from shop.web_server import buffered

application = buffered(wsgi)
