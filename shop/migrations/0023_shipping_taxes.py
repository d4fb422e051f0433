# Stores the tax of the postage by tax rate, and that of refunds. Orders from before have one share,
# at a rate that is not known: the order without its lines.

from django.db import migrations, models

import shop.models.fields

_BATCH = 500


def _first(units, total, quantity):
    each, rest = divmod(total, quantity)
    return units * each + min(units, rest)


def fill_orders(apps, schema_editor):
    alias = schema_editor.connection.alias
    orders = apps.get_model("shop", "Order").objects.using(alias)
    lines = apps.get_model("shop", "OrderLine").objects.using(alias)
    last = 0
    while batch := list(orders.filter(pk__gt=last).order_by("pk").only("total", "tax")[:_BATCH]):
        sums = {
            row["order"]: row
            for row in lines.filter(order__in=batch)
            .order_by()
            .values("order")
            .annotate(lines_total=models.Sum("total"), lines_tax=models.Sum("tax"))
        }
        changed = []
        for order in batch:
            of_lines = sums.get(order.pk, {"lines_total": 0, "lines_tax": 0})
            total, tax = order.total - of_lines["lines_total"], order.tax - of_lines["lines_tax"]
            if total:
                order.shipping_taxes = [{"rate": None, "total": total, "tax": tax}]
                changed.append(order)
        orders.bulk_update(changed, ["shipping_taxes"])
        last = batch[-1].pk


def fill_refunds(apps, schema_editor):
    alias = schema_editor.connection.alias
    refunds = apps.get_model("shop", "Refund").objects.using(alias)
    refund_lines = apps.get_model("shop", "RefundLine").objects.using(alias)
    # The shipping went back once and whole, so its tax did.
    for refund in refunds.filter(shipping__gt=0).select_related("payment__order").iterator():
        shares = refund.payment.order.shipping_taxes
        if shares and shares[0]["total"] == refund.shipping:
            refunds.filter(pk=refund.pk).update(shipping_taxes=shares)
    before = {}
    rows = refund_lines.select_related("line", "refund").order_by("refund", "pk")
    for row in rows.iterator():
        line, units = row.line, before.get(row.line_id, 0)
        if line.tax:
            after = _first(units + row.quantity, line.tax, line.quantity)
            tax = after - _first(units, line.tax, line.quantity)
            refund_lines.filter(pk=row.pk).update(tax=tax)
        if row.refund.state != "failed":
            before[row.line_id] = units + row.quantity


class Migration(migrations.Migration):
    dependencies = [
        ("shop", "0022_order_updates"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="shipping_tax_rule",
            field=shop.models.fields.ExactCharField(
                blank=True, db_default="", default="", max_length=12
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="shipping_taxes",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="refund",
            name="shipping_taxes",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="refundline",
            name="tax",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.RunPython(fill_orders, migrations.RunPython.noop),
        migrations.RunPython(fill_refunds, migrations.RunPython.noop),
    ]
