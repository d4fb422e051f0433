"""manage.py dead_letters: tasks that were given up."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.table import Table

from shop.management.progress import console, plain
from shop.outbox import dead_letters


class Command(BaseCommand):
    help = "Lists tasks that were given up; tries them again or drops them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("do", choices=["list", "replay", "drop"], nargs="?", default="list")
        parser.add_argument("keys", nargs="*", help="which ones; needed to replay or drop")
        parser.add_argument("--all", action="store_true", help="all of them")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            dead_letters.collect()
        except Exception as error:  # noqa: BLE001 - whatever the broker's trouble, these are here.
            self.stderr.write(f"The broker does not answer ({type(error).__name__}).")
        if options["do"] == "list":
            self._list()
            return
        keys = options["keys"]
        if options["all"]:
            keys = list(dead_letters.dead().values_list("key", flat=True))
        elif not keys:
            raise CommandError("Say which ones, or --all.")
        act = dead_letters.replay if options["do"] == "replay" else dead_letters.drop
        done = "to be tried again" if options["do"] == "replay" else "dropped"
        self.stdout.write(f"{act(keys)} {done}.")

    def _list(self) -> None:
        table = Table("Key", "Task", "With", "Tries", "Given up", "Why")
        for kept in dead_letters.dead():
            given_up = kept.updated_at.isoformat(" ", "seconds")
            error = kept.error.splitlines()[0] if kept.error else ""
            cells = (kept.key, kept.name, str(kept.args), str(kept.attempts), given_up, error)
            table.add_row(*cells)
        console(plain(self.stdout)).print(table)
