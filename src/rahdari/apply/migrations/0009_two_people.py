"""Nobody enters an application for another account of their own."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF entered_by_id, applicant_id ON apply_application
    FOR EACH ROW EXECUTE FUNCTION people_are_two('entered_by_id', 'applicant_id');
"""


class Migration(migrations.Migration):
    dependencies = [("apply", "0008_entry_guards"), ("people", "0003_one_person")]

    operations = [migrations.RunSQL(GUARDS)]
