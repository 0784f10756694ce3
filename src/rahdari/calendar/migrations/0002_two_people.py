"""Whoever confirms a correction is another person than who entered it, and not only another account."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF proposed_by_id, confirmed_by_id ON calendar_calendarcorrection
    FOR EACH ROW EXECUTE FUNCTION people_are_two('proposed_by_id', 'confirmed_by_id');
"""


class Migration(migrations.Migration):
    dependencies = [("calendar", "0001_initial"), ("people", "0003_one_person")]

    operations = [migrations.RunSQL(GUARDS)]
