"""Whoever decides complaints says that a name is contested; to read one does not say it any more."""

from importlib import import_module

from django.db import migrations, models

CONTESTS = ("name", "company", "entry")
# The guard as it was, but that this may be said while it is open, and taken back.
GUARDS = import_module("rahdari.complaint.migrations.0003_files").GUARDS.replace(
    "decided_by_id', 'outcome', 'why',\n", "decided_by_id', 'outcome', 'why', 'contested_at',\n"
)
# What was said of a name until now, because somebody had read it, goes on being said.
READ_BEFORE = """
UPDATE complaint_complaint SET contested_at = read_at FROM (
    SELECT detail->>'complaint' AS reference, min(at) AS read_at FROM journal_journalentry
    WHERE act = 'complaint.read' GROUP BY 1
) AS read
WHERE read.reference = complaint_complaint.reference AND about IN ('name', 'company') AND case_id IS NOT NULL
    AND looked_up_at IS NOT NULL AND decided_at IS NULL AND part_of_id IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("complaint", "0006_card_numbers"), ("journal", "__first__")]

    operations = [
        migrations.AddField(
            model_name="complaint",
            name="contested_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunSQL(GUARDS),
        migrations.AddConstraint(
            model_name="complaint",
            constraint=models.CheckConstraint(
                condition=models.Q(contested_at__isnull=True)
                | models.Q(about__in=CONTESTS, looked_up_at__isnull=False, part_of__isnull=True),
                name="what_contests_a_name_is_about_one",
            ),
        ),
        migrations.RunSQL(READ_BEFORE),
    ]
