import datetime
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.contrib.postgres.operations import BtreeGistExtension
import django.db.models.constraints
import django.db.models.expressions
import django.db.models.functions.comparison
import rahdari.register.fields
import rahdari.register.models
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        # For the exclusion constraints: equality of uuid in a GiST index. A trusted extension, no superuser needed.
        BtreeGistExtension(),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "feed_id",
                    models.CharField(default=rahdari.register.models.random_feed_id, max_length=32, unique=True),
                ),
                ("origin", models.CharField(max_length=120, unique=True)),
                ("holder", models.UUIDField()),
                ("block", rahdari.register.fields.BlockField()),
                ("protocol", models.CharField(default="any", max_length=8)),
                ("port", models.PositiveIntegerField(blank=True, null=True)),
                ("asn", models.BigIntegerField(blank=True, null=True)),
                (
                    "asns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), blank=True, default=list
                    ),
                ),
                ("kind", models.CharField(default="static", max_length=8)),
                ("valid_from", models.DateTimeField()),
                ("valid_until", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("end_reason", models.CharField(blank=True, max_length=20)),
                (
                    "carrier",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="carried", to="register.entry"
                    ),
                ),
                (
                    "follows",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="register.entry"
                    ),
                ),
                (
                    "part_of",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="parts", to="register.entry"
                    ),
                ),
            ],
            options={"ordering": ["valid_from", "id"]},
        ),
        migrations.CreateModel(
            name="SharedBlock",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("block", rahdari.register.fields.BlockField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="DirectoryFollowed",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(max_length=64)),
                ("reached", models.UUIDField(blank=True, null=True)),
                ("done", models.BooleanField(default=False)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_directory_is_followed")]
            },
        ),
        migrations.CreateModel(
            name="Registration",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("reference", models.CharField(max_length=12, unique=True)),
                ("holder", models.UUIDField(db_index=True)),
                ("category", models.CharField(max_length=60)),
                ("origin", models.CharField(max_length=120, unique=True)),
                ("valid_from", models.DateTimeField()),
                ("valid_until", models.DateTimeField()),
                ("grace_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("struck_out_at", models.DateTimeField(blank=True, null=True)),
                ("struck_out_code", models.CharField(blank=True, max_length=20)),
                ("struck_out_by", models.CharField(blank=True, max_length=120)),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("suspended_code", models.CharField(blank=True, max_length=20)),
                ("suspended_by", models.CharField(blank=True, max_length=120)),
                ("suspended_until", models.DateTimeField(blank=True, null=True)),
                ("expired_at", models.DateTimeField(blank=True, null=True)),
                ("provisional_code", models.CharField(blank=True, max_length=20)),
                ("provisional_until", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-created_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("expired_at__isnull", True), ("struck_out_at__isnull", True)),
                        fields=["valid_until"],
                        name="registration_due",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("expired_at__isnull", True),
                            ("provisional_until__isnull", False),
                            ("struck_out_at__isnull", True),
                        ),
                        fields=["provisional_until"],
                        name="registration_provisional",
                    ),
                    models.Index(
                        condition=models.Q(("suspended_until__isnull", False)),
                        fields=["suspended_until"],
                        name="registration_resumes",
                    ),
                    models.Index(
                        condition=models.Q(("expired_at__isnull", False)),
                        fields=["expired_at"],
                        name="registration_expired",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "valid_until__gte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("valid_from"), "+", models.Value(datetime.timedelta(seconds=1))
                                ),
                            )
                        ),
                        name="registration_has_a_term",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("provisional_code", ""), ("provisional_until__isnull", True)),
                            models.Q(
                                models.Q(("provisional_code", ""), _negated=True),
                                ("provisional_until", models.F("valid_until")),
                            ),
                            _connector="OR",
                        ),
                        name="provisional_registration_has_code_and_ends_with_its_term",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("grace_until__isnull", True),
                            ("grace_until__gte", models.F("valid_until")),
                            _connector="OR",
                        ),
                        name="grace_comes_after_the_term",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("suspended_at__isnull", True),
                                ("suspended_by", ""),
                                ("suspended_code", ""),
                                ("suspended_until__isnull", True),
                            ),
                            models.Q(
                                ("suspended_at__isnull", False),
                                models.Q(("suspended_code", ""), _negated=True),
                                models.Q(("suspended_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="suspended_for_a_code_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("struck_out_by__startswith", "rule:"), _negated=True),
                            models.Q(("suspended_by__startswith", "rule:"), _negated=True),
                        ),
                        name="rule_never_suspends_or_strikes_out",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="entry",
            name="registration",
            field=models.ForeignKey(on_delete=models.PROTECT, related_name="entries", to="register.registration"),
        ),
        migrations.AddField(
            model_name="entry",
            name="shared",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=models.PROTECT, related_name="entries", to="register.sharedblock"
            ),
        ),
        migrations.CreateModel(
            name="CoHolder",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("holder", models.UUIDField()),
                ("origin", models.CharField(blank=True, max_length=120)),
                ("since_at", models.DateTimeField()),
                ("leaves_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_by", models.UUIDField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "shared",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="sharers", to="register.sharedblock"),
                ),
            ],
            options={"ordering": ["since_at", "id"]},
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("act", models.CharField(max_length=12)),
                ("at", models.DateTimeField()),
                ("snapshot", models.JSONField(default=dict)),
                (
                    "asns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), blank=True, default=list
                    ),
                ),
                (
                    "about",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="register.entry"
                    ),
                ),
                ("entry", models.ForeignKey(on_delete=models.PROTECT, related_name="changes", to="register.entry")),
            ],
            options={
                "ordering": ["id"],
                "indexes": [
                    models.Index(fields=["entry", "id"], name="changes_of_an_entry"),
                    models.Index(condition=models.Q(("act", "reroute")), fields=["at"], name="reroutes_found"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)), fields=["valid_until"], name="entry_due"
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)), fields=["holder"], name="entries_of_a_holder"
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True), ("kind", "canary")),
                fields=["valid_from"],
                name="canaries",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                deferrable=django.db.models.constraints.Deferrable["IMMEDIATE"],
                expressions=[
                    (django.contrib.postgres.indexes.OpClass("block", name="inet_ops"), "&&"),
                    (
                        django.db.models.functions.comparison.Coalesce(
                            "shared", "holder", output_field=models.UUIDField()
                        ),
                        "<>",
                    ),
                ],
                name="no_block_under_two_holders",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("ended_at__isnull", True), ("shared__isnull", False)),
                deferrable=django.db.models.constraints.Deferrable["IMMEDIATE"],
                expressions=[
                    (django.contrib.postgres.indexes.OpClass("block", name="inet_ops"), "="),
                    ("protocol", "="),
                    (django.db.models.functions.comparison.Coalesce("port", 0), "="),
                    (
                        django.db.models.functions.comparison.Coalesce(
                            "carrier", "id", output_field=models.UUIDField()
                        ),
                        "<>",
                    ),
                ],
                name="an_endpoint_has_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("holder", "block", "protocol", "port"),
                name="one_holder_has_an_endpoint_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "valid_until__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("valid_from"), "+", models.Value(datetime.timedelta(seconds=1))
                        ),
                    )
                ),
                name="entry_has_a_term",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("protocol__in", ("any", "udp", "tcp", "esp", "gre"))), name="protocol_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ("static", "dynamic", "canary"))), name="kind_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("port__isnull", True),
                    models.Q(("port__range", (1, 65535)), ("protocol__in", ("udp", "tcp"))),
                    _connector="OR",
                ),
                name="port_in_range_and_of_a_protocol_with_ports",
            ),
        ),
        migrations.AddIndex(
            model_name="coholder",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True), ("leaves_at__isnull", False)),
                fields=["leaves_at"],
                name="sharers_to_leave",
            ),
        ),
        migrations.AddIndex(
            model_name="coholder",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)), fields=["holder"], name="sharers_by_holder"
            ),
        ),
        migrations.AddConstraint(
            model_name="coholder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("shared", "holder"),
                name="a_holder_shares_a_block_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="coholder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("leaves_at__isnull", True), ("withdrawn_by__isnull", True)),
                    models.Q(("leaves_at__isnull", False), ("withdrawn_by__isnull", False)),
                    _connector="OR",
                ),
                name="who_leaves_was_given_notice",
            ),
        ),
    ]
