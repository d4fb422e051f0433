# Columns of new releases have defaults in the database: during a deploy, processes of the former
# release insert rows without them.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("shop", "0024_sku_length"),
    ]

    operations = [
        migrations.AlterField(
            model_name="cart",
            name="stored_notices",
            field=models.JSONField(db_default=[], default=list, editable=False),
        ),
        migrations.AlterField(
            model_name="order",
            name="shipping_taxes",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AlterField(
            model_name="order",
            name="token_version",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="orderline",
            name="cancelled",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="payment",
            name="disputed",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="refund",
            name="shipping",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="refund",
            name="shipping_taxes",
            field=models.JSONField(db_default=[], default=list),
        ),
    ]
