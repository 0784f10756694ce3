"""Corrections of the calendar. The database keeps each as it was confirmed, and keeps its author from confirming it."""

import datetime
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


GUARDS = """
CREATE FUNCTION calendar_correction_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    free text[] := ARRAY['confirmed_at', 'confirmed_by_id', 'dropped_at', 'dropped_by_id', 'dropped_why'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a correction of the calendar is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.confirmed_at IS NOT NULL OR OLD.dropped_at IS NOT NULL
       OR to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'a correction of the calendar is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER calendar_correction_stays BEFORE UPDATE OR DELETE ON calendar_calendarcorrection
    FOR EACH ROW EXECUTE FUNCTION calendar_correction_stays();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CalendarCorrection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("closed", "closed"), ("hours", "hours"), ("worked", "worked")], max_length=10
                    ),
                ),
                ("first", models.DateField()),
                ("last", models.DateField()),
                ("begins", models.TimeField(blank=True, null=True)),
                ("ends", models.TimeField(blank=True, null=True)),
                ("week", models.JSONField(default=list)),
                ("title_en", models.CharField(max_length=120)),
                ("title_ur", models.CharField(max_length=120)),
                ("source", models.CharField(max_length=200)),
                (
                    "status",
                    models.CharField(choices=[("estimated", "Estimated"), ("notified", "Notified")], max_length=10),
                ),
                ("why", models.CharField(blank=True, max_length=400)),
                ("proposed_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("dropped_at", models.DateTimeField(blank=True, null=True)),
                ("dropped_why", models.CharField(blank=True, max_length=400)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dropped_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "replaces",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replacements",
                        to="calendar.calendarcorrection",
                    ),
                ),
            ],
            options={
                "ordering": ["first", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("confirmed_at__isnull", True), ("confirmed_by__isnull", True)),
                            models.Q(
                                ("confirmed_at__isnull", False),
                                ("confirmed_by__isnull", False),
                                models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="correction_is_confirmed_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("dropped_at__isnull", True), ("dropped_by__isnull", True)),
                            models.Q(
                                ("confirmed_at__isnull", True),
                                ("dropped_at__isnull", False),
                                ("dropped_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="correction_is_confirmed_or_dropped",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("last__gte", models.F("first")),
                            (
                                "last__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("first"), "+", models.Value(datetime.timedelta(days=92))
                                ),
                            ),
                        ),
                        name="correction_has_an_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("begins__isnull", True), ("ends__isnull", True)),
                            models.Q(
                                ("begins__isnull", False), ("ends__gt", models.F("begins")), ("ends__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="correction_of_a_part_of_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("begins__isnull", True), ("kind", "hours"), models.Q(("week", []), _negated=True)
                            ),
                            models.Q(("kind__in", ["closed", "worked"]), ("week", [])),
                            _connector="OR",
                        ),
                        name="correction_of_hours_has_a_week",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("source", ""), _negated=True),
                            models.Q(("title_en", ""), _negated=True),
                            models.Q(("title_ur", ""), _negated=True),
                        ),
                        name="correction_has_a_source",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("replaces__isnull", True), models.Q(("why", ""), _negated=True), _connector="OR"
                        ),
                        name="correction_is_replaced_for_a_reason",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("confirmed_at__isnull", False)),
                        fields=("replaces",),
                        name="correction_is_replaced_once",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARDS),
    ]
