"""The rows of rosters are in partitions, one for each import."""

from django.db import migrations

GUARDS = """
DROP TABLE checks_rosterrow;
CREATE TABLE checks_rosterrow (
    id uuid NOT NULL, roster_id uuid NOT NULL, key bytea NOT NULL, name bytea NOT NULL, active boolean NOT NULL,
    valid_until date, email bytea NOT NULL DEFAULT '', mobile bytea NOT NULL DEFAULT '', domain bytea,
    CONSTRAINT rosterrow_pk PRIMARY KEY (roster_id, id),
    CONSTRAINT a_number_stands_once_in_a_roster UNIQUE (roster_id, key)
) PARTITION BY LIST (roster_id);
"""


class Migration(migrations.Migration):
    dependencies = [("checks", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
