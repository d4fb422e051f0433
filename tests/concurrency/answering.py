"""A server whose answers are kept, which counts what it reads and dies when it is asked to.

    granian --interface asginl tests.concurrency.answering:application

Each statement of an answer that reads products is a line in the file RECORD, and takes RECORD_WORK
seconds more.
A request with the header X-Die is killed right after its commit, before it tells anyone.
"""

import os
import signal
import time
from contextvars import ContextVar
from typing import Any

from django.db.backends.utils import CursorWrapper

# It sets Django up, and starts a dispatcher.
from shop.wsgi import application as shop  # isort: split

from shop.generations import raising
from shop.web_server import buffered

_dies: ContextVar[bool] = ContextVar("dies", default=False)
_record = os.open(os.environ.get("RECORD", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
_work = float(os.environ.get("RECORD_WORK", "0"))


def _run(environ: dict[str, Any], start_response: Any) -> Any:
    _dies.set("HTTP_X_DIE" in environ)
    return shop(environ, start_response)


application = buffered(_run)


def _execute(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
    reads = str(sql).startswith("SELECT") and 'FROM "shop_product"' in str(sql)
    # When the next product is published each process finds out for itself, and for all answers.
    if reads and '"published_at" >' not in str(sql):
        os.write(_record, f"{os.getpid()}\n".encode())
        time.sleep(_work)
    return _usual_execute(self, sql, params)


def _drop(names: Any) -> None:
    if _dies.get():
        os.kill(os.getpid(), signal.SIGKILL)
    _usual_drop(names)


_usual_execute, _usual_drop = CursorWrapper.execute, raising.drop
CursorWrapper.execute = _execute  # type: ignore[method-assign]
raising.drop = _drop
