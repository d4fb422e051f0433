"""Whatever the shop stores, as text, to look for what should not be there."""

import re
from collections.abc import Iterable
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session as ScreenSession


def everything() -> str:
    """All tables of all apps, and all private files."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        rows = list(model._base_manager.order_by("pk").values())
        found += [f"{model._meta.label} {row}" for row in rows]
        if model is ScreenSession:
            found += [str(row.get_decoded()) for row in ScreenSession.objects.all()]
    root = Path(settings.STORAGES["private"]["OPTIONS"]["location"])
    files = [path for path in root.rglob("*") if path.is_file()]
    found += [f"{path} {path.read_text()}" for path in files]
    return "\n".join(" ".join(text.split()) for text in found)


def places_of(words: Iterable[str]) -> dict[str, list[str]]:
    """Which of `words` there are, in lower case, with the tables and files that have them.

    Digits within a longer number, such as the microseconds of a time, are no trace.
    """
    lines = everything().splitlines()
    found: dict[str, list[str]] = {}
    for word in words:
        is_there = re.compile(
            rf"(?<!\d){re.escape(word)}(?!\d)" if word.isdigit() else re.escape(word)
        )
        places = {line.split(" ", 1)[0] for line in lines if is_there.search(line.lower())}
        if places:
            found[word] = sorted(places)
    return found
