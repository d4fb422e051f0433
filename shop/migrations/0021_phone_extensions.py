# Phone numbers have extensions. Codes are compared with ASCII digits: stored ones alike.

from django.db import migrations, models

from shop.text import normalize_code


def normalize(apps, schema_editor):
    vouchers = apps.get_model("shop", "Voucher").objects.using(schema_editor.connection.alias)
    for pk, code in list(vouchers.order_by("pk").values_list("pk", "code")):
        normal = normalize_code(code)
        # Where another voucher has the code, shoppers get that one, as they do from then on.
        if normal != code and not vouchers.filter(code=normal).exists():
            vouchers.filter(pk=pk).update(code=normal)


class Migration(migrations.Migration):

    dependencies = [
        ("shop", "0020_cart_notices"),
    ]

    operations = [
        migrations.AlterField(
            model_name="address",
            name="phone",
            field=models.CharField(blank=True, default="", max_length=50),
        ),
        migrations.RunPython(normalize, migrations.RunPython.noop),
    ]
