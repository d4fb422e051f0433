"""All places that start the production server start the same one."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER = ["--interface", "asginl", "--http", "1"]
APPLICATION = "shop.asgi:application"


@pytest.mark.parametrize(
    "name", ["Makefile", "Dockerfile", "docs/operations.md", "tests/concurrency/serving.py"]
)
def test_files_that_start_the_server_name_interface_protocol_and_application(name: str) -> None:
    words = (ROOT / name).read_text().replace('"', " ").replace(",", " ").split()
    place = words.index("--interface")
    assert words[place : place + len(SERVER)] == SERVER
    assert APPLICATION in words


def test_benchmarks_start_the_server_of_production() -> None:
    found = runpy.run_path(str(ROOT / "benchmarks" / "contenders" / "production.py"))
    command = found["granian"](8000, workers=2)
    place = command.index("--interface")
    assert command[place : place + len(SERVER)] == SERVER
    assert command[-1] == APPLICATION


def test_no_benchmark_starts_granian_by_another_command() -> None:
    files = (ROOT / "benchmarks").rglob("*.py")
    naming = {path.name for path in files if '"granian", "--interface"' in path.read_text()}
    assert naming == {"production.py"}
