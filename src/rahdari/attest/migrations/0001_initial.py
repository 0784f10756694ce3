import rahdari.vault.fields
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="MemberList",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("association", models.SlugField(max_length=60)),
                ("claim", models.SlugField(max_length=60)),
                ("way", models.SlugField(max_length=60)),
                ("content", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("name", models.CharField(blank=True, max_length=120)),
                ("uploaded_at", models.DateTimeField()),
                ("uploaded_by", models.CharField(max_length=120)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("emptied_at", models.DateTimeField(blank=True, null=True)),
                ("made", models.PositiveIntegerField(default=0)),
                ("renewed", models.PositiveIntegerField(default=0)),
                ("revocation", models.SlugField(blank=True, max_length=60)),
                ("told", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
            ],
            options={
                "ordering": ["-uploaded_at", "id"],
                "indexes": [models.Index(fields=["association", "-uploaded_at"], name="lists_of_an_association")],
            },
        ),
        migrations.CreateModel(
            name="Attestation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=12, unique=True)),
                ("association", models.SlugField(max_length=60)),
                ("claim", models.SlugField(max_length=60)),
                ("way", models.SlugField(max_length=60)),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("member_number", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("member_index", models.CharField(max_length=64)),
                ("identifier_kind", models.CharField(max_length=8)),
                ("identifier_index", models.CharField(max_length=64)),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField()),
                ("made_at", models.DateTimeField()),
                ("made_by", models.CharField(max_length=120)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_by", models.CharField(blank=True, max_length=120)),
                ("revocation", models.SlugField(blank=True, max_length=60)),
                ("told", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("to_follow", models.BooleanField(default=False)),
                (
                    "member_list",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="attest.memberlist"
                    ),
                ),
            ],
            options={"ordering": ["-made_at", "id"]},
        ),
        migrations.CreateModel(
            name="MembershipInquiry",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("association", models.SlugField(max_length=60)),
                ("subject", models.CharField(max_length=120, unique=True)),
                ("service", models.SlugField(max_length=60)),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("email", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("member_number", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("member_index", models.CharField(max_length=64)),
                ("identifier_kind", models.CharField(max_length=8)),
                ("identifier_index", models.CharField(max_length=64)),
                ("indexes", models.JSONField(default=list)),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("attested", "attested"),
                            ("not_member", "not_member"),
                            ("silent", "silent"),
                            ("withdrawn", "withdrawn"),
                        ],
                        max_length=10,
                    ),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answered_by", models.CharField(blank=True, max_length=120)),
                ("why", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("to_look", models.BooleanField(default=False)),
                ("carried_at", models.DateTimeField(blank=True, null=True)),
                ("erase_at", models.DateTimeField(blank=True, null=True)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                (
                    "attestation",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="attest.attestation"
                    ),
                ),
            ],
            options={"ordering": ["due_at", "id"]},
        ),
        migrations.CreateModel(
            name="AttestationUse",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=120)),
                ("holder", models.UUIDField()),
                ("person", models.CharField(max_length=120)),
                ("weight", models.CharField(max_length=12)),
                ("at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "attestation",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="uses", to="attest.attestation"),
                ),
            ],
            options={"ordering": ["at", "id"]},
        ),
        migrations.CreateModel(
            name="AttestationReview",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=12, unique=True)),
                ("kind", models.CharField(choices=[("revoked", "revoked"), ("disputed", "disputed")], max_length=10)),
                ("subject", models.CharField(blank=True, max_length=120)),
                ("holder", models.UUIDField()),
                ("person", models.CharField(max_length=120)),
                ("opened_at", models.DateTimeField()),
                ("said", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("said_at", models.DateTimeField(blank=True, null=True)),
                ("reply_due_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reply",
                    models.CharField(blank=True, choices=[("keeps", "keeps"), ("yields", "yields")], max_length=10),
                ),
                ("reply_text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("replied_at", models.DateTimeField(blank=True, null=True)),
                ("replied_by", models.CharField(blank=True, max_length=120)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("stands", "stands"),
                            ("another_proof", "another_proof"),
                            ("member_right", "member_right"),
                        ],
                        max_length=14,
                    ),
                ),
                ("decision", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decided_by", models.CharField(blank=True, max_length=120)),
                ("proof_due_at", models.DateTimeField(blank=True, null=True)),
                ("carried_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "attestation",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="matters", to="attest.attestation"),
                ),
            ],
            options={
                "ordering": ["opened_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)), fields=["opened_at"], name="matters_open"
                    ),
                    models.Index(fields=["holder"], name="matters_of_a_holder"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("attestation", "subject", "holder"),
                        name="one_open_matter_about_an_attestation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("outcome", "")),
                            models.Q(models.Q(("outcome", ""), _negated=True), ("decided_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="matter_is_decided_at_a_moment",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="attestation",
            index=models.Index(fields=["association", "member_index"], name="attestations_of_a_number"),
        ),
        migrations.AddIndex(
            model_name="attestation", index=models.Index(fields=["identifier_index"], name="attestations_of_a_person")
        ),
        migrations.AddIndex(
            model_name="attestation",
            index=models.Index(fields=["association", "valid_until"], name="attestations_by_their_end"),
        ),
        migrations.AddIndex(
            model_name="attestation",
            index=models.Index(
                condition=models.Q(("to_follow", True)), fields=["revoked_at"], name="attestations_to_follow"
            ),
        ),
        migrations.AddConstraint(
            model_name="attestation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at__isnull", True)),
                fields=("association", "claim", "identifier_index"),
                name="a_member_is_attested_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="attestation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("revocation", ""), ("revoked_at__isnull", True)),
                    models.Q(("revoked_at__isnull", False), models.Q(("revocation", ""), _negated=True)),
                    _connector="OR",
                ),
                name="attestation_is_revoked_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="attestation",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_until__gte", models.F("valid_from"))),
                name="attestation_ends_after_it_begins",
            ),
        ),
        migrations.AddIndex(
            model_name="membershipinquiry",
            index=models.Index(
                condition=models.Q(("answer", "")), fields=["association", "due_at"], name="requests_that_wait"
            ),
        ),
        migrations.AddIndex(
            model_name="membershipinquiry",
            index=models.Index(
                condition=models.Q(("answered_at__isnull", False), ("carried_at__isnull", True)),
                fields=["answered_at"],
                name="requests_to_carry",
            ),
        ),
        migrations.AddIndex(
            model_name="membershipinquiry",
            index=models.Index(
                condition=models.Q(("carried_at__isnull", True), ("answer", "withdrawn"), _connector="OR"),
                fields=["due_at"],
                name="requests_not_settled",
            ),
        ),
        migrations.AddIndex(
            model_name="membershipinquiry",
            index=models.Index(
                condition=models.Q(("erased_at__isnull", True)), fields=["erase_at"], name="requests_to_erase"
            ),
        ),
        migrations.AddConstraint(
            model_name="membershipinquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answer", ""), ("answered_at__isnull", True)),
                    models.Q(models.Q(("answer", ""), _negated=True), ("answered_at__isnull", False)),
                    _connector="OR",
                ),
                name="request_is_answered_at_a_moment",
            ),
        ),
        migrations.AddIndex(
            model_name="attestationuse", index=models.Index(fields=["holder"], name="attestations_used_for")
        ),
        migrations.AddIndex(
            model_name="attestationuse",
            index=models.Index(
                condition=models.Q(("settled_at__isnull", True)), fields=["at"], name="uses_not_settled"
            ),
        ),
        migrations.AddConstraint(
            model_name="attestationuse",
            constraint=models.UniqueConstraint(fields=("attestation", "subject"), name="attestation_counts_once"),
        ),
    ]
