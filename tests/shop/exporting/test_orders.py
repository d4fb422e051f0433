"""Orders as a CSV: a row for each line, sums that are right, and no cell that is run."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.actions.exporting import orders
from shop.models import Order, OrderLine, OrderStatus
from tests.shop import sold

pytestmark = pytest.mark.django_db


def export(**options: Any) -> tuple[list[dict[str, str]], orders.Exported]:
    file = io.StringIO(newline="")
    exported = orders.run(file, **options)
    return list(csv.DictReader(io.StringIO(file.getvalue(), newline=""))), exported


def on(order: Order, day: str) -> Order:
    placed = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    Order.objects.filter(pk=order.pk).update(created_at=placed)
    return order


def test_each_line_has_a_row_and_the_whole_order_stands_in_the_first() -> None:
    order = on(sold.make_order(note="Ring twice"), "2026-02-03")
    sold.pay(order, refunded=1250, disputed=500)
    OrderLine.objects.filter(order=order, position=1).update(fulfilled=2, returned=1, refunded=1)
    OrderLine.objects.filter(order=order, position=2).update(cancelled=1)
    (mugs, plate), exported = export()
    assert exported == orders.Exported(orders=1, rows=2)
    for row in (mugs, plate):
        assert (row["Order"], row["Placed"]) == (order.number, "2026-02-03T12:00:00+00:00")
        assert (row["Status"], row["Payment status"]) == ("confirmed", "paid")
        assert row["Fulfilment status"] == "unfulfilled"
        assert (row["E-mail"], row["Currency"]) == ("ann@example.org", "USD")
    told = ("Line", "SKU", "Product", "Variant", "Quantity", "Unit price", "Line subtotal")
    assert [mugs[name] for name in told] == ["1", "MUG-M", "Mug", "M", "2", "12.50", "25.00"]
    told = ("Line discount", "Line tax %", "Line tax", "Line total", "Shipped", "Returned")
    assert [mugs[name] for name in told] == ["3.57", "10.00", "2.14", "23.57", "2", "1"]
    assert (mugs["Paid back units"], plate["Cancelled"], plate["Quantity"]) == ("1", "1", "1")
    told = ("Subtotal", "Discount", "Shipping", "Tax", "Tax included", "Total", "Paid")
    assert [mugs[name] for name in told] == [
        *("35.00", "5.00", "4.90", "3.50", "no", "38.40", "38.40")
    ]
    assert mugs["Disputed"] == "5.00"
    assert (mugs["Paid back"], mugs["Shipping method"], mugs["Discounts"], mugs["Note"]) == (
        *("12.50", "Parcel", "TEA5", "Ring twice"),
    )
    assert (mugs["Ship to city"], mugs["Ship to postal code"]) == ("Berlin", "10115")
    # No other address was given for the bill.
    assert mugs["Bill to line1"] == "Allee 1"
    whole = [name for name in plate if name in orders._WHOLE]
    assert {plate[name] for name in whole} == {""}


def test_columns_add_up_to_what_was_sold() -> None:
    for _ in range(3):
        sold.pay(sold.make_order())
    rows, _ = export()
    for name, sum_of_one in (("Total", "38.40"), ("Paid", "38.40"), ("Line subtotal", "35.00")):
        found = sum(Decimal(row[name]) for row in rows if row[name])
        assert found == 3 * Decimal(sum_of_one)


@pytest.mark.parametrize(
    ("currency", "total"), [("JPY", "3840"), ("USD", "38.40"), ("KWD", "3.840")]
)
def test_amounts_have_the_places_of_their_currency(currency: str, total: str) -> None:
    sold.make_order(currency=currency)
    rows, _ = export()
    assert rows[0]["Total"] == total


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "＝", "＠"])
def test_no_text_is_a_formula(start: str) -> None:
    text = f'{start}HYPERLINK("https://example.net")'
    address = dict.fromkeys(sold.HOME, text)
    order = sold.make_order(
        "=cmd@example.org",
        note=text,
        shipping_address=address,
        billing_address=address,
        shipping_name=text,
        discounts=[{"name": text, "code": "", "amount": 500}],
    )
    OrderLine.objects.filter(order=order).update(sku=text[:100], name=text, variant_name=text)
    rows, _ = export()
    cells = [cell for row in rows for cell in row.values() if "HYPERLINK" in cell or "cmd" in cell]
    assert len(cells) > 30
    for cell in cells:
        assert cell.startswith("'")


def test_numbers_stay_numbers() -> None:
    sold.make_order(shipping_address={**sold.HOME, "phone": ""})
    rows, _ = export()
    assert not [cell for row in rows for cell in row.values() if cell.startswith("'")]


def test_an_erased_customers_order_is_told_without_them() -> None:
    order = sold.make_order()
    Order.objects.update(email="", note="", shipping_address={"country": "DE", "region": ""})
    rows, _ = export()
    assert (rows[0]["Order"], rows[0]["Total"]) == (order.number, "38.40")
    assert (rows[0]["E-mail"], rows[0]["Ship to name"], rows[0]["Ship to country"]) == (
        "",
        "",
        "DE",
    )


def test_orders_are_chosen_by_time_and_status() -> None:
    old = on(sold.make_order(status=OrderStatus.COMPLETED), "2026-01-31")
    middle = on(sold.make_order(), "2026-02-01")
    new = on(sold.make_order(status=OrderStatus.CANCELLED), "2026-03-01")
    noon = datetime(2026, 2, 1, 12, tzinfo=UTC)

    def found(**options: Any) -> list[Order]:
        return list(orders.chosen(**options).order_by("pk"))

    assert found() == [old, middle, new]
    # Both ends belong to it.
    assert found(created_min=noon) == [middle, new]
    assert found(created_max=noon) == [old, middle]
    assert found(created_min=noon, statuses=["cancelled", "completed"]) == [new]


def test_a_batch_costs_the_same_however_large() -> None:
    counts = []
    for _ in range(2):
        sold.pay(sold.make_order())
        with CaptureQueriesContext(connection) as captured:
            export()
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 5


def test_batches_go_on_where_the_last_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "BATCH", 2)
    numbers = [sold.make_order().number for _ in range(5)]
    steps: list[orders.Progress] = []
    rows, exported = export(on_progress=steps.append)
    assert [row["Order"] for row in rows[::2]] == numbers
    assert exported == orders.Exported(5, 10)
    assert steps == [orders.Progress(done, 5) for done in (2, 4, 5)]


# --- The command ---------------------------------------------------------------------------------


def command(*args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("export_orders", *args, stdout=out, **options)
    return out.getvalue()


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    on(sold.make_order(), "2026-02-01")
    on(sold.make_order(status=OrderStatus.CANCELLED), "2026-02-02")
    on(sold.make_order(), "2026-02-03")
    path = tmp_path / "orders.csv"
    assert command(str(path)) == "3 orders in 6 rows.\n"
    text = path.read_bytes().decode("utf-8-sig")
    assert text.startswith("Order,Placed,Status,")
    assert len(text.splitlines()) == 7
    days = ("--since", "2026-02-02", "--until", "2026-02-02")
    assert command(str(path), *days) == "1 orders in 2 rows.\n"
    assert command(str(path), "--status", "confirmed", "pending") == "2 orders in 4 rows.\n"
    assert command(str(path), "--until", "9999-12-31") == "3 orders in 6 rows.\n"


@pytest.mark.parametrize(
    "args", [("--since", "tomorrow"), ("--until", "2026-02-30"), ("--status", "lost")]
)
def test_the_command_refuses_what_it_cannot_do(args: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        command(str(tmp_path / "orders.csv"), *args)
    with pytest.raises(CommandError) as caught:
        command(str(tmp_path / "no" / "orders.csv"))
    assert caught.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_command_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: Any) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "orders.csv"
    path.write_text("old")
    monkeypatch.setattr(orders, "_rows", stop)
    sold.make_order()
    with pytest.raises(CommandError) as caught:
        command(str(path))
    assert caught.value.returncode == 130
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("orders.csv", "old")]


def test_a_terminal_gets_a_bar_that_counts_orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    sold.make_order()
    err = Terminal()
    command(str(tmp_path / "a"), stderr=err)
    assert "100%" in err.getvalue()
    assert "1 orders" in err.getvalue()
