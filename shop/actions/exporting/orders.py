"""Writing orders as a CSV, for books and parcels: a row for each line of an order.

What belongs to the order as a whole, its totals and addresses, stands in the first of its rows
only, so that a column adds up to what was sold. Amounts are decimal numbers of the order's
currency.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from django.conf import settings
from django.db import reset_queries
from django.db.models import QuerySet, Sum

from shop.actions.importing.report import no_formula
from shop.models import FulfillmentStatus, Order, OrderLine, Payment
from shop.money import format_minor

# Orders that are in memory at a time.
BATCH = 300

_ADDRESS = (
    *("name", "company", "line1", "line2", "district", "city", "region"),
    *("postal_code", "country", "phone"),
)
_EACH = ("Order", "Placed", "Status", "Payment status", "Fulfilment status", "E-mail", "Currency")
_LINE = (
    *("Line", "SKU", "Product", "Variant", "Quantity", "Cancelled", "Shipped", "Returned"),
    *("Paid back units", "Unit price", "Line subtotal", "Line discount", "Line tax %"),
    *("Line tax", "Line total"),
)
_WHOLE = (
    *("Subtotal", "Discount", "Shipping", "Tax", "Tax included", "Total", "Paid", "Paid back"),
    *("Disputed", "Shipping method", "Discounts", "Note"),
    *(f"Ship to {name.replace('_', ' ')}" for name in _ADDRESS),
    *(f"Bill to {name.replace('_', ' ')}" for name in _ADDRESS),
)
HEADER = (*_EACH, *_LINE, *_WHOLE)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export is.

    Attributes:
        orders: done so far.
        total: of the whole export, when it began.
    """

    orders: int
    total: int


@dataclass(slots=True)
class Exported:
    """The account of one export: what was written, without the header."""

    orders: int = 0
    rows: int = 0


def chosen(
    *,
    created_min: datetime | None = None,
    created_max: datetime | None = None,
    statuses: Sequence[str] = (),
) -> QuerySet[Order]:
    """Orders placed within a time, both ends included, that have one of `statuses`.

    Args:
        statuses: without any, all.
    """
    rows = Order.objects.all()
    if created_min is not None:
        rows = rows.filter(created_at__gte=created_min)
    if created_max is not None:
        rows = rows.filter(created_at__lte=created_max)
    return rows.filter(status__in=statuses) if statuses else rows


def run(
    file: TextIO,
    *,
    orders: QuerySet[Order] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Exported:
    """Writes orders as a CSV, in the order in which they were placed.

    A batch costs the same statements however many orders it has, and memory does not grow with
    the shop.

    Args:
        file: opened without translation of line ends (`newline=""`); it stays open.
        orders: those to write, None for all.
        on_progress: called after every batch; what it raises ends the run between two batches.
    """
    rows = Order.objects.all() if orders is None else orders
    exported = Exported()
    writer = csv.writer(file)
    writer.writerow(HEADER)
    total = rows.count()
    for batch in _batches(rows):
        written = list(_rows(batch))
        writer.writerows(written)
        exported.orders += len(batch)
        exported.rows += len(written)
        if settings.DEBUG:
            # With DEBUG on, Django keeps the text of every statement.
            reset_queries()
        if on_progress is not None:
            on_progress(Progress(exported.orders, max(total, exported.orders)))
    return exported


def _batches(orders: QuerySet[Order]) -> Iterator[Sequence[Order]]:
    ordered = orders.prefetch_related("lines").order_by("pk")
    last = 0
    while batch := list(ordered.filter(pk__gt=last)[:BATCH]):
        yield batch
        last = batch[-1].pk


def _rows(orders: Sequence[Order]) -> Iterator[list[str]]:
    paid = {
        row["order"]: row
        for row in Payment.objects.filter(order__in=orders)
        .values("order")
        .annotate(captured=Sum("captured"), refunded=Sum("refunded"), disputed=Sum("disputed"))
    }
    for order in orders:
        each = _cells_of_each(order)
        whole = _cells_of_whole(order, paid.get(order.pk, {}))
        for line in sorted(order.lines.all(), key=lambda line: line.position):
            yield [*each, *_cells_of_line(line), *whole]
            whole = [""] * len(_WHOLE)


def _cells_of_each(order: Order) -> list[str]:
    placed = order.created_at.astimezone(UTC).isoformat(timespec="seconds")
    shipped = FulfillmentStatus(order.fulfillment_status).name.lower()
    status = (order.status, order.payment_status, shipped)
    return [order.number, placed, *status, _text(order.email), order.currency]


def _cells_of_line(line: OrderLine) -> list[str]:
    units = (line.quantity, line.cancelled, line.fulfilled, line.returned, line.refunded)
    return [
        str(line.position),
        _sku(line.sku),
        *map(_text, (line.name, line.variant_name)),
        *map(str, units),
        *(format_minor(minor, line.currency) for minor in (line.unit_price, line.subtotal)),
        format_minor(line.discount, line.currency),
        # Basis points are hundredths of a percent.
        f"{line.tax_rate // 100}.{line.tax_rate % 100:02}",
        *(format_minor(minor, line.currency) for minor in (line.tax, line.total)),
    ]


def _cells_of_whole(order: Order, paid: Mapping[str, Any]) -> list[str]:
    def amount(minor: int) -> str:
        return format_minor(minor, order.currency)

    told = [discount["code"] or discount["name"] for discount in order.discounts]
    shipping, billing = order.shipping_address, order.billing_address or order.shipping_address
    return [
        *map(amount, (order.subtotal, order.discount, order.shipping, order.tax)),
        "yes" if order.tax_included else "no",
        amount(order.total),
        *(amount(paid.get(name, 0)) for name in ("captured", "refunded", "disputed")),
        *map(_text, (order.shipping_name, ", ".join(told), order.note)),
        *(_text(address.get(name, "")) for address in (shipping, billing) for name in _ADDRESS),
    ]


def _sku(text: str) -> str:
    """A SKU as it is: blanks at its ends are a part of it, and some spreadsheets take them off."""
    runs = any(no_formula(shown) != shown for shown in (text, text.strip()))
    return f"'{text}" if runs else text


def _text(text: str) -> str:
    """What people typed, as a cell that no spreadsheet runs."""
    return no_formula(text.strip())
