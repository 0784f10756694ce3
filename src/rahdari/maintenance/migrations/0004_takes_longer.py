"""Work that takes longer ends later than announced. Where an earlier end was noted, the announced one holds."""

from django.db import migrations, models

MEND = """
ALTER TABLE maintenance_work DISABLE TRIGGER maintenance_work_moves;
UPDATE maintenance_work SET expected_end_at = ends_at WHERE expected_end_at < ends_at;
ALTER TABLE maintenance_work ENABLE TRIGGER maintenance_work_moves;
"""


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0003_another_night")]

    operations = [
        migrations.RunSQL(MEND, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="work",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expected_end_at__isnull", True),
                    ("ends_at__isnull", True),
                    ("expected_end_at__gte", models.F("ends_at")),
                    _connector="OR",
                ),
                name="work_takes_its_window_or_longer",
            ),
        ),
    ]
