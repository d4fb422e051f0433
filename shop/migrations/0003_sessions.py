# Refresh tokens now belong to sessions. Those from before belong to none: their users sign in again.

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import shop.models.fields


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_background")]

    operations = [
        migrations.DeleteModel(name="RefreshToken"),
        migrations.AddField(
            model_name="user",
            name="token_version",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("token_version", models.PositiveIntegerField()),
                ("user_agent", models.CharField(default="", max_length=400)),
                ("address", models.GenericIPAddressField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("last_used_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="sessions", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user", "last_used_at", "id"], name="session_by_use"),
                    models.Index(fields=["expires_at"], name="session_by_end"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RefreshToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", shop.models.fields.ExactCharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("used_at", models.DateTimeField(null=True)),
                ("session", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="refresh_tokens", to="shop.session")),
            ],
        ),
    ]
