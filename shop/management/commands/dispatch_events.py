"""manage.py dispatch_events: a dispatcher of its own."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from shop import outbox
from shop.models import OutboxEvent
from shop.outbox.processing import loop


class Command(BaseCommand):
    help = (
        "Publishes events and tasks that are due, until it is stopped. Web servers and workers do "
        "so themselves; several may run at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="publish what is there, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            total = outbox.drain()
            left = OutboxEvent.objects.filter(dispatched_at=None).count()
            self.stdout.write(f"{total} published, {left} claimed by others.")
            return
        loop.start(polling=True)
        self.stdout.write("Dispatching; Ctrl-C ends it.")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return
