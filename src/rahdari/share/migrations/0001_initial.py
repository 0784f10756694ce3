import rahdari.register.fields
import rahdari.vault.fields
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SharingRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=120)),
                ("holder", models.UUIDField()),
                ("block", rahdari.register.fields.BlockField()),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("asked_by", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("agreed", "agreed"),
                            ("declined", "declined"),
                            ("silent", "silent"),
                            ("taken_back", "taken_back"),
                            ("void", "void"),
                        ],
                        default="waiting",
                        max_length=12,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("remind_at", models.DateTimeField()),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("carried_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("forgotten_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["asked_at", "id"],
                "indexes": [
                    models.Index(fields=["holder", "asked_at"], name="requests_of_a_holder"),
                    models.Index(
                        condition=models.Q(("settled_at__isnull", True)), fields=["asked_at"], name="requests_unsettled"
                    ),
                    models.Index(
                        condition=models.Q(("carried_at__isnull", True), ("ended_at__isnull", False)),
                        fields=["ended_at"],
                        name="shares_to_carry",
                    ),
                    models.Index(
                        condition=models.Q(("forgotten_at__isnull", True)), fields=["ended_at"], name="shares_to_forget"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")),
                        fields=("holder", "block"),
                        name="one_request_for_a_block_waits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("state", "waiting")),
                            models.Q(models.Q(("state", "waiting"), _negated=True), ("ended_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="request_came_to_something_at_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("carried_at__isnull", True), ("ended_at__isnull", False), _connector="OR"),
                        name="only_what_ended_is_carried",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentQuestion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("holder", models.UUIDField(db_index=True)),
                (
                    "reply",
                    models.CharField(
                        choices=[("waiting", "waiting"), ("yes", "yes"), ("no", "no")], default="waiting", max_length=8
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answered_by", models.CharField(blank=True, max_length=120)),
                (
                    "request",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="questions", to="share.SharingRequest"),
                ),
            ],
            options={
                "ordering": ["asked_at", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("request", "holder"), name="a_holder_is_asked_once_by_a_request"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("reply", "waiting")),
                            models.Q(models.Q(("reply", "waiting"), _negated=True), ("answered_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="reply_was_given_at_a_moment",
                    ),
                ],
            },
        ),
    ]
