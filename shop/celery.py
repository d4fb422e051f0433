"""The Celery application, set so that nothing is lost. docs/background.md tells why each is set.

celery -A shop worker -Q events,mail,housekeeping
celery -A shop worker -Q webhooks --pool threads
celery -A shop worker -Q imports
celery -A shop beat
"""

import os
from typing import Any

from celery import Celery
from celery.signals import (
    setup_logging,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutting_down,
)
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

QUEUES = ("events", "mail", "webhooks", "imports", "housekeeping")
# Where the broker puts a message that has come back too often, because it kills its workers.
DEAD_LETTERS = Queue("dead", routing_key="dead", queue_arguments={"x-queue-type": "quorum"})
_DELIVERIES = 10

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")


def _queue(name: str) -> Queue:
    """A queue that survives the broker, and whose dead letters do too."""
    return Queue(
        name,
        Exchange("shop", type="direct"),
        routing_key=name,
        queue_arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": _DELIVERIES,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": DEAD_LETTERS.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


app.conf.update(
    task_queues=[_queue(name) for name in QUEUES],
    task_default_queue="events",
    task_default_exchange="shop",
    task_default_routing_key="events",
    task_create_missing_queues=False,
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    # A message is done when its task is, and comes back when the worker has died.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # What failed is written down; a message that ends otherwise must not count as done.
    task_acks_on_failure=False,
    task_acks_on_timeout=False,
    worker_prefetch_multiplier=1,
    # Seconds to wait for a result of a killed process; there are none.
    worker_lost_wait=1.0,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    # Publishing returns once the broker has the message on disk, and fails soon where it is gone.
    broker_transport_options={
        "confirm_publish": True,
        "max_retries": 0,
        "connect_timeout": 2,
    },
    broker_connection_timeout=2,
    broker_connection_retry=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_heartbeat=10,
    task_publish_retry=False,
    # A task that hangs is stopped, then killed; imports and exports have their own limit.
    task_soft_time_limit=240,
    task_time_limit=300,
    worker_max_tasks_per_child=1000,
    worker_hijack_root_logger=False,
)
app.autodiscover_tasks()


@app.on_after_finalize.connect
def _schedule(sender: Celery, **_: Any) -> None:
    """What runs by the clock, as the tasks declare it."""
    from shop.outbox.subscriptions import periods

    for name, period in periods.items():
        # A turn that no worker took is worth nothing once the next has come.
        options = {"queue": period.queue, "expires": period.seconds}
        sender.add_periodic_task(period.seconds, sender.tasks[name].s(), name=name, **options)


@setup_logging.connect
def _log_as_django_does(**_: Any) -> None:
    from logging.config import dictConfig

    from django.conf import settings

    dictConfig(settings.LOGGING)


@worker_init.connect
def _leave_delays_out(**_: Any) -> None:
    """Without this a worker on quorum queues declares 28 more of them, for delays in the broker.

    What is to run later is kept in the database (shop/outbox/running.py).
    """
    from celery.worker.consumer import Consumer

    step = "celery.worker.consumer.delayed_delivery:DelayedDelivery"
    if step in Consumer.Blueprint.default_steps:
        Consumer.Blueprint.default_steps.remove(step)


@worker_ready.connect
def _begin(sender: Any, **_: Any) -> None:
    from shop import outbox

    outbox.start()
    # It must be there before the first dead letter: the broker looks for it only every few minutes.
    with app.connection_for_write() as connection, connection.channel() as channel:
        DEAD_LETTERS(channel).declare()


@worker_shutting_down.connect
def _end(**_: Any) -> None:
    from shop.outbox.processing import loop

    loop.stop()


@worker_process_init.connect
def _dispatch_own_events(**_: Any) -> None:
    from shop import outbox

    outbox.start(polling=False)
