"""`manage.py erd`: draws the entity-relationship diagram into docs/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.management.erd.drawing import draw_picture
from shop.management.erd.page import draw_page
from shop.management.erd.tables import read_domains


class Command(BaseCommand):
    help = "Draws the entity-relationship diagram from the models into docs/erd.md and erd.svg."
    # The diagram comes from the models alone, so a half-configured shop can draw it too.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail if a file is stale"
        )
        parser.add_argument(
            "--directory",
            type=Path,
            default=Path(settings.BASE_DIR) / "docs",
            help="where the files are (default: docs)",
        )

    def handle(self, *, check: bool, directory: Path, **options: Any) -> None:
        files = {directory / name: text for name, text in draw().items()}
        if check:
            stale = [path.name for path, text in files.items() if _content(path) != text]
            if stale:
                raise CommandError(
                    f"Stale in {directory.name}/: {', '.join(stale)}. The models have changed: "
                    "run `make erd` and commit the result."
                )
            return
        directory.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8", newline="\n")
            self.stdout.write(f"Wrote {directory.name}/{path.name}")


def draw() -> dict[str, str]:
    """The files of the diagram by name."""
    domains = read_domains()
    return {"erd.md": draw_page(domains), "erd.svg": draw_picture(domains)}


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
