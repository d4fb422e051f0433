"""Spans of ddtrace hold no tokens and passwords, as the image sets it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOYED = [
    ROOT / name
    for name in ("Dockerfile", "docker-compose.yml", ".env.example", "Makefile", "shop/settings.py")
] + sorted(path for path in (ROOT / "deploy").rglob("*") if path.is_file())
OFF = {"DD_HTTP_SERVER_TAG_QUERY_STRING", "DD_TRACE_GRAPHQL_ENABLED"}


def test_the_image_keeps_query_strings_and_documents_out_of_spans() -> None:
    text = (ROOT / "Dockerfile").read_text()
    # The stage that runs.
    stage = text.rpartition("\nFROM ")[2].replace("\\\n", " ")
    words = [
        word.partition("=")
        for line in stage.splitlines()
        if line.startswith("ENV ")
        for word in line.split()[1:]
    ]
    assert {name for name, _, value in words if value == "false"} >= OFF


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: path.name)
def test_nothing_that_is_deployed_tags_headers(path: Path) -> None:
    assert not re.search("DD_TRACE(_REQUEST)?_HEADER_TAGS|DD_HEADER_TAGS", path.read_text())


def test_the_manual_names_what_the_image_sets() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    assert all(f"`{name}=false`" in text for name in OFF)
