"""Importing: what separates columns, and numbers of spreadsheets of different countries."""

import io
from typing import Any

import pytest

from shop.actions import importing
from shop.actions.importing import Code, NotACatalog
from shop.actions.importing.numerals import plain
from shop.models import Product, Variant
from tests.shop.importing.sheets import codes, product_row

pytestmark = pytest.mark.django_db


def read(text: str) -> importing.Report:
    return importing.run([io.BytesIO(text.encode())])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("statement", ["", "sep={}\r\n", '"SEP={}"\r\n'])
def test_delimiters_are_found_by_the_header(delimiter: str, statement: str) -> None:
    header = ["Handle", "Title", "Body (HTML)", "Tags", "Variant Price"]
    row = ["mug", '"Mug, big; blue | red"', '"a;b,c\td|e;;;;,,,,||||"', '"tea, big"', "12.50"]
    text = statement.format(delimiter) + "".join(
        f"{delimiter.join(cells)}\r\n" for cells in (header, row)
    )
    report = read(text)
    assert (report.created, report.problems) == (1, [])
    product = Product.objects.get()
    assert (product.name, product.min_price) == ("Mug, big; blue | red", 1250)
    assert product.attribute_values.count() == 2


def test_delimiters_are_found_in_headers_with_quotes_and_line_breaks() -> None:
    text = '"Handle";"Title";"Note, to\n""self"", twice, thrice";"Variant Price"\nmug;Mug;;1\n'
    assert read(text).created == 1


def test_a_statement_that_the_header_contradicts_does_not_count() -> None:
    assert read("sep=,\nHandle;Title;Variant Price\nmug;Mug;1\n").created == 1


def test_lines_are_counted_from_the_statement_on() -> None:
    report = read("sep=;\nHandle;Title;Variant Price\nmug;Mug;1\n\ncup;Cup;x\n")
    assert codes(report) == [(Code.PRICE_INVALID, 5)]


def test_a_row_without_its_delimiters_is_told_by_their_name() -> None:
    report = read("Handle|Title|Variant Price\nmug|Mug\n")
    (problem,) = report.problems
    assert problem.message == (
        "The row has 2 cells where the header has 3: a quote, a pipe or a part of the row "
        "is missing."
    )


def test_a_header_with_other_delimiters_is_refused() -> None:
    with pytest.raises(NotACatalog, match='no column "Handle" and "Title"'):
        read("Handle:Title\nmug:Mug\n")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("12,50", "12.50"), ("12,5", "12.5"), (",5", ".5"), ("12,", "12."), ("0,125", "0.125")),
        *(("1234,50", "1234.50"), ("1234,567", "1234.567"), ("-3,20", "-3.20")),
        *(("1.234,50", "1234.50"), ("1,234.50", "1234.50"), ("1.234.567", "1234567")),
        *(("1,234,567", "1234567"), ("1 234,50", "1234.50"), ("1\u00a0234", "1234")),
        *(("1\u202f234.5", "1234.5"), ("1'234.50", "1234.50"), ("1’234’567", "1234567")),
        *(("12.50", "12.50"), ("1.234", "1.234"), ("", ""), ("abc", "abc"), ("1,2,3", "1,2,3")),
        *(("1.2,3.4", "1.2,3.4"), ("1'2 345", "1'2 345"), ("12,34.5", "12,34.5")),
    ],
)
def test_numbers_are_read_where_they_can_be_one_only(text: str, number: str) -> None:
    assert plain(text) == number


@pytest.mark.parametrize("text", ["1,234", "12,000", "999,999", "-1,234"])
def test_a_comma_before_three_digits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it without a thousands separator"):
        plain(text)


def test_a_point_before_three_digits_is_unsure_among_semicolons_only() -> None:
    assert plain("1.500") == "1.500"
    with pytest.raises(ValueError, match=r'"1\.500" can be 1\.500 or 1500'):
        plain("1.500", is_point_sure=False)
    assert plain("1.50", is_point_sure=False) == "1.50"


@pytest.mark.parametrize(
    ("column", "code", "reason"),
    [
        ("Variant Price", Code.PRICE_INVALID, "The price is not valid"),
        ("Variant Compare At Price", Code.COMPARE_AT_INVALID, "The compare-at price was left out"),
        ("Variant Grams", Code.WEIGHT_INVALID, "The weight was left out"),
        ("Variant Inventory Qty", Code.QUANTITY_INVALID, "The quantity was left out"),
    ],
)
def test_an_unsure_number_is_told_with_its_column_and_row(
    column: str, code: Code, reason: str
) -> None:
    columns = dict.fromkeys(
        ("Variant Price", "Variant Compare At Price", "Variant Grams", "Variant Inventory Qty"), "9"
    ) | {"Variant Compare At Price": "", column: "1,234"}
    text = f"Handle;Title; {'; '.join(columns)}\nmug;Mug;{';'.join(columns.values())}\n"
    (problem,) = read(text).problems
    assert (problem.code, problem.row, problem.column) == (code, 2, column)
    assert problem.message == (
        f'{reason}: "1,234" can be 1.234 or 1234; write it without a thousands separator and with '
        f'a decimal point (column "{column}").'
    )


def test_decimal_commas_are_prices_weights_and_quantities() -> None:
    header = "Handle;Title;Variant Price;Variant Compare At Price;Variant Grams"
    report = read(f"{header};Variant Inventory Qty\nmug;Mug;12,50;1.250,00;0,6;7,0\n")
    assert report.problems == []
    variant = Variant.objects.select_related("stock").get()
    assert (variant.price, variant.compare_at, variant.weight_grams) == (1250, 125000, 1)
    assert variant.stock.on_hand == 7


def test_currencies_of_three_decimals_keep_their_points(settings: Any) -> None:
    settings.SHOP_CURRENCY = "KWD"
    assert read("Handle;Title;Variant Price\nmug;Mug;1.500\n").problems == []
    assert Variant.objects.get().price == 1500


def test_messages_name_the_header_of_the_file_at_hand(load: Any) -> None:
    row = product_row(variant_price="2", variant_compare_at_price="1")
    (problem,) = load(row).problems
    assert problem.column == "Variant Compare At Price"
    newer = {"Compare-at price ": row.pop("Variant Compare At Price")} | row
    newer = {"Price": newer.pop("Variant Price")} | newer
    report = load(newer)
    (problem,) = report.problems
    assert (report.unchanged, problem.column) == (1, "Compare-at price")
    assert problem.message.endswith('(column "Compare-at price").')
