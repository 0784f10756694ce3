"""Two people give a file, and not two accounts of one."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF answered_by_id, agreed_by_id ON demand_demand
    FOR EACH ROW EXECUTE FUNCTION people_are_two('answered_by_id', 'agreed_by_id');
"""


class Migration(migrations.Migration):
    dependencies = [("demand", "0002_guards"), ("people", "0003_one_person")]

    operations = [migrations.RunSQL(GUARDS)]
