"""The rows of rosters in partitions, one for each import; imports that can go on after a kill."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

PARTITIONED = """
ALTER TABLE verify_rosterrow RENAME TO verify_rosterrow_before;
CREATE TABLE verify_rosterrow (
    id uuid NOT NULL, roster_id uuid NOT NULL, key bytea NOT NULL, name bytea NOT NULL, active boolean NOT NULL,
    valid_until date,
    CONSTRAINT rosterrow_pk PRIMARY KEY (roster_id, id),
    CONSTRAINT rosterrow_key UNIQUE (roster_id, key)
) PARTITION BY LIST (roster_id);
DO $$
DECLARE roster uuid; part text;
BEGIN
    FOR roster IN SELECT DISTINCT roster_id FROM verify_rosterrow_before LOOP
        part := 'verify_rosterrow_' || replace(roster::text, '-', '');
        EXECUTE format('CREATE TABLE %I PARTITION OF verify_rosterrow FOR VALUES IN (%L)', part, roster);
        EXECUTE format('INSERT INTO %I (id, roster_id, key, name, active, valid_until) '
            'SELECT id, roster_id, key, name, active, valid_until FROM verify_rosterrow_before WHERE roster_id = %L',
            part, roster);
    END LOOP;
END $$;
DROP TABLE verify_rosterrow_before;
"""

UNDO = """
ALTER TABLE verify_rosterrow RENAME TO verify_rosterrow_parts;
CREATE TABLE verify_rosterrow (
    id uuid NOT NULL PRIMARY KEY, roster_id uuid NOT NULL REFERENCES verify_roster DEFERRABLE INITIALLY DEFERRED,
    key bytea NOT NULL, name bytea NOT NULL, active boolean NOT NULL, valid_until date,
    CONSTRAINT a_number_stands_once_in_a_roster UNIQUE (roster_id, key)
);
CREATE INDEX ON verify_rosterrow (roster_id);
INSERT INTO verify_rosterrow (id, roster_id, key, name, active, valid_until)
    SELECT id, roster_id, key, name, active, valid_until FROM verify_rosterrow_parts;
DROP TABLE verify_rosterrow_parts;
"""


class Migration(migrations.Migration):
    dependencies = [("verify", "0002_attempts_only_grow")]

    operations = [
        migrations.CreateModel(
            name="RosterLoad",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=40, unique=True)),
                ("sha256", models.CharField(max_length=64)),
                ("started_at", models.DateTimeField()),
                ("started_by", models.CharField(max_length=120)),
                ("offset", models.BigIntegerField()),
                ("line", models.BigIntegerField()),
                ("accepted", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="RosterRejection",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("line", models.BigIntegerField()),
                ("reason", models.CharField(max_length=20)),
                (
                    "load",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rejections", to="verify.rosterload"
                    ),
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(PARTITIONED, UNDO)],
            state_operations=[
                migrations.AlterField(
                    model_name="rosterrow",
                    name="roster",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="rows",
                        to="verify.roster",
                    ),
                ),
            ],
        ),
    ]
