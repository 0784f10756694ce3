import rahdari.register.fields
import rahdari.vault.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "0001_initial"),
        ("register", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FrozenPolicy",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("version", models.CharField(max_length=60)),
                ("text", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Application",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("reference", models.CharField(max_length=20, unique=True)),
                ("service", models.CharField(max_length=60)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("submitted", "submitted"),
                            ("granted", "granted"),
                            ("refused", "refused"),
                            ("withdrawn", "withdrawn"),
                            ("not_pursued", "not_pursued"),
                        ],
                        default="draft",
                        max_length=12,
                    ),
                ),
                ("language", models.CharField(choices=[("en", "English"), ("ur", "اردو")], default="en", max_length=2)),
                (
                    "about",
                    models.CharField(
                        choices=[("new", "new"), ("renewal", "renewal"), ("change", "change")],
                        default="new",
                        max_length=8,
                    ),
                ),
                ("terms", models.CharField(max_length=64)),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("cnic", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("cnic_index", models.CharField(blank=True, db_index=True, max_length=64)),
                ("company_name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("company_number", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                (
                    "company_number_index",
                    rahdari.vault.fields.BlindIndexField(
                        db_index=True, of="company_number", purpose="people.company_number"
                    ),
                ),
                ("ntn", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("contact_name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("contact_mobile", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("fixed_address", models.CharField(blank=True, max_length=10)),
                ("purpose", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("evidence_kind", models.CharField(blank=True, max_length=60)),
                ("evidence_text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("association", models.SlugField(blank=True, max_length=60)),
                ("association_number", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("send_token", models.UUIDField(default=uuid.uuid4)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("submitted_at", models.DateTimeField(blank=True, null=True)),
                ("checks_opened_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("number_erased_at", models.DateTimeField(blank=True, null=True)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                ("held_until", models.DateField(blank=True, null=True)),
                ("held_because", models.CharField(blank=True, max_length=12)),
                ("held_words", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                (
                    "applicant",
                    models.ForeignKey(
                        on_delete=models.PROTECT, related_name="applications", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "mandate",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="people.mandate"
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="people.organisation"
                    ),
                ),
                (
                    "registration",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="applied_again",
                        to="register.registration",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="apply.frozenpolicy"
                    ),
                ),
            ],
            options={"ordering": ["-created_at", "id"]},
        ),
        migrations.CreateModel(
            name="AddressFile",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("content", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("name", models.CharField(blank=True, max_length=120)),
                ("rows", models.PositiveIntegerField()),
                ("added", models.PositiveIntegerField(default=0)),
                ("uploaded_at", models.DateTimeField()),
                (
                    "application",
                    models.ForeignKey(on_delete=models.CASCADE, related_name="address_files", to="apply.application"),
                ),
            ],
            options={"ordering": ["-uploaded_at", "id"]},
        ),
        migrations.CreateModel(
            name="LateEvidence",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=60)),
                ("text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("given_at", models.DateTimeField()),
                ("taken_in_at", models.DateTimeField(blank=True, null=True)),
                (
                    "application",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="proofs", to="apply.application"),
                ),
            ],
            options={"ordering": ["given_at", "id"]},
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("rule", models.CharField(max_length=60)),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("media_type", models.CharField(max_length=60)),
                ("size", models.PositiveIntegerField()),
                ("pages", models.PositiveIntegerField(default=1)),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("sha256", models.CharField(max_length=64)),
                ("stored", models.CharField(max_length=32)),
                ("uploaded_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                (
                    "application",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="documents", to="apply.application"),
                ),
                (
                    "noted_from",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="apply.document"
                    ),
                ),
            ],
            options={
                "ordering": ["uploaded_at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("removed_at__isnull", True)),
                        fields=("application", "rule", "sha256"),
                        name="application_has_a_file_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("block", rahdari.register.fields.BlockField()),
                ("runs", models.CharField(max_length=20)),
                ("parts", rahdari.register.fields.PartsField(max_length=352)),
                ("position", models.PositiveIntegerField()),
                ("asn", models.BigIntegerField(blank=True, null=True)),
                ("operator_name", models.CharField(blank=True, max_length=200)),
                ("remote", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("label", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("subscriber", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("has_subscriber", models.BooleanField(default=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("static", "static"), ("dynamic", "dynamic")], default="static", max_length=8
                    ),
                ),
                ("continues", models.CharField(blank=True, max_length=120)),
                ("added_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "application",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="endpoints", to="apply.application"),
                ),
                (
                    "branch",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="people.branch"
                    ),
                ),
            ],
            options={
                "ordering": ["position", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("removed_at__isnull", False)),
                        fields=["removed_at"],
                        name="endpoints_removed",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("removed_at__isnull", True)),
                        fields=("application", "block", "parts"),
                        name="application_asks_for_an_endpoint_once",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                condition=models.Q(("checks_opened_at__isnull", True), ("status", "submitted")),
                fields=["submitted_at"],
                name="application_without_checks",
            ),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)), fields=["closed_at"], name="application_closed"
            ),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                condition=models.Q(("status", "draft")), fields=["updated_at"], name="drafts_by_their_age"
            ),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                condition=models.Q(("held_until__isnull", False)), fields=["held_until"], name="files_on_hold"
            ),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                condition=models.Q(("company_number", ""), _negated=True),
                fields=["company_number"],
                name="applied_with_a_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.UniqueConstraint(
                fields=("applicant", "send_token"), name="one_start_makes_one_application"
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.UniqueConstraint(
                condition=models.Q(("registration__isnull", False), ("status__in", ["draft", "submitted"])),
                fields=("registration", "about"),
                name="one_renewal_or_change_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("about", "new"), ("registration__isnull", True)),
                    models.Q(models.Q(("about", "new"), _negated=True), ("registration__isnull", False)),
                    _connector="OR",
                ),
                name="what_is_renewed_or_changed_is_named",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("policy__isnull", True), ("status", "draft"), ("submitted_at__isnull", True)),
                    ("status", "withdrawn"),
                    models.Q(
                        ("policy__isnull", False),
                        ("status__in", ["submitted", "granted", "refused", "not_pursued"]),
                        ("submitted_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="what_was_sent_names_its_policy",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("status__in", ["draft", "submitted"])),
                    models.Q(
                        models.Q(("status__in", ["draft", "submitted"]), _negated=True), ("closed_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="application_is_closed_when_decided",
            ),
        ),
        migrations.AddIndex(
            model_name="lateevidence",
            index=models.Index(
                condition=models.Q(("taken_in_at__isnull", True)), fields=["given_at"], name="proofs_to_take_in"
            ),
        ),
    ]
