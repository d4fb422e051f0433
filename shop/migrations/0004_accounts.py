# Accounts that are there already count as confirmed: they could sign in.

import django.db.models.deletion
import shop.models.fields
from django.conf import settings
from django.db import migrations, models
from django.db.models import F


def confirm(apps, schema_editor):
    users = apps.get_model("shop", "User").objects.using(schema_editor.connection.alias)
    users.update(confirmed_at=F("created_at"))


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('shop', '0003_sessions'),
    ]

    operations = [
        migrations.CreateModel(
            name='Address',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('company', models.CharField(blank=True, default='', max_length=200)),
                ('line1', models.CharField(max_length=200)),
                ('line2', models.CharField(blank=True, default='', max_length=200)),
                ('district', models.CharField(blank=True, default='', max_length=100)),
                ('city', models.CharField(blank=True, default='', max_length=100)),
                ('region', models.CharField(blank=True, default='', max_length=100)),
                ('postal_code', models.CharField(blank=True, default='', max_length=20)),
                ('country', shop.models.fields.ExactCharField(max_length=2)),
                ('phone', models.CharField(blank=True, default='', max_length=20)),
                ('default_shipping_key', models.BigIntegerField(editable=False, null=True, unique=True)),
                ('default_billing_key', models.BigIntegerField(editable=False, null=True, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name_plural': 'addresses',
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', shop.models.fields.ExactCharField(max_length=80)),
                ('outcome', shop.models.fields.ExactCharField(choices=[('done', 'done'), ('refused', 'refused')], default='done', max_length=8)),
                ('source', shop.models.fields.ExactCharField(choices=[('api', 'API'), ('admin', 'staff screens')], max_length=8)),
                ('object_type', shop.models.fields.ExactCharField(default='', max_length=40)),
                ('object_id', models.BigIntegerField(null=True)),
                ('difference', models.JSONField(default=dict)),
                ('address', models.GenericIPAddressField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name_plural': 'audit entries',
            },
        ),
        migrations.CreateModel(
            name='ThrottleEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', shop.models.fields.ExactCharField(max_length=64, unique=True)),
                ('hits', models.JSONField(default=list)),
                ('expires_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'throttle entries',
            },
        ),
        migrations.AddField(
            model_name='sentmail',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='mails', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='user',
            name='confirmed_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='erased_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='pending_email',
            field=models.CharField(blank=True, default='', editable=False, max_length=254),
        ),
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=shop.models.fields.ExactCharField(choices=[('import_products', 'import products'), ('export_products', 'export products'), ('export_account', 'export account')], max_length=20),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(fields=['created_at', 'id'], name='user_by_age'),
        ),
        migrations.AddField(
            model_name='address',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='addresses', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='audit_entries', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='throttleentry',
            index=models.Index(fields=['expires_at'], name='throttle_by_end'),
        ),
        migrations.AddIndex(
            model_name='address',
            index=models.Index(fields=['user', 'created_at', 'id'], name='address_by_user'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['created_at', 'id'], name='audit_by_time'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['actor', 'created_at', 'id'], name='audit_by_actor'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['object_type', 'object_id', 'created_at', 'id'], name='audit_by_object'),
        ),
        migrations.RunPython(confirm, migrations.RunPython.noop),
    ]
