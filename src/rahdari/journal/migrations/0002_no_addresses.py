"""Rows written before name the addresses and the clients' domains that were proved or asked. These words alone are taken
out: what was done, by whom and when stays as it was."""

from typing import ClassVar

from django.db import migrations

TAKE_OUT = """
ALTER TABLE journal_entry DISABLE TRIGGER journal_only_grows;
UPDATE journal_entry SET detail = detail - 'block' WHERE act LIKE 'verify.%' AND detail ? 'block';
UPDATE journal_entry SET detail = detail - 'domain' WHERE act LIKE 'vouch.%' AND detail ? 'domain';
ALTER TABLE journal_entry ENABLE TRIGGER journal_only_grows;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("journal", "0001_initial")]

    operations = [migrations.RunSQL(TAKE_OUT, migrations.RunSQL.noop)]
