import django.db.models.deletion
import rahdari.vault.fields
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="RosterLoad",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=40, unique=True)),
                ("sha256", models.CharField(max_length=64)),
                ("started_at", models.DateTimeField()),
                ("started_by", models.CharField(max_length=120)),
                ("offset", models.BigIntegerField()),
                ("line", models.BigIntegerField()),
                ("accepted", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Check",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=120)),
                ("kind", models.CharField(max_length=20)),
                ("target", models.CharField(max_length=200)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("required", models.BooleanField(default=True)),
                ("title", models.JSONField(default=dict)),
                ("facts", models.JSONField(default=dict)),
                ("reason", models.CharField(blank=True, max_length=20)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("passed", "Passed"), ("failed", "Failed")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("reason_code", models.CharField(blank=True, max_length=20)),
                ("finding", models.CharField(blank=True, max_length=40)),
                ("evidence", models.JSONField(default=dict)),
                ("how", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("opened_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answered_by", models.CharField(blank=True, max_length=120)),
            ],
            options={
                "ordering": ["subject", "position", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome", "waiting")), fields=["opened_at"], name="checks_waiting"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("subject", "kind", "target"), name="one_check_a_kind_and_target"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("outcome", "waiting")),
                            models.Q(models.Q(("outcome", "waiting"), _negated=True), ("answered_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="check_is_answered_at_a_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Roster",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=40)),
                ("in_use", models.BooleanField(default=True)),
                ("imported_at", models.DateTimeField()),
                ("imported_by", models.CharField(max_length=120)),
                ("sha256", models.CharField(max_length=64)),
                ("accepted", models.PositiveIntegerField()),
                ("rejected", models.PositiveIntegerField()),
            ],
            options={
                "ordering": ["-imported_at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("in_use", True)), fields=("name",), name="one_import_of_a_roster_in_use"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RosterRejection",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("line", models.BigIntegerField()),
                ("reason", models.CharField(max_length=20)),
                ("other", models.BigIntegerField(blank=True, null=True)),
                (
                    "load",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rejections", to="checks.rosterload"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RosterRow",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("key", models.BinaryField()),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("active", models.BooleanField(default=True)),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("email", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("mobile", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("domain", models.BinaryField(blank=True, null=True)),
                (
                    "roster",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="rows",
                        to="checks.roster",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("roster", "key"), name="a_number_stands_once_in_a_roster")
                ],
            },
        ),
    ]
