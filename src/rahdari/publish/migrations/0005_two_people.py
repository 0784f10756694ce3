"""Whoever lets held removals go is another person than who asked again."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF asked_by, approved_by ON publish_removalhold
    FOR EACH ROW EXECUTE FUNCTION people_are_two('asked_by', 'approved_by');
"""


class Migration(migrations.Migration):
    dependencies = [("publish", "0004_signatures_of_receipts"), ("people", "0003_one_person")]

    operations = [migrations.RunSQL(GUARDS)]
