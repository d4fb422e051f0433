"""Gets events to those who subscribed, and runs what they asked for, without losing any.

subscriptions  who is told of what, and what runs by the clock
dispatching    claims events, publishes them, marks them
running        runs a task; a failure is written down and tried again, at last a dead letter
processing     where tasks run: Celery's workers, threads of this process, or at once (in tests)
"""

from shop.outbox.processing import drain, send, start, wake
from shop.outbox.subscriptions import periodic, subscriber, task

__all__ = ["drain", "periodic", "send", "start", "subscriber", "task", "wake"]
