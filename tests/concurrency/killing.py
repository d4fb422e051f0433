"""The shop's server, but that it dies at the step of a checkout that a request names.

    granian --interface asginl tests.concurrency.killing:application

The header X-Die-At holds one of STEPS. The process is killed there as by a failing machine: nothing
is closed, undone or told.
"""

import os
import signal
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
shop = get_wsgi_application()

from shop.actions.checkout import completing
from shop.actions.payments import applying, paying
from shop.gateways.demo import Demo
from shop.web_server import buffered

# In their order: before the commit of the order, after it, after the charge, before the commit of
# the outcome, after it.
STEPS = ("written", "committed", "charged", "applying", "applied")
_asked: ContextVar[str] = ContextVar("asked", default="")


def _run(environ: dict[str, Any], start_response: Any) -> Any:
    _asked.set(environ.get("HTTP_X_DIE_AT", ""))
    return shop(environ, start_response)


application = buffered(_run)


def _die(step: str) -> None:
    if _asked.get() == step:
        os.kill(os.getpid(), signal.SIGKILL)


def _around(owner: Any, name: str, *, before: str | None = None, after: str | None = None) -> None:
    """Makes `owner.name` die before or after it was called."""
    usual: Callable[..., Any] = getattr(owner, name)

    def called(*args: Any, **kwargs: Any) -> Any:
        if before:
            _die(before)
        result = usual(*args, **kwargs)
        if after:
            _die(after)
        return result

    setattr(owner, name, called)


_around(completing, "_place", after="written")
_around(completing, "_pay", before="committed", after="applied")
_around(Demo, "pay", after="charged")
_around(applying, "_apply", after="applying")
assert paying.apply is applying.apply
