"""Gets events to those who subscribed, and runs what they asked for, without losing any.

subscriptions  who is told of what, and what runs by the clock
dispatching    claims events, publishes them, marks them
running        runs a task; a failure is written down and tried again, at last a dead letter
broker         publishes to RabbitMQ
crew           threads of this process that run tasks where there is no broker
processing     where tasks run: Celery's workers, threads of this process, or at once (in tests)
dead_letters   looks at tasks that were given up, tries them again, drops them
housekeeping   removes old rows
"""

from shop.outbox.processing import drain, send, start, wake
from shop.outbox.subscriptions import periodic, subscriber, task, witnesses

__all__ = ["drain", "periodic", "send", "start", "subscriber", "task", "wake", "witnesses"]
