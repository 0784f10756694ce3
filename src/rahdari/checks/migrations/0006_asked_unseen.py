"""Applicants read nothing any more of whoever is registered under a company's number: what was found before says what it
says now, and the time to answer has a place of its own."""

from django.db import migrations

NOT_SHOWN = """
UPDATE checks_check SET finding = 'not_shown' WHERE finding IN ('representative_silent', 'representative_denies');
UPDATE checks_check SET facts = facts || jsonb_build_object('answer_until', facts -> 'until')
WHERE kind = 'represents' AND facts ? 'asked' AND facts ? 'until';
"""


class Migration(migrations.Migration):
    dependencies = [("checks", "0005_name_key")]

    operations = [migrations.RunSQL(NOT_SHOWN, migrations.RunSQL.noop)]
