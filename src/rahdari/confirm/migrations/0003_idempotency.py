"""What an operator's system sends under an Idempotency-Key is done once."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import rahdari.vault.fields


class Migration(migrations.Migration):
    dependencies = [("confirm", "0002_guards")]

    operations = [
        migrations.CreateModel(
            name="OperatorRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=200)),
                ("fingerprint", models.CharField(max_length=64)),
                ("begun_at", models.DateTimeField()),
                ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("headers", models.JSONField(default=dict)),
                ("body", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="confirm.apitoken"
                    ),
                ),
            ],
            options={
                "ordering": ["begun_at", "id"],
                "indexes": [models.Index(fields=["begun_at"], name="requests_to_forget")],
                "constraints": [models.UniqueConstraint(fields=("owner", "key"), name="a_key_of_a_system_stands_once")],
            },
        ),
    ]
