import rahdari.confirm.rules
import rahdari.vault.fields
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AnswerFile",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("operator", models.SlugField(max_length=60)),
                ("content", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("name", models.CharField(blank=True, max_length=120)),
                ("uploaded_at", models.DateTimeField()),
                ("uploaded_by", models.CharField(max_length=120)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("taken", models.PositiveIntegerField(default=0)),
            ],
            options={"ordering": ["-uploaded_at", "id"]},
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("operator", models.SlugField(max_length=60)),
                ("name", models.CharField(max_length=60)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("begins", models.CharField(max_length=20)),
                ("sandbox", models.BooleanField(default=False)),
                ("made_at", models.DateTimeField()),
                ("made_by", models.CharField(max_length=120)),
                ("ends_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("used_on", models.DateField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-made_at", "id"],
                "indexes": [models.Index(fields=["operator"], name="tokens_of_an_operator")],
            },
        ),
        migrations.CreateModel(
            name="Callback",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("operator", models.SlugField(max_length=60)),
                ("url", models.CharField(max_length=500)),
                ("secret", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("old_secret", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("old_secret_until", models.DateTimeField(blank=True, null=True)),
                ("made_at", models.DateTimeField()),
                ("made_by", models.CharField(max_length=120)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("stopped_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-made_at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("operator",),
                        name="operator_has_one_callback",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SubscriberQuestion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=12, unique=True)),
                ("operator", models.SlugField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[("subscriber", "subscriber"), ("mobile", "mobile")],
                        default=rahdari.confirm.rules.QuestionKind["SUBSCRIBER"],
                        max_length=10,
                    ),
                ),
                ("subject", models.CharField(max_length=120)),
                ("target", models.CharField(max_length=200)),
                ("block", models.CharField(blank=True, max_length=49)),
                ("subscriber", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("name_masked", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("reference", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                (
                    "said",
                    models.CharField(
                        blank=True, choices=[("yes", "yes"), ("no", "no"), ("unknown", "unknown")], max_length=8
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=30)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("to_carry", models.BooleanField(default=False)),
                ("fetched_on", models.DateField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("erase_at", models.DateTimeField(blank=True, null=True)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["due_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at__isnull", True), ("withdrawn_at__isnull", True)),
                        fields=["operator", "due_at", "id"],
                        name="questions_open",
                    ),
                    models.Index(fields=["operator", "answered_at"], name="questions_answered"),
                    models.Index(fields=["subject"], name="questions_of_a_subject"),
                    models.Index(
                        condition=models.Q(("to_carry", True)), fields=["answered_at"], name="operator_answers_to_carry"
                    ),
                    models.Index(
                        condition=models.Q(("erased_at__isnull", True)), fields=["erase_at"], name="questions_to_erase"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=("target", "operator"),
                        name="operator_is_asked_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("said", "")),
                            models.Q(models.Q(("said", ""), _negated=True), ("answered_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="question_is_answered_at_a_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallbackDelivery",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("event", models.CharField(max_length=40)),
                ("data", models.JSONField(default=dict)),
                ("happened_at", models.DateTimeField()),
                ("made_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_at", models.DateTimeField(blank=True, null=True)),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("finding", models.CharField(blank=True, max_length=30)),
                ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "webhook",
                    models.ForeignKey(on_delete=models.CASCADE, related_name="deliveries", to="confirm.callback"),
                ),
            ],
            options={
                "ordering": ["-made_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_at__isnull", False)), fields=["next_at"], name="deliveries_due"
                    ),
                    models.Index(fields=["webhook", "-made_at"], name="deliveries_of_a_callback"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubscriberAnswer",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "said",
                    models.CharField(choices=[("yes", "yes"), ("no", "no"), ("unknown", "unknown")], max_length=8),
                ),
                ("reason", models.CharField(blank=True, max_length=30)),
                ("way", models.CharField(choices=[("page", "Page"), ("file", "File"), ("api", "Api")], max_length=4)),
                ("by", models.CharField(max_length=120)),
                ("at", models.DateTimeField()),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=models.PROTECT, related_name="answers", to="confirm.SubscriberQuestion"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["question", "id"], name="answers_to_a_question")],
            },
        ),
    ]
