import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("register", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="StaffGateway",
            fields=[
                (
                    "registration",
                    models.OneToOneField(
                        on_delete=models.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="register.registration",
                    ),
                ),
                ("workers", models.PositiveIntegerField()),
                ("notified_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="HomeConnection",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("offered", "offered"),
                            ("standing", "standing"),
                            ("withdrawn", "withdrawn"),
                            ("ended", "ended"),
                        ],
                        default="offered",
                        max_length=10,
                    ),
                ),
                ("link_index", models.CharField(max_length=64, unique=True)),
                ("made_at", models.DateTimeField()),
                ("link_ends_at", models.DateTimeField()),
                ("agreed_at", models.DateTimeField(blank=True, null=True)),
                ("agreed_to", models.CharField(blank=True, max_length=20)),
                ("changed_at", models.DateTimeField(blank=True, null=True)),
                ("changes", models.PositiveIntegerField(default=0)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="register.entry"
                    ),
                ),
                (
                    "registration",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="+", to="register.registration"),
                ),
            ],
            options={
                "ordering": ["registration", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("registration", "number"), name="a_number_tells_a_line_apart"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("agreed_at__isnull", True), ("agreed_to", "")),
                            models.Q(("agreed_at__isnull", False), models.Q(("agreed_to", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="a_line_is_agreed_to_in_words",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "standing"), _negated=True),
                            models.Q(("agreed_at__isnull", False), ("entry__isnull", False)),
                            _connector="OR",
                        ),
                        name="a_standing_line_was_agreed_to",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", False), ("state__in", ["withdrawn", "ended"])),
                            models.Q(
                                models.Q(("state__in", ["withdrawn", "ended"]), _negated=True),
                                ("ended_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="a_line_is_over_at_a_moment",
                    ),
                ],
            },
        ),
    ]
