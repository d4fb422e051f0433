"""What follows a change: tasks, sent by their registered name once the change is committed."""

from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction


def after_commit(task_name: str, *args: Any) -> None:
    """Runs the task `task_name` with `args` (ids, not objects) after the caller's transaction.

    With no broker configured the task runs in this process. A task that fails there is logged and
    does not undo or fail the change that asked for it.
    """
    transaction.on_commit(partial(_send, task_name, args), robust=True)


def _send(task_name: str, args: tuple[Any, ...]) -> None:
    current_app.tasks[task_name].apply_async(args=args)
