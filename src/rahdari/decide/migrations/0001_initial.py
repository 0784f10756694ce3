import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import rahdari.vault.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("apply", "0001_initial"),
        ("register", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("lane", models.CharField(choices=[("automatic", "automatic"), ("review", "review")], max_length=10)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("decided", "decided"),
                            ("not_pursued", "not_pursued"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("started_at", models.DateTimeField()),
                ("assigned_at", models.DateTimeField(blank=True, null=True)),
                ("assessed_at", models.DateTimeField(blank=True, null=True)),
                ("escalated_at", models.DateTimeField(blank=True, null=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("waits_for", models.CharField(blank=True, max_length=10)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("late_at", models.DateTimeField(blank=True, null=True)),
                (
                    "words",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), blank=True, default=list
                    ),
                ),
                ("kept_under", models.CharField(blank=True, max_length=64)),
                (
                    "application",
                    models.OneToOneField(on_delete=models.PROTECT, related_name="case", to="apply.application"),
                ),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="cases",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["started_at", "id"]},
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("codes", models.JSONField()),
                ("text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("evidence", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("sent_at", models.DateTimeField()),
                ("answer_due_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answer", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("draft", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("ran_out_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_why", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("concluded_at", models.DateTimeField(blank=True, null=True)),
                ("case", models.ForeignKey(on_delete=models.PROTECT, related_name="notices", to="decide.case")),
                (
                    "proposed_by",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"ordering": ["sent_at", "id"]},
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("outcome", models.CharField(choices=[("granted", "granted"), ("refused", "refused")], max_length=10)),
                ("codes", models.JSONField(default=list)),
                ("text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("decided_by", models.CharField(max_length=120)),
                ("rule_version", models.CharField(max_length=60)),
                ("at", models.DateTimeField()),
                ("appeal_until", models.DateTimeField(blank=True, null=True)),
                ("entered_at", models.DateTimeField(blank=True, null=True)),
                ("provisional_until", models.DateTimeField(blank=True, null=True)),
                ("provisional_codes", models.JSONField(default=list)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("voided_at", models.DateTimeField(blank=True, null=True)),
                ("voided_why", models.CharField(blank=True, max_length=40)),
                ("case", models.ForeignKey(on_delete=models.PROTECT, related_name="decisions", to="decide.case")),
                (
                    "proposed_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "registration",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="decisions",
                        to="register.registration",
                    ),
                ),
                (
                    "seconded_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "notice",
                    models.OneToOneField(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="decision", to="decide.notice"
                    ),
                ),
            ],
            options={"ordering": ["at", "id"]},
        ),
        migrations.CreateModel(
            name="CaseQuestion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=20)),
                ("text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("extended", models.PositiveSmallIntegerField(default=0)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answer", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("draft", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("lapsed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("case", models.ForeignKey(on_delete=models.PROTECT, related_name="questions", to="decide.case")),
            ],
            options={"ordering": ["asked_at", "id"]},
        ),
        migrations.CreateModel(
            name="Revocation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=20)),
                ("codes", models.JSONField()),
                ("text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("decided_by", models.CharField(max_length=120)),
                ("rule_version", models.CharField(max_length=60)),
                ("at", models.DateTimeField()),
                ("appeal_until", models.DateTimeField()),
                ("restored_at", models.DateTimeField(blank=True, null=True)),
                ("restored_why", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("case", models.ForeignKey(on_delete=models.PROTECT, related_name="revocations", to="decide.case")),
                (
                    "notice",
                    models.OneToOneField(on_delete=models.PROTECT, related_name="revocation", to="decide.notice"),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "registration",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="revocations", to="register.registration"),
                ),
                (
                    "restored_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "seconded_by",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={"ordering": ["at", "id"]},
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(condition=models.Q(("status", "open")), fields=["started_at"], name="cases_open"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["assigned_to"], name="cases_of_an_officer"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.OrderBy(models.F("due_at"), nulls_first=True),
                models.F("started_at"),
                models.F("id"),
                condition=models.Q(("status", "open")),
                name="cases_by_due_time",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("status", "open")),
                fields=["waits_for"],
                include=["due_at", "late_at", "assigned_to", "application"],
                name="cases_counted",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("status", "open")), fields=["words"], name="cases_by_word"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(condition=models.Q(("status", "open")), fields=["kept_under"], name="cases_by_calendar"),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", False), ("status", "decided")),
                    models.Q(models.Q(("status", "decided"), _negated=True), ("decided_at__isnull", True)),
                    _connector="OR",
                ),
                name="case_is_decided_at_a_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("status__in", ["open", "decided"])),
                    models.Q(("closed_at__isnull", False), ("status__in", ["not_pursued", "withdrawn"])),
                    _connector="OR",
                ),
                name="case_is_closed_at_a_moment",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(
                    ("answered_at__isnull", True),
                    ("concluded_at__isnull", True),
                    ("ran_out_at__isnull", True),
                    ("withdrawn_at__isnull", True),
                ),
                fields=["answer_due_at"],
                name="notices_unanswered",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("concluded_at__isnull", True), ("withdrawn_at__isnull", True)),
                fields=("case",),
                name="case_has_one_standing_notice",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(("codes", []), _negated=True), name="notice_names_a_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(("answer_due_at__gt", models.F("sent_at"))), name="notice_gives_time_to_answer"
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                condition=models.Q(("entered_at__isnull", True), ("outcome", "granted"), ("voided_at__isnull", True)),
                fields=["at"],
                name="grants_not_entered",
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                condition=models.Q(
                    ("confirmed_at__isnull", True), ("provisional_until__isnull", False), ("voided_at__isnull", True)
                ),
                fields=["provisional_until"],
                name="grants_provisional",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("voided_at__isnull", True)),
                fields=("case",),
                name="case_has_one_decision_that_stands",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("confirmed_at__isnull", True), ("provisional_codes", []), ("provisional_until__isnull", True)
                    ),
                    models.Q(
                        ("outcome", "granted"),
                        ("provisional_until__gt", models.F("at")),
                        models.Q(("provisional_codes", []), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="provisional_grant_names_code_and_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("outcome", "granted"),
                    models.Q(("decided_by__startswith", "rule:"), _negated=True),
                    _connector="OR",
                ),
                name="rule_never_refuses",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("outcome", "granted"),
                    models.Q(
                        ("appeal_until__isnull", False),
                        ("notice__isnull", False),
                        ("outcome", "refused"),
                        ("proposed_by__isnull", False),
                        ("seconded_by__isnull", False),
                        models.Q(("proposed_by", models.F("seconded_by")), _negated=True),
                        models.Q(("codes", []), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="refusal_has_notice_codes_and_second_officer",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entered_at__isnull", True), ("registration__isnull", True)),
                    models.Q(("entered_at__isnull", False), ("outcome", "granted"), ("registration__isnull", False)),
                    _connector="OR",
                ),
                name="only_a_grant_is_entered",
            ),
        ),
        migrations.AddIndex(
            model_name="casequestion",
            index=models.Index(
                condition=models.Q(("answered_at__isnull", True), ("lapsed_at__isnull", True)),
                fields=["due_at"],
                name="questions_unanswered",
            ),
        ),
        migrations.AddConstraint(
            model_name="casequestion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("answered_at__isnull", True)), fields=("case",), name="case_has_one_open_question"
            ),
        ),
        migrations.AddConstraint(
            model_name="revocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("proposed_by", models.F("seconded_by")), _negated=True),
                    models.Q(("codes", []), _negated=True),
                    ("kind__in", ["suspension", "striking_out"]),
                ),
                name="revocation_has_code_and_second_officer",
            ),
        ),
        migrations.AddConstraint(
            model_name="revocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__startswith", "officer:"), ("decided_by__startswith", "supervisor:"), _connector="OR"
                ),
                name="rule_never_revokes",
            ),
        ),
    ]
