# Codes are compared with a capital sharp s as "SS" and with long dashes as hyphens: stored ones alike.

from django.db import migrations

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
        ("shop", "0015_fulfillment_cancelled"),
    ]

    operations = [
        migrations.RunPython(normalize, migrations.RunPython.noop),
    ]
