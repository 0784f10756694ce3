import rahdari.vault.fields
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ContactNumber",
            fields=[
                ("asked", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("code", models.CharField(blank=True, max_length=64)),
                ("code_until", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("person", models.UUIDField(unique=True)),
                ("number", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("index", models.CharField(blank=True, db_index=True, max_length=64)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("notes", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("confirmed_at__isnull", True), ("index", "")),
                            models.Q(("confirmed_at__isnull", False), ("index__gt", "")),
                            _connector="OR",
                        ),
                        name="number_is_confirmed_if_kept",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EarlyDeliveryReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=40)),
                ("reference", models.CharField(max_length=80)),
                ("outcome", models.CharField(max_length=10)),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["provider", "reference"], name="early_report_by_reference")],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("person", models.UUIDField()),
                ("number", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("language", models.CharField(max_length=2)),
                ("note", models.CharField(max_length=60)),
                ("about", models.CharField(blank=True, max_length=80)),
                ("text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("urgent", models.BooleanField(default=False)),
                ("written_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(blank=True, null=True)),
                ("taken_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("provider", models.CharField(blank=True, max_length=40)),
                ("parts", models.PositiveSmallIntegerField(default=0)),
                ("unclear", models.BooleanField(default=False)),
                ("reason", models.CharField(blank=True, max_length=80)),
                ("attempts", models.JSONField(default=list)),
            ],
            options={
                "ordering": ["-written_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "sending"])),
                        fields=["next_try_at"],
                        name="messages_not_settled",
                    ),
                    models.Index(fields=["about", "-written_at"], name="messages_about"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state__in", ["sent", "delivered"])),
                            ("state", "failed"),
                            models.Q(("sent_at__isnull", True), ("state__in", ["queued", "sending"])),
                            _connector="OR",
                        ),
                        name="message_sent_at_if_sent",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="NotedLetter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("letter", models.UUIDField(db_index=True)),
                ("message", models.ForeignKey(on_delete=models.CASCADE, related_name="letters", to="sms.message")),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="SmsSegment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=40)),
                ("reference", models.CharField(max_length=80)),
                ("outcome", models.CharField(default="waiting", max_length=10)),
                ("message", models.ForeignKey(on_delete=models.CASCADE, related_name="pieces", to="sms.message")),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["provider", "reference"], name="part_by_reference")],
            },
        ),
    ]
