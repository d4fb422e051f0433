"""Importing: files good and bad, crashes, dry runs, the command and its report."""

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from shop.actions import importing, inventory
from shop.actions.catalog.variants import variant_name
from shop.actions.importing import (
    Code,
    NotACatalog,
    Progress,
    batches,
    creating,
    current,
    reader,
    runner,
)
from shop.errors import Conflict
from shop.models import Brand, Category, ImportRecord, Product, Stock, Variant

pytestmark = pytest.mark.django_db

HEADER = (
    "Handle,Title,Vendor,Type,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,"
    "Variant Price,Image Src"
)
SEVEN = [
    HEADER,
    *(
        f"mug-{n},Mug {n},Ladlemoor,Mugs,Size,S,SKU-{n},3,10,https://example.org/{n}.webp"
        for n in range(7)
    ),
]


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """`file(content, name)`: a file of these lines, text or bytes."""

    def write(content: list[str] | str | bytes, name: str = "catalog.csv") -> Path:
        if isinstance(content, list):
            content = "\r\n".join([*content, ""])
        if isinstance(content, str):
            content = content.encode()
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "BATCH", 2)


class Crash(Exception):
    pass


def is_whole(product: Product) -> bool:
    return (
        product.variants.filter(stock__on_hand=3).count() == 1
        and product.media.count() == 1
        and product.brand is not None
        and product.import_record.handle == product.slug
    )


def outcome(report: importing.Report) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.skipped


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_line_endings_marks_and_compression_make_no_difference(
    file: Any, ending: str, mark: bytes, pack: Callable[[bytes], bytes]
) -> None:
    text = ending.join([*SEVEN, "mug-0,again,,,,,,,1,", ""])
    report = importing.run([file(pack(mark + text.encode()))])
    assert outcome(report) == (7, 0, 0, 1)
    assert [(problem.row, problem.code) for problem in report.problems] == [
        (9, Code.HANDLE_REPEATED)
    ]


def test_rows_are_physical_lines(file: Any) -> None:
    lines = [HEADER, "", 'a,"A\nb\n",,,,,,,10,', "", "b,B,,,,,,,bad,", ",,,,,,,,,", "c,,,,,,,,1,"]
    report = importing.run([file(lines)])
    assert [(problem.row, problem.handle) for problem in report.problems] == [(7, "b"), (9, "c")]


def test_open_files_are_read_from_their_start_and_stay_open() -> None:
    upload = io.BytesIO(gzip.compress("\n".join(SEVEN).encode()))
    upload.read(10)
    assert importing.run([upload]).created == 7
    assert not upload.closed


@pytest.mark.parametrize(
    ("rows", "skipped"),
    [
        (["bad,Bad,,,,", "good,Good,,,,,,,1,"], ["bad"]),
        (["bad,Bad,,,,,,,1,,extra", "good,Good,,,,,,,1,"], ["bad"]),
        (["bad,Bad,,,,,,,1,", "bad,,,", "good,Good,,,,,,,1,"], ["bad"]),
        (["good,Good,,,,,,,1,", "bad,Bad,,,,,SKU,1,1"], ["bad"]),
        (["good,Good,,,,,,,1,,,", 'bad,"Bad,,,,,,,1,'], ["bad"]),
        (["bad,Bad <p>", "</p>,,,,,,,1,", "good,Good,,,,,,,1,"], ["bad", "</p>"]),
    ],
)
def test_a_malformed_row_skips_its_product_only(
    file: Any, rows: list[str], skipped: list[str]
) -> None:
    report = importing.run([file([HEADER, *rows])])
    assert [product.slug for product in Product.objects.all()] == ["good"]
    assert {problem.code for problem in report.problems} == {Code.ROW_MALFORMED}
    assert report.skipped == len(skipped)


