"""The key of a roster's rows has in the database the name that the model knows: `rahdari doctor` looks for it."""

from django.db import migrations

RENAME = "ALTER TABLE verify_rosterrow RENAME CONSTRAINT {} TO {}"
NAMES = ("rosterrow_key", "a_number_stands_once_in_a_roster")


class Migration(migrations.Migration):
    dependencies = [("verify", "0009_erased_in_time")]

    operations = [migrations.RunSQL(RENAME.format(*NAMES), RENAME.format(*reversed(NAMES)))]
