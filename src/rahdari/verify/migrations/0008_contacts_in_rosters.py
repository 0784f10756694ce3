"""Where the keeper of a list reaches its members, and which line a row of a roster repeats or contradicts."""

from django.db import migrations, models

import rahdari.vault.fields

COLUMNS = """
ALTER TABLE verify_rosterrow
    ADD COLUMN email bytea NOT NULL DEFAULT '', ADD COLUMN mobile bytea NOT NULL DEFAULT '', ADD COLUMN domain bytea;
"""
UNDO = "ALTER TABLE verify_rosterrow DROP COLUMN email, DROP COLUMN mobile, DROP COLUMN domain;"
# An import that was cut off wrote its rows in other columns: the next one begins anew.
FORGET = """
DO $$
DECLARE part text;
BEGIN
    FOR part IN SELECT 'verify_rosterrow_' || replace(id::text, '-', '') FROM verify_rosterload LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I', part);
    END LOOP;
    DELETE FROM verify_rosterrejection;
    DELETE FROM verify_rosterload;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("verify", "0007_proof_by_registry")]

    operations = [
        migrations.RunSQL(FORGET, migrations.RunSQL.noop),
        migrations.AddField("rosterrejection", "other", models.BigIntegerField(blank=True, null=True)),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(COLUMNS, UNDO)],
            state_operations=[
                migrations.AddField(
                    "rosterrow", "email", rahdari.vault.fields.EncryptedTextField(blank=True, default="")
                ),
                migrations.AddField(
                    "rosterrow", "mobile", rahdari.vault.fields.EncryptedTextField(blank=True, default="")
                ),
                migrations.AddField("rosterrow", "domain", models.BinaryField(blank=True, null=True)),
            ],
        ),
    ]