def test_a_product_of_too_many_rows_is_skipped(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_ROWS", 3)
    rows = [f"mug,,,,,,,,,/{n}.webp" for n in range(5)]
    report = importing.run([file([*SEVEN, "mug,Mug,,,,,,,1,", *rows])])
    assert outcome(report) == (7, 0, 0, 1)
    assert [problem.code for problem in report.problems] == [Code.PRODUCT_TOO_LARGE]


def test_an_endless_cell_does_not_stop_the_others(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_CELL", 200)
    report = importing.run([file([*SEVEN, f"big,{'x' * 300},,,,,,,1,", "cup,Cup,,,,,,,1,"])])
    assert outcome(report) == (8, 0, 0, 1)
    assert [(problem.row, problem.code) for problem in report.problems] == [(9, Code.ROW_MALFORMED)]


WRONG = {
    "empty.csv": (b"", "empty"),
    "blank.csv": (b"\n\n", 'no column "Handle" and "Title"'),
    "headers.csv": (b"Name,Price\nMug,1\n", 'no column "Handle" and "Title"'),
    "half.csv": (b"Handle,Price\nmug,1\n", 'no column "Title"'),
    "twice.csv": (b"Handle,Title,title\nmug,Mug,Mug\n", "twice"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not a text file"),
    "table.xlsx": (b"PK\x03\x04\x14\x00", "workbook"),
    "late.csv": (
        b"Handle,Title\n" + b"mug,Mug\n" * 9999 + b"a,\xff\n",
        'not UTF-8, and it does not read like Windows-1252: line 10,001, column "Title", byte 0xFF',
    ),
    "none.csv.gz": (b"\x00\x01\x02", "not a gzip file"),
    "cut.csv.gz": (gzip.compress("\n".join(SEVEN).encode())[:-12], "damaged or cut short"),
    "bad.csv.gz": (b"\x1f\x8b" + b"\x00" * 40, "damaged or cut short"),
    "junk.csv.gz": (gzip.compress(b"\x00\x01" * 500), "not a gzip file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_no_catalog_stops_everything_before_it_starts(file: Any, name: str) -> None:
    content, reason = WRONG[name]
    good, bad = file(SEVEN), file(content, name)
    with pytest.raises(CommandError) as caught:
        call_command("import_products", str(good), str(bad))
    assert caught.value.returncode == 2
    assert name in str(caught.value)
    assert reason in str(caught.value)
    assert "Nothing was written." in str(caught.value)
    assert not Product.objects.exists()


def test_missing_files_and_folders_are_named_together(file: Any, tmp_path: Path) -> None:
    with pytest.raises(NotACatalog) as caught:
        importing.run([file(SEVEN), tmp_path / "nowhere.csv", tmp_path])
    assert "nowhere.csv: No such file" in caught.value.message
    assert "Is a directory" in caught.value.message


def test_the_command_line_ends_with_code_2(file: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import execute_from_command_line

    with pytest.raises(SystemExit) as caught:
        execute_from_command_line(["manage.py", "import_products", str(file(b"no"))])
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_crash_between_batches_leaves_whole_products(file: Any, small_batches: None) -> None:
    def crash(step: Progress) -> None:
        if step.products == 4:
            raise Crash

    path = file(SEVEN)
    with pytest.raises(Crash):
        importing.run([path], on_progress=crash)
    assert Product.objects.count() == 4
    assert all(is_whole(product) for product in Product.objects.all())
    assert outcome(importing.run([path])) == (3, 0, 4, 0)
    assert all(is_whole(product) for product in Product.objects.all())


def test_a_crash_inside_a_batch_leaves_whole_products(
    file: Any, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(SEVEN)

    def crash(rows: Any, **options: Any) -> None:
        if any(row.variant.sku == "SKU-5" for row in rows):
            raise KeyboardInterrupt
        Stock.objects.bulk_create(rows)

    with monkeypatch.context() as patch:
        patch.setattr(inventory, "open_stock", crash)
        with pytest.raises(CommandError) as caught:
            call_command("import_products", str(path))
    assert caught.value.returncode == 130
    assert Product.objects.count() == ImportRecord.objects.count() == 4
    assert all(is_whole(product) for product in Product.objects.all())
    assert outcome(importing.run([path])) == (3, 0, 4, 0)


def test_a_product_that_the_database_refuses_does_not_stop_the_others(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless(options: Any) -> str | None:
        return None if options[0]["value"] == "XS" else variant_name(options)

    path = file(
        [
            *SEVEN,
            "bad,Bad,Croft,Cups,Size,XS,,1,1,",
            "cup,Cup,Croft,Cups,Size,S,,3,1,https://example.org/c",
        ]
    )
    with monkeypatch.context() as patch:
        patch.setattr(creating, "variant_name", nameless)
        report = importing.run([path])
    assert outcome(report) == (8, 0, 0, 1)
    (problem,) = report.problems
    assert (problem.row, problem.handle, problem.code) == (9, "bad", Code.NOT_SAVED)
    assert "SELECT" not in problem.message.upper()
    assert "NULL" not in problem.message.upper()
    assert not Product.objects.filter(slug="bad").exists()
    assert all(is_whole(product) for product in Product.objects.all())
    # What the batch that failed had put on the shelves was not there any more.
    assert set(Brand.objects.values_list("name", flat=True)) == {"Ladlemoor", "Croft"}
    assert Category.objects.count() == 2
    assert outcome(importing.run([path])) == (1, 0, 8, 0)


def test_an_error_of_ours_does_not_stop_the_others(
    file: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(options: Any) -> str:
        return variant_name(options) if options else options["nothing"]

    monkeypatch.setattr(creating, "variant_name", broken)
    report = importing.run([file([*SEVEN, "bad,Bad,,,,,,1,1,"])])
    assert outcome(report) == (7, 0, 0, 1)
    assert [problem.code for problem in report.problems] == [Code.NOT_SAVED]
    assert "Import of 'bad' failed." in caplog.text


def test_a_database_that_is_gone_ends_the_run(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(rows: Any, **options: Any) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(inventory, "open_stock", gone)
    with pytest.raises(CommandError, match="server closed the connection"):
        call_command("import_products", str(file(SEVEN)))
    assert not Product.objects.exists()


def test_a_dry_run_tells_everything_and_writes_nothing(
    file: Any, small_batches: None, dump: Any
) -> None:
    importing.run([file(SEVEN[:3])])
    changed = SEVEN[2].replace(",10,", ",11,")
    path = file([*SEVEN[:2], changed, *SEVEN[3:], "cup,Cup,New,New,,,SKU-3,1,bad,"])
    other = file([HEADER, "jug,Jug,,,,,SKU-6,1,1,", SEVEN[7]], "other.csv")
    before = dump()
    report = importing.run([path, other], dry_run=True)
    assert dump() == before
    assert outcome(report) == (6, 1, 2, 1)
    real = importing.run([path, other])
    assert outcome(real) == outcome(report)
    assert real.problems == report.problems
    assert [problem.code for problem in real.problems] == [Code.PRICE_INVALID, Code.SKU_TAKEN]


def test_skus_are_unique_across_files(file: Any) -> None:
    other = file([HEADER, "jug,Jug,,,,,SKU-6,1,1,"], "other.csv")
    report = importing.run([file(SEVEN), other])
    assert Variant.objects.get(product__slug="jug").sku == "SKU-6-2"
    (problem,) = report.problems
    assert (problem.file, problem.row) == (str(other), 2)


def test_a_later_file_updates_what_an_earlier_one_brought(file: Any) -> None:
    other = file([HEADER, SEVEN[1].replace("Mug 0", "Tea Mug")], "other.csv")
    report = importing.run([file(SEVEN), other])
    assert outcome(report) == (7, 1, 0, 0)
    assert Product.objects.get(slug="mug-0").name == "Tea Mug"


def test_progress_counts_lines_of_all_files(file: Any, small_batches: None) -> None:
    steps: list[Progress] = []
    other = file([HEADER, "jug,Jug,,,,,,1,1,"], "other.csv")
    importing.run([file(SEVEN), other], on_progress=steps.append)
    assert [(step.lines, step.total, step.products) for step in steps] == [
        *((3, 10, 2), (5, 10, 4), (7, 10, 6)),
        *((8, 10, 7), (10, 10, 8)),
    ]


def test_the_command_says_what_happened(file: Any, tmp_path: Path) -> None:
    path, report = file([*SEVEN, "bad,\x1b[31mBad,,,,,,1,=1+1,"]), tmp_path / "report.csv"
    out, err = io.StringIO(), io.StringIO()
    call_command("import_products", str(path), report=str(report), stdout=out, stderr=err)
    lines = out.getvalue()
    assert f"{path}:9: error: bad: The price is not valid" in lines
    (row,) = [line for line in lines.splitlines() if line.startswith("│ catalog.csv")]
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        *("catalog.csv", "7", "0", "0"),
        *("1", "1"),
    ]
    assert "\x1b" not in lines
    assert err.getvalue() == ""
    (problem,) = csv.DictReader(report.read_text().splitlines())
    assert (problem["file"], problem["row"], problem["handle"]) == (str(path), "9", "bad")
    assert (problem["severity"], problem["code"]) == ("error", "PRICE_INVALID")
    assert problem["column"] == "Variant Price"


def test_the_command_says_that_nothing_has_changed(file: Any) -> None:
    path, out = str(file(SEVEN)), io.StringIO()
    call_command("import_products", path, stdout=io.StringIO())
    call_command("import_products", path, stdout=out)
    assert "Nothing has changed." in out.getvalue()


def test_the_command_can_rehearse_and_overwrite(file: Any) -> None:
    path, out = str(file(SEVEN)), io.StringIO()
    call_command("import_products", path, dry_run=True, stdout=out)
    assert "Dry run: nothing was written." in out.getvalue()
    assert not Product.objects.exists()
    call_command("import_products", path, stdout=out)
    Product.objects.update(name="Staff's")
    call_command("import_products", path, overwrite=True, stdout=out)
    assert not Product.objects.filter(name="Staff's").exists()


def test_a_terminal_gets_a_bar(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    err = Terminal()
    call_command("import_products", str(file(SEVEN)), stdout=io.StringIO(), stderr=err)
    assert "100%" in err.getvalue()
    assert "7 products" in err.getvalue()
    assert "left" in err.getvalue()


def test_a_log_gets_plain_lines(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from shop.management import progress

    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0)
    err = io.StringIO()
    call_command("import_products", str(file(SEVEN)), stdout=io.StringIO(), stderr=err)
    assert err.getvalue().startswith("100%: 7 products, ")
    assert "\x1b" not in err.getvalue()


def test_the_report_never_replaces_a_catalog(file: Any) -> None:
    path = file(SEVEN)
    before = path.read_bytes()
    with pytest.raises(CommandError) as caught:
        call_command("import_products", str(path), report=str(path))
    assert caught.value.returncode == 2
    assert path.read_bytes() == before


def test_a_report_that_cannot_be_written_stops_the_import(file: Any, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("import_products", str(file(SEVEN)), report=str(tmp_path / "no" / "r.csv"))
    assert caught.value.returncode == 2
    assert not Product.objects.exists()


def test_report_cells_are_no_formulas() -> None:
    report = importing.Report()
    problem = importing.Problem("=a.csv", 2, "-b", Code.NOT_SAVED, "+c", column="@d")
    report.add("=a.csv", importing.Result.SKIPPED, [problem])
    out = io.StringIO()
    report.write_csv(out)
    assert out.getvalue().splitlines()[1] == "'=a.csv,2,'-b,error,NOT_SAVED,'+c,'@d"


def test_a_dry_run_tells_of_the_others_when_one_cannot_be_saved(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless(options: Any) -> str | None:
        return None if options[0]["value"] == "XS" else variant_name(options)

    path = file([*SEVEN, "bad,Bad,Croft,Cups,Size,XS,,1,1,"])
    monkeypatch.setattr(creating, "variant_name", nameless)
    rehearsed = importing.run([path, path], dry_run=True)
    real = importing.run([path, path])
    assert outcome(rehearsed) == outcome(real) == (7, 0, 7, 2)
    assert rehearsed.problems == real.problems


def test_a_batch_that_was_in_the_way_of_others_is_taken_again(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def lock(*args: Any) -> None:
        tries.append(args)
        if len(tries) % 3:
            raise Conflict
        current.lock(*args)

    path = file(SEVEN)
    importing.run([path])
    Product.objects.update(name="Staff's")
    monkeypatch.setattr(batches, "current", SimpleNamespace(lock=lock, load=current.load))
    assert outcome(importing.run([path], overwrite=True)) == (0, 7, 0, 0)
    assert len(tries) == 3


def test_a_product_that_is_always_in_the_way_is_skipped_alone(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(SEVEN)
    importing.run([path])
    Product.objects.update(name="Staff's")
    busy = Product.objects.get(slug="mug-3").pk

    def lock(keys: Any, *args: Any) -> None:
        if busy in keys:
            raise Conflict
        current.lock(keys, *args)

    monkeypatch.setattr(batches, "current", SimpleNamespace(lock=lock, load=current.load))
    report = importing.run([path], overwrite=True)
    assert outcome(report) == (0, 6, 0, 1)
    (problem,) = report.problems
    assert (problem.code, problem.handle) == (Code.NOT_SAVED, "mug-3")
    assert problem.message.endswith("others changed it at the same time. Import it again.")
