import rahdari.mobile.rules
import rahdari.vault.fields
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("register", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="OperatorList",
            fields=[
                ("operator", models.SlugField(max_length=60, primary_key=True, serialize=False)),
                ("sequence", models.PositiveBigIntegerField(default=0)),
                ("floor", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="MobileNumber",
            fields=[
                ("asked", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("code", models.CharField(blank=True, max_length=64)),
                ("code_until", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(db_index=True, max_length=120)),
                ("holder", models.UUIDField(db_index=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("typed", "typed"),
                            ("confirmed", "confirmed"),
                            ("asked", "asked"),
                            ("known", "known"),
                            ("denied", "denied"),
                            ("ended", "ended"),
                        ],
                        default=rahdari.mobile.rules.MobileState["TYPED"],
                        max_length=9,
                    ),
                ),
                ("number", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("operator", models.SlugField(blank=True, max_length=60)),
                ("check_number", models.CharField(blank=True, max_length=12)),
                ("check_due_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.CharField(blank=True, max_length=8)),
                ("reason", models.CharField(blank=True, max_length=30)),
                ("reference", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("reference_index", models.CharField(blank=True, max_length=64)),
                ("is_taken", models.BooleanField(default=False)),
                ("typed_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("asked_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("listed_at", models.DateTimeField(blank=True, null=True)),
                ("listed_until", models.DateTimeField(blank=True, null=True)),
                ("last_sequence", models.PositiveBigIntegerField(default=0)),
                ("leaves_at", models.DateTimeField(blank=True, null=True)),
                ("leave_reason", models.CharField(blank=True, max_length=20)),
                ("notified_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("erase_at", models.DateTimeField(blank=True, null=True)),
                (
                    "follows",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="mobile.MobileNumber"
                    ),
                ),
                (
                    "registration",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="mobile_lines",
                        to="register.registration",
                    ),
                ),
            ],
            options={"ordering": ["-typed_at", "id"]},
        ),
        migrations.CreateModel(
            name="MobileListChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("operator", models.SlugField(max_length=60)),
                ("sequence", models.PositiveBigIntegerField()),
                (
                    "act",
                    models.CharField(
                        choices=[("add", "add"), ("name", "name"), ("renew", "renew"), ("end", "end")], max_length=5
                    ),
                ),
                ("until", models.DateTimeField()),
                ("at", models.DateTimeField()),
                ("line", models.ForeignKey(on_delete=models.PROTECT, related_name="changes", to="mobile.MobileNumber")),
            ],
            options={"ordering": ["operator", "sequence"]},
        ),
        migrations.CreateModel(
            name="MobileListReceipt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("operator", models.SlugField(max_length=60)),
                ("sequence", models.PositiveBigIntegerField()),
                ("by", models.CharField(max_length=120)),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["operator", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("operator", "sequence"), name="a_number_is_receipted_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="mobilenumber",
            index=models.Index(
                condition=models.Q(("listed_at__isnull", False)), fields=["operator", "id"], name="lines_of_an_operator"
            ),
        ),
        migrations.AddIndex(
            model_name="mobilenumber",
            index=models.Index(
                condition=models.Q(("erase_at__isnull", False)), fields=["erase_at"], name="lines_to_erase"
            ),
        ),
        migrations.AddIndex(
            model_name="mobilenumber",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)), fields=["leaves_at"], name="lines_leaving"
            ),
        ),
        migrations.AddConstraint(
            model_name="mobilenumber",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True), ("reference_index__gt", "")),
                fields=("reference_index",),
                name="an_operators_word_stands_for_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="mobilenumber",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", rahdari.mobile.rules.MobileState["ENDED"]), ("ended_at__isnull", False)),
                    models.Q(
                        models.Q(("state", rahdari.mobile.rules.MobileState["ENDED"]), _negated=True),
                        ("ended_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="line_ends_at_a_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="mobilelistchange",
            constraint=models.UniqueConstraint(fields=("operator", "sequence"), name="a_list_is_numbered_once"),
        ),
    ]
