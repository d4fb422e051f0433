"""Exporting: batches, progress and the command."""

import gzip
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.actions import exporting, importing
from shop.actions.exporting import Progress, runner
from shop.models import Product
from tests.shop.exporting.round_trips import cells, export, outcome

pytestmark = pytest.mark.django_db


def test_a_batch_costs_the_same_however_large(world: SimpleNamespace) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert export()[1].products == len(world.products)
        counts.append(len(queries))
        world.add(4)
    assert counts[0] == counts[1] <= 20


def test_batches_stream_in_the_order_of_ids(
    world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH", 3)
    steps: list[Progress] = []
    whole, _ = export(on_progress=steps.append)
    assert steps == [Progress(3, 4), Progress(4, 4)]
    handles = list(dict.fromkeys(row["Handle"] for row in cells(whole)))
    assert handles == ["mug-1", "mug-2", "mug-3", "mug-4"]
    some = Product.objects.filter(variants__sku__startswith="MUG-2").order_by("-pk")
    text, exported = export(products=some)
    assert {row["Handle"] for row in cells(text)} == {"mug-2"}
    assert exported.products == 1


def test_what_progress_raises_ends_the_run_between_two_batches(
    world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH", 2)
    file = io.StringIO(newline="")

    def stop(step: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exporting.run(file, on_progress=stop)
    assert {row["Handle"] for row in cells(file.getvalue())} == {"mug-1", "mug-2"}


@pytest.mark.parametrize("name", ["catalog.csv", "catalog.csv.gz"])
def test_the_command_writes_a_file_that_can_be_imported(
    world: SimpleNamespace, tmp_path: Path, name: str, tables: Any
) -> None:
    path, out = tmp_path / name, io.StringIO()
    call_command("export_products", str(path), stdout=out)
    first, before = path.read_bytes(), tables()
    assert "4 products in 16 rows, 1 problems." in out.getvalue()
    assert outcome(importing.run([path])) == (0, 0, 4, 0)
    assert tables() == before
    call_command("export_products", str(path), stdout=out)
    assert path.read_bytes() == first
    text = gzip.decompress(first) if name.endswith(".gz") else first
    assert text.startswith("\ufeffHandle,".encode())
    call_command("export_products", str(path), delimiter="tab", stdout=out)
    assert outcome(importing.run([path])) == (0, 0, 4, 0)


def test_an_export_that_is_stopped_leaves_the_old_file(
    world: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: Any) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "catalog.csv"
    path.write_text("old")
    monkeypatch.setattr(runner.loading, "load", stop)
    with pytest.raises(CommandError) as caught:
        call_command("export_products", str(path))
    assert caught.value.returncode == 130
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [
        ("catalog.csv", "old")
    ]


def test_the_command_writes_chosen_products_to_the_output(world: SimpleNamespace) -> None:
    out, err = io.StringIO(newline=""), io.StringIO()
    call_command("export_products", "-", handle=["mug-3", "mug-1"], stdout=out, stderr=err)
    assert {row["Handle"] for row in cells(out.getvalue())} == {"mug-1", "mug-3"}
    assert "2 products in 8 rows" in err.getvalue()


def test_the_command_refuses_what_it_cannot_do(world: SimpleNamespace, tmp_path: Path) -> None:
    missing = tmp_path / "no" / "catalog.csv"
    for file, handles in ((tmp_path, []), (missing, []), (tmp_path / "a.csv", ["mug-1", "nix"])):
        with pytest.raises(CommandError) as caught:
            call_command("export_products", str(file), handle=handles)
        assert caught.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_gets_a_bar(
    world: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    err = Terminal()
    call_command("export_products", str(tmp_path / "a"), stdout=io.StringIO(), stderr=err)
    assert "100%" in err.getvalue()
    assert "4 products" in err.getvalue()
