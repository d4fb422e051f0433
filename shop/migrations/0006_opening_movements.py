# Stock that is there already is counted once, so that its movements add up to what is on hand.

from django.db import migrations

BATCH = 500


def count(apps, schema_editor):
    alias = schema_editor.connection.alias
    stock = apps.get_model("shop", "Stock").objects.using(alias)
    movements = apps.get_model("shop", "StockMovement")
    rows = (
        movements(stock_id=pk, delta=on_hand, on_hand=on_hand, reason="opening")
        for pk, on_hand in stock.exclude(on_hand=0).values_list("pk", "on_hand").iterator(BATCH)
    )
    for made in batched(rows):
        movements.objects.using(alias).bulk_create(made)


def batched(rows):
    made = []
    for row in rows:
        made.append(row)
        if len(made) == BATCH:
            yield made
            made = []
    if made:
        yield made


class Migration(migrations.Migration):

    dependencies = [
        ('shop', '0005_selling'),
    ]

    operations = [
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
