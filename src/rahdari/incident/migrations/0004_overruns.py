"""An incident of announced work that overran ends when the work is over, in whichever state it is."""

from django.db import migrations

MOVES = """
CREATE OR REPLACE FUNCTION incident_may_move(source text, target text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT source = target OR (source, target) IN (VALUES
        ('acknowledged', 'closed_by_itself'),
        ('acknowledged', 'false_alarm'),
        ('acknowledged', 'merged'),
        ('acknowledged', 'open'),
        ('acknowledged', 'resolved'),
        ('acknowledged', 'with_operator'),
        ('closed_by_itself', 'open'),
        ('closed_with_proof', 'open'),
        ('false_alarm', 'open'),
        ('open', 'acknowledged'),
        ('open', 'closed_by_itself'),
        ('open', 'false_alarm'),
        ('open', 'merged'),
        ('open', 'resolved'),
        ('open', 'with_operator'),
        ('resolved', 'closed_by_itself'),
        ('resolved', 'closed_with_proof'),
        ('resolved', 'false_alarm'),
        ('resolved', 'merged'),
        ('resolved', 'with_operator'),
        ('with_operator', 'closed_by_itself'),
        ('with_operator', 'closed_with_proof'),
        ('with_operator', 'false_alarm'),
        ('with_operator', 'merged'),
        ('with_operator', 'open'),
        ('with_operator', 'resolved'));
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("incident", "0003_said")]

    operations = [migrations.RunSQL(MOVES)]
