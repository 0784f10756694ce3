import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rahdari.vault.fields


class Migration(migrations.Migration):
    dependencies = [
        ("letters", "0002_messages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="NoReminders",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField()),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.AddField(
            model_name="letter",
            name="stop_url",
            field=rahdari.vault.fields.EncryptedTextField(blank=True, default=""),
        ),
        migrations.AlterField(
            model_name="letter",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("sending", "Sending"),
                    ("sent", "Sent"),
                    ("failed", "Failed"),
                    ("kept", "Kept"),
                ],
                default="queued",
                max_length=10,
            ),
        ),
        migrations.RemoveConstraint(model_name="letter", name="letter_sent_at_if_sent"),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.CheckConstraint(
                condition=models.Q(("sent_at__isnull", False), ("state", "sent"))
                | models.Q(("state", "failed"))
                | models.Q(("sent_at__isnull", True), ("state__in", ["queued", "sending", "kept"])),
                name="letter_sent_at_if_sent",
            ),
        ),
    ]
