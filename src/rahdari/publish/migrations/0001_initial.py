import django.contrib.postgres.fields
from django.contrib.postgres.indexes import GinIndex
from rahdari.publish.models import empty_state, random_name
import rahdari.publish.rules
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("register", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                ("id", models.CharField(default=random_name, max_length=32, primary_key=True, serialize=False)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("first_sequence", models.BigIntegerField()),
                ("sequence", models.BigIntegerField()),
                ("entries", models.BigIntegerField(default=0)),
                ("state", models.BinaryField(default=empty_state)),
            ],
        ),
        migrations.CreateModel(
            name="PendingChange",
            fields=[
                (
                    "change",
                    models.OneToOneField(
                        on_delete=models.PROTECT,
                        primary_key=True,
                        related_name="waiting",
                        serialize=False,
                        to="register.change",
                    ),
                )
            ],
        ),
        migrations.CreateModel(
            name="Operator",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("slug", models.SlugField(unique=True)),
                ("name_en", models.CharField(max_length=120)),
                ("name_ur", models.CharField(blank=True, max_length=120)),
                (
                    "asns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), blank=True, default=list
                    ),
                ),
                ("gateway", models.BooleanField(default=False)),
                (
                    "number_prefixes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=6), blank=True, default=list
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("active", models.BooleanField(default=True)),
                ("repository", models.CharField(default=random_name, max_length=32, unique=True)),
                ("snapshot_version", models.PositiveBigIntegerField(default=0)),
                ("timestamp_version", models.PositiveBigIntegerField(default=0)),
                ("due", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["slug"],
                "indexes": [
                    models.Index(condition=models.Q(("due", True)), fields=["due"], name="operators_due"),
                    GinIndex(fields=["asns"], name="operators_by_network"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AgentKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, unique=True)),
                ("enrolled_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("terms", models.CharField(blank=True, db_default="", default="", max_length=64)),
                ("terms_at", models.DateTimeField(blank=True, null=True)),
                (
                    "operator",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="agent_keys", to="publish.operator"),
                ),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.CreateModel(
            name="Edition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.BigIntegerField()),
                ("cut_at", models.DateTimeField()),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("digest", models.CharField(max_length=64)),
                ("entries", models.BigIntegerField()),
                ("changes", models.PositiveIntegerField()),
                (
                    "session",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="editions", to="publish.session"
                    ),
                ),
            ],
            options={"ordering": ["stream", "sequence"]},
        ),
        migrations.CreateModel(
            name="Stream",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.CharField(max_length=20)),
                ("everything", models.BooleanField(default=False)),
                (
                    "asns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), blank=True, default=list
                    ),
                ),
                ("followed", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                ("folder", models.CharField(default=random_name, max_length=32, unique=True)),
                ("filled_to", models.BigIntegerField(blank=True, default=0, null=True)),
                ("version", models.PositiveBigIntegerField(default=0)),
                ("signed_version", models.PositiveBigIntegerField(default=0)),
                ("signed_sha256", models.CharField(blank=True, max_length=64)),
                ("signed_length", models.PositiveIntegerField(default=0)),
                ("signed_expires_at", models.DateTimeField(blank=True, null=True)),
                ("unnamed", models.BooleanField(default=False)),
                (
                    "signed_edition",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="+",
                        to="publish.edition",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="session",
            name="stream",
            field=models.ForeignKey(on_delete=models.PROTECT, related_name="sessions", to="publish.stream"),
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("session", models.CharField(max_length=32)),
                ("sequence", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("applied_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("targets", models.JSONField(default=list)),
                (
                    "standing",
                    models.CharField(
                        choices=[
                            (
                                rahdari.publish.rules.ReceiptStanding["GOOD"],
                                rahdari.publish.rules.ReceiptStanding["GOOD"],
                            ),
                            (
                                rahdari.publish.rules.ReceiptStanding["DRIFT"],
                                rahdari.publish.rules.ReceiptStanding["DRIFT"],
                            ),
                            (
                                rahdari.publish.rules.ReceiptStanding["INCOMPLETE"],
                                rahdari.publish.rules.ReceiptStanding["INCOMPLETE"],
                            ),
                        ],
                        max_length=12,
                    ),
                ),
                ("body_sha256", models.CharField(max_length=64)),
                ("terms", models.CharField(blank=True, db_default="", default="", max_length=64)),
                ("complement", models.BooleanField(db_default=False, default=False)),
                (
                    "key",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="receipts",
                        to="publish.agentkey",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="receipts", to="publish.operator"
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="receipts",
                        to="publish.stream",
                    ),
                ),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.CreateModel(
            name="Listing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_sequence", models.BigIntegerField()),
                ("until_sequence", models.BigIntegerField(blank=True, null=True)),
                (
                    "leaving",
                    models.CharField(blank=True, choices=[("moved", "moved"), ("ended", "ended")], max_length=8),
                ),
                ("leaving_since", models.DateTimeField(blank=True, null=True)),
                (
                    "change",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="listings", to="register.change"
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="listings", to="register.entry"
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="listings", to="publish.stream"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RemovalHold",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("approved", "approved"),
                            ("cancelled", "cancelled"),
                            ("ended", "ended"),
                        ],
                        default="waiting",
                        max_length=12,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("removals", models.PositiveBigIntegerField()),
                ("entries", models.PositiveBigIntegerField()),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("approved_by", models.CharField(blank=True, max_length=120)),
                ("approved_removals", models.PositiveBigIntegerField(default=0)),
                ("asked_by", models.CharField(blank=True, max_length=120)),
                ("reason", models.TextField(blank=True)),
                ("session", models.CharField(blank=True, max_length=32)),
                ("released_from", models.BigIntegerField(blank=True, null=True)),
                ("released_in", models.BigIntegerField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("stream", models.ForeignKey(on_delete=models.PROTECT, related_name="holds", to="publish.stream")),
            ],
            options={"ordering": ["opened_at", "id"]},
        ),
        migrations.CreateModel(
            name="Delegation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since_at", models.DateTimeField()),
                ("left_at", models.DateTimeField(blank=True, null=True)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="followings", to="publish.operator"
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="followings", to="publish.stream"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="edition",
            name="stream",
            field=models.ForeignKey(
                db_index=False, on_delete=models.PROTECT, related_name="editions", to="publish.stream"
            ),
        ),
        migrations.CreateModel(
            name="Credential",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("token", "token"), ("certificate", "certificate")], max_length=12)),
                ("digest", models.CharField(max_length=64)),
                ("name", models.CharField(blank=True, max_length=80)),
                ("created_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                (
                    "operator",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="credentials", to="publish.operator"),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "digest"), name="a_credential_is_one_operators")
                ],
            },
        ),
        migrations.CreateModel(
            name="File",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=160, unique=True)),
                ("width", models.BigIntegerField()),
                ("from_sequence", models.BigIntegerField(blank=True, null=True)),
                ("to_sequence", models.BigIntegerField()),
                ("operations", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("length", models.BigIntegerField(default=0)),
                ("content", models.BinaryField(default=bytes)),
                ("dropped_at", models.DateTimeField(blank=True, null=True)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                (
                    "session",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="files", to="publish.session"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("dropped_at", None)),
                        fields=["session", "width", "to_sequence"],
                        name="live_files",
                    ),
                    models.Index(condition=models.Q(("erased_at", None)), fields=["dropped_at"], name="files_to_erase"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("dropped_at", None), models.Q(("width", 0), _negated=True)),
                        fields=("session", "width", "to_sequence"),
                        name="one_delta_between_two_editions",
                    )
                ],
            },
        ),
        migrations.AddIndex(model_name="stream", index=GinIndex(fields=["asns"], name="streams_by_network")),
        migrations.AddConstraint(
            model_name="stream",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at", None)),
                fields=("role", "everything", "asns"),
                name="one_stream_of_equal_rights",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at__isnull", True)),
                fields=("stream",),
                name="one_session_of_a_stream_is_open",
            ),
        ),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(fields=["operator", "stream", "-id"], name="receipts_of_an_operator"),
        ),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(
                condition=models.Q(("standing", rahdari.publish.rules.ReceiptStanding["GOOD"])),
                fields=["operator", "stream", "sequence", "id"],
                name="good_receipts_by_sequence",
            ),
        ),
        migrations.AddIndex(
            model_name="receipt", index=models.Index(fields=["operator", "received_at"], name="receipts_by_time")
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.UniqueConstraint(fields=("operator", "body_sha256"), name="the_same_receipt_once"),
        ),
        migrations.AddIndex(
            model_name="listing", index=models.Index(fields=["entry", "stream"], name="what_was_listed_of_an_entry")
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                condition=models.Q(("until_sequence", None)), fields=["stream", "id"], name="what_a_stream_lists"
            ),
        ),
        migrations.AddIndex(
            model_name="listing", index=models.Index(fields=["stream", "from_sequence"], name="listed_from")
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                condition=models.Q(("until_sequence__isnull", False)),
                fields=["stream", "until_sequence"],
                name="listed_until",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                condition=models.Q(("until_sequence", None), models.Q(("leaving", ""), _negated=True)),
                fields=["leaving", "stream", "leaving_since"],
                name="listings_that_leave",
            ),
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.UniqueConstraint(
                condition=models.Q(("until_sequence", None)),
                fields=("stream", "entry"),
                name="a_stream_lists_an_entry_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("until_sequence", None), ("until_sequence__gte", models.F("from_sequence")), _connector="OR"
                ),
                name="a_listing_ends_after_it_began",
            ),
        ),
        migrations.AddConstraint(
            model_name="removalhold",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "ended"), _negated=True), fields=("stream",), name="a_stream_has_one_hold"
            ),
        ),
        migrations.AddIndex(
            model_name="delegation",
            index=models.Index(
                condition=models.Q(("left_at", None)), fields=["stream", "operator"], name="followers_of_a_stream"
            ),
        ),
        migrations.AddIndex(
            model_name="delegation", index=models.Index(fields=["operator", "left_at"], name="streams_of_an_operator")
        ),
        migrations.AddConstraint(
            model_name="delegation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("left_at", None)),
                fields=("operator", "stream"),
                name="an_operator_follows_a_stream_once",
            ),
        ),
        migrations.AddIndex(
            model_name="edition",
            index=models.Index(
                condition=models.Q(("published_at", None)), fields=["stream", "sequence"], name="editions_to_publish"
            ),
        ),
        migrations.AddIndex(
            model_name="edition", index=models.Index(fields=["stream", "published_at"], name="editions_by_time")
        ),
        migrations.AddConstraint(
            model_name="edition",
            constraint=models.UniqueConstraint(fields=("stream", "sequence"), name="a_sequence_of_a_stream_once"),
        ),
        migrations.AddConstraint(
            model_name="edition",
            constraint=models.UniqueConstraint(fields=("session", "sequence"), name="a_sequence_of_a_session_once"),
        ),
    ]
