import rahdari.vault.fields
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="MailOptOut",
            fields=[
                ("address_index", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ReferenceRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=120, unique=True)),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("address", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("address_index", models.CharField(max_length=64)),
                ("domain", models.CharField(max_length=253)),
                ("language", models.CharField(max_length=2)),
                ("asked_by", models.CharField(max_length=120)),
                ("link_index", models.CharField(max_length=64, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("yes", "yes"),
                            ("no", "no"),
                            ("not_me", "not_me"),
                            ("stopped", "stopped"),
                            ("silent", "silent"),
                            ("recalled", "recalled"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("remind_at", models.DateTimeField()),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                ("sent_again_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("carried_at", models.DateTimeField(blank=True, null=True)),
                ("forget_at", models.DateTimeField()),
                ("forgotten_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["asked_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("carried_at__isnull", True)),
                        fields=["asked_at"],
                        name="questions_not_carried",
                    ),
                    models.Index(condition=models.Q(("state", "waiting")), fields=["ends_at"], name="questions_to_end"),
                    models.Index(
                        condition=models.Q(("answered_at__isnull", False), ("carried_at__isnull", True)),
                        fields=["answered_at"],
                        name="questions_to_carry",
                    ),
                    models.Index(
                        condition=models.Q(("forgotten_at__isnull", True)),
                        fields=["forget_at"],
                        name="questions_to_forget",
                    ),
                    models.Index(fields=["address_index", "asked_at"], name="questions_to_an_address"),
                    models.Index(fields=["domain", "asked_at"], name="questions_to_a_domain"),
                    models.Index(fields=["asked_by", "asked_at"], name="questions_of_a_person"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("state", "waiting")),
                            models.Q(models.Q(("state", "waiting"), _negated=True), ("answered_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="question_is_over_at_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("carried_at__isnull", True), models.Q(("state", "waiting"), _negated=True), _connector="OR"
                        ),
                        name="only_an_answer_is_carried",
                    ),
                ],
            },
        ),
    ]
