"""Request buffering: an ASGI application that runs a WSGI one in a bounded pool of threads.

The event loop receives each request body as a whole before a thread sees the request, and sends
each response after the thread has let go of it. Slow clients therefore hold no thread.

bodies        receives a body: deadline, size limits, spooling to disk
quotas        bytes that are buffered, in total and for each client
environ       translates an ASGI scope to a WSGI environ
application   the ASGI application
"""

from shop.buffering.application import BufferedWSGI
from shop.buffering.bodies import BodyLimits, BodyRefused
from shop.buffering.environ import REFUSED
from shop.buffering.quotas import Quota

__all__ = ["REFUSED", "BodyLimits", "BodyRefused", "BufferedWSGI", "Quota"]
