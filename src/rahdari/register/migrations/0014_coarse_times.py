"""The feed tells days and hours: what stands is told anew, in one change for each line that the feed has."""

from django.db import migrations

# As `rules.told_begin` and `rules.told_end` have it. The newest change of a line is what the feed has of it.
TOLD_ANEW = """
INSERT INTO register_change (entry_id, act, at, snapshot, asns)
SELECT c.entry_id, 'coarse', now(), c.snapshot || jsonb_build_object(
    'not_before', to_char(date_trunc(e.step, (c.snapshot->>'not_before')::timestamptz, 'UTC') AT TIME ZONE 'UTC',
                          'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'not_after', to_char(date_trunc(e.step, (c.snapshot->>'not_after')::timestamptz - interval '1 second'
                             + ('1 ' || e.step)::interval, 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
    c.asns
  FROM (SELECT id, CASE kind WHEN 'dynamic' THEN 'hour' ELSE 'day' END AS step FROM register_entry) e
  JOIN LATERAL (SELECT * FROM register_change WHERE entry_id = e.id ORDER BY id DESC LIMIT 1) c ON c.snapshot <> '{}';
NOTIFY rahdari_publish;
"""


class Migration(migrations.Migration):
    dependencies = [("register", "0013_entries_stay")]

    operations = [migrations.RunSQL(TOLD_ANEW, migrations.RunSQL.noop)]
