"""Firms' names are found without their number. An import that was cut off begins anew: its rows have no such key."""

from django.db import migrations, models

CUT_OFF = """
DO $$
DECLARE cut_off uuid;
BEGIN
    FOR cut_off IN SELECT id FROM checks_rosterload LOOP
        EXECUTE format('DROP TABLE IF EXISTS checks_rosterrow_%s', replace(cut_off::text, '-', ''));
    END LOOP;
END $$;
DELETE FROM checks_rosterrejection;
DELETE FROM checks_rosterload;
"""


class Migration(migrations.Migration):
    dependencies = [("checks", "0004_looked_for")]

    operations = [
        migrations.RunSQL(CUT_OFF, migrations.RunSQL.noop),
        migrations.AddField("rosterrow", "name_key", models.BinaryField(null=True, blank=True)),
    ]
