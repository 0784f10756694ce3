import django.db.models.deletion
import rahdari.vault.fields
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Challenge",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=120)),
                ("block", models.CharField(max_length=49)),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("link", "Link"),
                            ("http", "Http"),
                            ("tls-alpn", "Tls Alpn"),
                            ("tls", "Tls"),
                            ("sstp", "Sstp"),
                            ("openvpn", "Openvpn"),
                            ("wireguard", "Wireguard"),
                            ("ikev2", "Ikev2"),
                            ("dns", "Dns"),
                            ("operator", "Operator"),
                            ("record", "Record"),
                            ("contact", "Contact"),
                            ("report", "Report"),
                        ],
                        max_length=12,
                    ),
                ),
                ("given", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("weight", models.PositiveSmallIntegerField(default=1)),
                ("enough", models.PositiveSmallIntegerField(default=1)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("valid", "Valid"),
                            ("expired", "Expired"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="pending",
                        max_length=12,
                    ),
                ),
                ("link_index", models.CharField(max_length=64, unique=True)),
                ("opened_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("validated_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("next_look_at", models.DateTimeField(blank=True, null=True)),
                ("last_look_at", models.DateTimeField(blank=True, null=True)),
                ("looks", models.PositiveIntegerField(default=0)),
                (
                    "repeats",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="repetitions",
                        to="control.challenge",
                    ),
                ),
            ],
            options={
                "ordering": ["opened_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="ProbeAttempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("place", models.CharField(blank=True, max_length=60)),
                ("finding", models.CharField(max_length=40)),
                ("evidence", models.JSONField(default=dict)),
                (
                    "challenge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="attempts", to="control.challenge"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Reproof",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("about", models.CharField(max_length=120)),
                ("occasion", models.CharField(max_length=60)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("shown", "Shown"), ("in_vain", "In Vain")],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("window_ends_at", models.DateTimeField()),
                ("between", models.DurationField()),
                ("windows", models.PositiveSmallIntegerField()),
                ("in_vain", models.PositiveSmallIntegerField(default=0)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "proof",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reproofs", to="control.challenge"
                    ),
                ),
            ],
            options={
                "ordering": ["opened_at", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="challenge",
            index=models.Index(fields=["subject", "opened_at"], name="challenges_of_a_subject"),
        ),
        migrations.AddIndex(
            model_name="challenge",
            index=models.Index(
                condition=models.Q(("next_look_at__isnull", False), ("status", "pending")),
                fields=["next_look_at"],
                name="challenges_to_look_at",
            ),
        ),
        migrations.AddIndex(
            model_name="challenge",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["expires_at"], name="challenges_to_expire"
            ),
        ),
        migrations.AddConstraint(
            model_name="challenge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "pending")),
                fields=("subject", "block", "method"),
                name="one_pending_challenge_a_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="challenge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "valid"), ("validated_at__isnull", False)),
                    models.Q(models.Q(("status", "valid"), _negated=True), ("validated_at__isnull", True)),
                    _connector="OR",
                ),
                name="challenge_is_valid_from_a_moment",
            ),
        ),
        migrations.AddIndex(
            model_name="probeattempt",
            index=models.Index(fields=["challenge", "-id"], name="attempts_of_a_challenge"),
        ),
        migrations.AddIndex(
            model_name="reproof",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["window_ends_at"], name="reproofs_under_way"
            ),
        ),
        migrations.AddConstraint(
            model_name="reproof",
            constraint=models.UniqueConstraint(fields=("about", "occasion"), name="one_reproof_an_occasion"),
        ),
        migrations.AddConstraint(
            model_name="reproof",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")), fields=("about",), name="one_reproof_open_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="reproof",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("state", "open")),
                    models.Q(models.Q(("state", "open"), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="reproof_ends_at_a_moment",
            ),
        ),
    ]
