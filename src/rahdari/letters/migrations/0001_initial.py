import rahdari.vault.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="ProviderHealth",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("rests_until", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.CharField(blank=True, max_length=80)),
                ("last_failed_at", models.DateTimeField(blank=True, null=True)),
                ("last_taken_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={"ordering": ["name"]},
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
                (
                    "to",
                    models.ForeignKey(
                        on_delete=models.PROTECT, related_name="messages_by_sms", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"ordering": ["-written_at", "-id"]},
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("address", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("language", models.CharField(max_length=2)),
                ("template", models.CharField(max_length=60)),
                ("about", models.CharField(blank=True, max_length=80)),
                ("once", models.CharField(blank=True, max_length=80)),
                ("subject", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("html", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("written_at", models.DateTimeField()),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
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
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(blank=True, null=True)),
                ("taken_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("stop_url", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("last_error", models.CharField(blank=True, max_length=80)),
                (
                    "to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="letters",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.SET_NULL, related_name="letters", to="letters.message"
                    ),
                ),
            ],
            options={"ordering": ["-written_at", "-id"]},
        ),
        migrations.CreateModel(
            name="ReminderOptOut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField()),
                (
                    "person",
                    models.OneToOneField(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.CreateModel(
            name="SmsSegment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=40)),
                ("reference", models.CharField(max_length=80)),
                ("outcome", models.CharField(default="waiting", max_length=10)),
                ("message", models.ForeignKey(on_delete=models.CASCADE, related_name="pieces", to="letters.message")),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "sending"])),
                fields=["next_try_at"],
                name="messages_not_settled",
            ),
        ),
        migrations.AddIndex(
            model_name="message", index=models.Index(fields=["about", "-written_at"], name="messages_about")
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sent_at__isnull", False), ("state__in", ["sent", "delivered"])),
                    ("state", "failed"),
                    models.Q(("sent_at__isnull", True), ("state__in", ["queued", "sending"])),
                    _connector="OR",
                ),
                name="message_sent_at_if_sent",
            ),
        ),
        migrations.AddIndex(
            model_name="letter", index=models.Index(fields=["to", "-written_at"], name="letters_of_person")
        ),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "sending"])),
                fields=["next_try_at"],
                name="letters_not_settled",
            ),
        ),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.UniqueConstraint(
                condition=models.Q(("once__gt", "")), fields=("to", "about", "once"), name="letter_is_written_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sent_at__isnull", False), ("state", "sent")),
                    ("state", "failed"),
                    models.Q(("sent_at__isnull", True), ("state__in", ["queued", "sending", "kept"])),
                    _connector="OR",
                ),
                name="letter_sent_at_if_sent",
            ),
        ),
        migrations.AddIndex(
            model_name="smssegment", index=models.Index(fields=["provider", "reference"], name="part_by_reference")
        ),
    ]
