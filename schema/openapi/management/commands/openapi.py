"""`manage.py openapi`: writes the OpenAPI document, or the examples that it shows."""

from __future__ import annotations

import json
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.test.utils import override_settings, setup_databases, teardown_databases

from schema.openapi.document import document
from schema.openapi.examples import EXAMPLES, Example, samples
from schema.openapi.recording import Recorder
from schema.trusted import operations


class Command(BaseCommand):
    help = (
        "Writes the OpenAPI document of the trusted operations. With --examples, makes the "
        "requests of schema/openapi/samples.json to a sample shop, in a database that is thrown "
        "away, and writes schema/openapi/examples.json."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, help="a file; standard output without it")
        parser.add_argument("--examples", action="store_true", help="record the examples anew")

    def handle(self, *, out: Path | None, examples: bool, **options: Any) -> None:
        if examples:
            found = {name: asdict(example) for name, example in sorted(_record().items())}
            EXAMPLES.write_text(f"{json.dumps(found, indent=1, ensure_ascii=False)}\n")
            self.stdout.write(f"{len(found)} examples in {EXAMPLES.name}.")
            return
        text = json.dumps(document(), indent=1, ensure_ascii=False)
        if out is None:
            self.stdout.write(text)
        else:
            out.write_text(f"{text}\n")


def _record() -> dict[str, Example]:
    """The examples, from a sample shop of their own."""
    with (
        TemporaryDirectory() as folder,
        override_settings(
            # Whatever is asked for is done when it is answered.
            BACKGROUND="inline",
            EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
            MEDIA_ROOT=folder,
            ALLOWED_HOSTS=["localhost"],
        ),
    ):
        databases = setup_databases(verbosity=0, interactive=False)
        try:
            call_command("seed", catalog_only=True, verbosity=0, stdout=StringIO())
            recorder = Recorder(operations())
            for sample in samples():
                recorder.run(sample)
        finally:
            teardown_databases(databases, verbosity=0)
    return recorder.examples
