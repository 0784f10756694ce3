import rahdari.vault.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
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
    ]
