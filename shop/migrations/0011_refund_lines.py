# What was paid back of which lines moves from a column of JSON into rows, with what it came to.

from itertools import groupby

import django.db.models.deletion
from django.db import migrations, models

BATCH = 500


def copy(apps, schema_editor):
    alias = schema_editor.connection.alias
    refunds = apps.get_model("shop", "Refund").objects.using(alias).exclude(units={})
    rows = refunds.select_related("payment").order_by("payment__order_id", "pk").iterator(BATCH)
    for _, of_order in groupby(rows, key=lambda row: row.payment.order_id):
        write(apps, alias, list(of_order))


def write(apps, alias, refunds):
    keys = {int(key) for row in refunds for key in row.units}
    lines = apps.get_model("shop", "OrderLine").objects.using(alias).in_bulk(keys)
    parts = apps.get_model("shop", "RefundLine")
    before = dict.fromkeys(keys, 0)
    made = []
    for row in refunds:
        for key, units in sorted((int(key), units) for key, units in row.units.items()):
            line, first = lines[key], before[key]
            made.append(
                parts(
                    refund_id=row.pk,
                    line_id=key,
                    quantity=units,
                    amount=cost(line, first + units) - cost(line, first),
                    currency=row.currency,
                )
            )
            if row.state != "failed":
                before[key] = first + units
    parts.objects.using(alias).bulk_create(made)


def cost(line, units):
    """What the first `units` of a line come to, by largest remainder."""
    each, rest = divmod(line.total, line.quantity)
    return units * each + min(units, rest)


def copy_back(apps, schema_editor):
    alias = schema_editor.connection.alias
    refunds = apps.get_model("shop", "Refund").objects.using(alias)
    for row in refunds.exclude(lines=None).prefetch_related("lines").iterator(BATCH):
        row.units = {str(part.line_id): part.quantity for part in row.lines.all()}
        row.save(update_fields=["units"])


class Migration(migrations.Migration):

    dependencies = [
        ('shop', '0010_publication_index'),
    ]

    operations = [
        # The rows take over the column's name.
        migrations.RenameField(
            model_name='refund',
            old_name='lines',
            new_name='units',
        ),
        migrations.CreateModel(
            name='RefundLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField()),
                ('amount', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='refund_lines', to='shop.orderline')),
                ('refund', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='shop.refund')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('refund', 'line'), name='refund_line_once'), models.CheckConstraint(condition=models.Q(('amount__gte', 0), ('quantity__gt', 0)), name='refund_line_of_something')],
            },
        ),
        migrations.RunPython(copy, copy_back),
        migrations.RemoveField(
            model_name='refund',
            name='units',
        ),
    ]
