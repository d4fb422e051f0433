"""Processes of the former release insert rows while those of a new one have migrated already."""

from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader

from shop.models import Cart, Order, OrderLine, Payment, Refund
from tests.shop import sold

# NOT NULL columns that were added without a default in the database before this test, by
# migration. 0001 to 0007 came before release 0.1.0; 0025 gives the others their defaults.
_BEFORE = {
    ("0003_sessions", "user", "token_version"),
    ("0004_accounts", "user", "pending_email"),
    ("0005_selling", "product", "rating"),
    ("0005_selling", "product", "rating_count"),
    ("0005_selling", "product", "rating_sum"),
    ("0005_selling", "product", "tax_category"),
    ("0005_selling", "stock", "low_at"),
    ("0008_units_cancelled", "orderline", "cancelled"),
    ("0009_refunded_shipping", "refund", "shipping"),
    ("0012_disputes", "payment", "disputed"),
    ("0020_cart_notices", "cart", "stored_notices"),
    ("0022_order_updates", "order", "token_version"),
    ("0023_shipping_taxes", "order", "shipping_taxes"),
    ("0023_shipping_taxes", "refund", "shipping_taxes"),
}
# Columns that tell two rows apart.
_UNIQUE = {"digest", "key", "number", "position", "reference"}
_LATER: list[tuple[type[models.Model], str]] = [
    (Cart, "stored_notices"),
    (Order, "token_version"),
    (Order, "shipping_taxes"),
    (OrderLine, "cancelled"),
    (Payment, "disputed"),
    (Refund, "shipping"),
    (Refund, "shipping_taxes"),
]


def _added(name: str, migration: migrations.Migration) -> set[tuple[str, str, str]]:
    """NOT NULL columns without a database default that a migration adds to tables from before."""
    operations = migration.operations
    new = {one.name_lower for one in operations if isinstance(one, migrations.CreateModel)}
    return {
        (name, one.model_name_lower, one.name_lower)
        for one in operations
        if isinstance(one, migrations.AddField)
        and one.model_name_lower not in new
        and not (one.field.null or one.field.many_to_many or one.field.generated)
        and not one.field.has_db_default()
    }


def test_columns_that_are_added_have_a_default_in_the_database() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    found = [
        _added(name, migration)
        for (app, name), migration in loader.disk_migrations.items()
        if app == "shop"
    ]
    assert set().union(*found) == _BEFORE


def test_a_column_without_a_default_is_found() -> None:
    class Adding(migrations.Migration):
        operations = [
            migrations.AddField("cart", "colour", models.CharField(default="", max_length=9)),
            migrations.AddField("cart", "size", models.IntegerField(default=0, db_default=0)),
            migrations.AddField("cart", "note", models.IntegerField(null=True)),
            migrations.CreateModel("shelf", []),
            migrations.AddField("shelf", "length", models.IntegerField(default=0)),
        ]

    assert _added("0099", Adding("0099", "shop")) == {("0099", "cart", "colour")}


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "column"), _LATER)
def test_rows_of_the_former_release_get_the_default(model: Any, column: str) -> None:
    order = sold.make_order()
    payment = sold.pay(order)
    refund = sold.refund(payment, 100)
    line = order.lines.order_by("-position").first()
    rows: dict[Any, Any] = {type(row): row for row in (order, line, payment, refund)}
    row = rows.get(model) or sold.make_cart()
    names = [
        field.column
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.generated or field.name == column)
    ]
    quoted = ", ".join(map(connection.ops.quote_name, names))
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {quoted} FROM {table} WHERE id = %s", [row.pk])
        values = dict(zip(names, cursor.fetchone(), strict=True))
        for name in _UNIQUE & values.keys():
            value = values[name]
            values[name] = value + 1 if isinstance(value, int) else value[::-1]
        places = ", ".join(["%s"] * len(names))
        cursor.execute(f"INSERT INTO {table} ({quoted}) VALUES ({places})", [*values.values()])
    inserted = model.objects.exclude(pk=row.pk).latest("pk")
    assert getattr(inserted, column) == model._meta.get_field(column).get_default()
