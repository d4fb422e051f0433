"""Signals of a granian worker while it loads the shop."""

import multiprocessing
import os
import signal

from granian.server.common import AbstractServer


def end_while_loading() -> None:
    """Ends a worker that gets SIGTERM before it has loaded the shop.

    granian forks its workers, and handles SIGTERM in them only once the application is loaded.
    Until then they have the handlers of the first process, which set a flag that no worker reads:
    the signal would be lost, and the first process would wait for the worker forever.
    """
    if multiprocessing.parent_process() is None:
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        server = getattr(signal.getsignal(number), "__self__", None)
        if not isinstance(server, AbstractServer):
            continue
        signal.signal(number, signal.SIG_DFL)
        # The signal came between the fork and now.
        if server.interrupt_signal:
            os.kill(os.getpid(), number)
