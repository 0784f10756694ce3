import rahdari.dyndns.rules
import rahdari.register.fields
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("register", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="DynamicHost",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=20, unique=True)),
                ("subject", models.CharField(max_length=120, unique=True)),
                ("holder", models.UUIDField(db_index=True)),
                ("parts", rahdari.register.fields.PartsField(max_length=352)),
                (
                    "v6_as",
                    models.CharField(
                        choices=[("host", "host"), ("network", "network")],
                        default=rahdari.dyndns.rules.V6As["HOST"],
                        max_length=8,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("paused_until", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "registration",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="dynamic_hosts",
                        to="register.registration",
                    ),
                ),
            ],
            options={"ordering": ["made_at", "id"]},
        ),
        migrations.CreateModel(
            name="UpdateToken",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("index", models.CharField(max_length=64, unique=True)),
                ("tail", models.CharField(max_length=4)),
                ("made_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("host", models.ForeignKey(on_delete=models.CASCADE, related_name="tokens", to="dyndns.DynamicHost")),
            ],
            options={"ordering": ["-made_at", "id"]},
        ),
        migrations.CreateModel(
            name="AddressClaim",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("family", models.PositiveSmallIntegerField()),
                ("block", models.CharField(max_length=49)),
                ("at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("host", models.ForeignKey(on_delete=models.CASCADE, related_name="claims", to="dyndns.DynamicHost")),
            ],
            options={
                "ordering": ["-at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("host", "family"),
                        name="one_claim_of_a_family_waits",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReportedAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("family", models.PositiveSmallIntegerField()),
                ("block", rahdari.register.fields.BlockField()),
                ("since", models.DateTimeField()),
                ("reported_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("rival_until", models.DateTimeField(blank=True, null=True)),
                ("notified_at", models.DateTimeField(blank=True, null=True)),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="register.entry"
                    ),
                ),
                ("host", models.ForeignKey(on_delete=models.CASCADE, related_name="reported", to="dyndns.DynamicHost")),
            ],
            options={
                "ordering": ["host", "family"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("notified_at__isnull", True)),
                        fields=["until"],
                        name="reported_not_notified",
                    ),
                    models.Index(fields=["entry"], name="dyndns_of_an_entry"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("host", "family"), name="one_address_of_a_family"),
                    models.CheckConstraint(condition=models.Q(("family__in", (4, 6))), name="family_is_known"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AddressReport",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("address", models.CharField(blank=True, max_length=49)),
                (
                    "by",
                    models.CharField(
                        choices=[("router", "router"), ("program", "program"), ("page", "page"), ("link", "link")],
                        max_length=8,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("changed", "changed"),
                            ("same", "same"),
                            ("not_public", "not_public"),
                            ("not_proved", "not_proved"),
                            ("too_often", "too_often"),
                            ("rival", "rival"),
                            ("held", "held"),
                            ("yours", "yours"),
                            ("old_token", "old_token"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("count", models.PositiveIntegerField(default=1)),
                ("host", models.ForeignKey(on_delete=models.CASCADE, related_name="reports", to="dyndns.DynamicHost")),
            ],
            options={
                "ordering": ["-last_at", "-id"],
                "indexes": [
                    models.Index(fields=["host", "-last_at"], name="reports_of_a_host"),
                    models.Index(fields=["last_at"], name="reports_to_forget"),
                ],
            },
        ),
    ]
