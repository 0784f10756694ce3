import datetime
import django.db.models.deletion
import django.db.models.expressions
import rahdari.register.fields
import rahdari.urgent.rules
import rahdari.vault.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("register", "0003_still_right"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="UrgentEntry",
            fields=[
                ("asked", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("code", models.CharField(blank=True, max_length=64)),
                ("code_until", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("holder", models.UUIDField(db_index=True)),
                ("way", models.CharField(choices=[("page", "page"), ("code", "code"), ("call", "call")], max_length=4)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "asked"),
                            ("spoken", "spoken"),
                            ("given", "given"),
                            ("confirmed", "confirmed"),
                            ("ended", "ended"),
                            ("closed", "closed"),
                        ],
                        default=rahdari.urgent.rules.State["ASKED"],
                        max_length=9,
                    ),
                ),
                ("block", rahdari.register.fields.BlockField(blank=True, null=True)),
                ("reason", models.CharField(max_length=20)),
                ("rule_version", models.CharField(max_length=20)),
                ("asked_at", models.DateTimeField()),
                ("known_at", models.DateTimeField(blank=True, null=True)),
                ("second_by", models.DateTimeField(blank=True, null=True)),
                ("given_at", models.DateTimeField(blank=True, null=True)),
                ("until", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("why", models.CharField(blank=True, max_length=12)),
                (
                    "cut_off",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="register.entry"
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="register.entry",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "registration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="urgent_entries",
                        to="register.registration",
                    ),
                ),
                (
                    "seconded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-asked_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=["state", "asked_at"],
                        name="urgent_open",
                    ),
                    models.Index(
                        condition=models.Q(("given_at__isnull", False)), fields=["given_at"], name="urgent_given"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("holder",),
                        name="holder_has_one_urgent_entry",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("closed_at__isnull", True),
                                (
                                    "state__in",
                                    [
                                        rahdari.urgent.rules.State["ASKED"],
                                        rahdari.urgent.rules.State["GIVEN"],
                                        rahdari.urgent.rules.State["SPOKEN"],
                                    ],
                                ),
                            ),
                            models.Q(
                                models.Q(
                                    (
                                        "state__in",
                                        [
                                            rahdari.urgent.rules.State["ASKED"],
                                            rahdari.urgent.rules.State["GIVEN"],
                                            rahdari.urgent.rules.State["SPOKEN"],
                                        ],
                                    ),
                                    _negated=True,
                                ),
                                ("closed_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="urgent_entry_closes_at_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("entry__isnull", True), ("given_at__isnull", True), ("until__isnull", True)),
                            models.Q(
                                ("known_at__isnull", False),
                                ("until__gt", models.F("given_at")),
                                (
                                    "until__lte",
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("given_at"), "+", models.Value(datetime.timedelta(days=30))
                                    ),
                                ),
                                models.Q(("entry__isnull", False), ("closed_at__isnull", False), _connector="OR"),
                            ),
                            _connector="OR",
                        ),
                        name="urgent_entry_is_of_a_known_holder_for_30_days",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                (
                                    "state__in",
                                    [
                                        rahdari.urgent.rules.State["GIVEN"],
                                        rahdari.urgent.rules.State["CONFIRMED"],
                                        rahdari.urgent.rules.State["ENDED"],
                                    ],
                                ),
                                _negated=True,
                            ),
                            ("given_at__isnull", False),
                            _connector="OR",
                        ),
                        name="urgent_entry_was_given",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("opened_by__isnull", True),
                                ("seconded_by__isnull", True),
                                ("way", rahdari.urgent.rules.Way["PAGE"]),
                            ),
                            models.Q(
                                models.Q(("way", rahdari.urgent.rules.Way["PAGE"]), _negated=True),
                                ("opened_by__isnull", False),
                                models.Q(
                                    ("given_at__isnull", True),
                                    models.Q(
                                        ("given_at__lte", models.F("second_by")),
                                        ("seconded_by__isnull", False),
                                        models.Q(("seconded_by", models.F("opened_by")), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="urgent_entry_by_telephone_needs_two_in_time",
                    ),
                ],
            },
        ),
    ]
