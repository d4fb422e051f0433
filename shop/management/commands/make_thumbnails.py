"""Draws thumbnails that are missing, such as those whose task a broker lost."""

from typing import Any

from django.core.management.base import BaseCommand

from shop.actions.catalog.media import make_thumbnails
from shop.models import Media


class Command(BaseCommand):
    help = "Draws the thumbnails of uploaded pictures that have none."

    def handle(self, *args: Any, **options: Any) -> None:
        keys = Media.objects.filter(thumbnails={}).exclude(file="").values_list("pk", flat=True)
        failed = 0
        for key in list(keys):
            try:
                make_thumbnails(key)
            except OSError as error:
                failed += 1
                self.stderr.write(f"Picture {key}: {error}")
        self.stdout.write(f"{len(keys) - failed} drawn, {failed} failed.")
