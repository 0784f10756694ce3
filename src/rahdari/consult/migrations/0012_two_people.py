"""Two people adopt a draft and judge a hidden comment, and not two accounts of one."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF proposed_by, ended_by ON consult_draft
    FOR EACH ROW WHEN (NEW.ending = 'adopted')
    EXECUTE FUNCTION people_are_two('proposed_by', 'ended_by');
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF hidden_by, reviewed_by ON consult_comment
    FOR EACH ROW EXECUTE FUNCTION people_are_two('hidden_by', 'reviewed_by');
"""


class Migration(migrations.Migration):
    dependencies = [("consult", "0011_hearings_called_off"), ("people", "0003_one_person")]

    operations = [migrations.RunSQL(GUARDS)]
