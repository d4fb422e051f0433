"""The ASGI application that production servers load: shop.wsgi behind request buffers."""

from shop.worker_signals import end_while_loading

end_while_loading()

# It takes seconds, and sets Django up.
from shop.wsgi import application as wsgi  # isort: split

from shop.web_server import buffered

application = buffered(wsgi)
