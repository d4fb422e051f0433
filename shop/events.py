"""What follows a change: tasks, sent by their registered name once the change is committed."""

from typing import Any

from celery import current_app
from django.db import transaction


def after_commit(task_name: str, *args: Any) -> None:
    """Runs the task `task_name` with `args` (ids, not objects) after the caller's transaction.

    With no broker configured the task runs in this process. A task that fails there is logged and
    does not undo or fail the change that asked for it.
    """

    def send() -> None:
        current_app.tasks[task_name].apply_async(args=args)

    transaction.on_commit(send, robust=True)
