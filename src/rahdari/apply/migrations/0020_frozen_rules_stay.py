"""The rules that an application was sent under stay as they were, for as long as it is known."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION apply_frozen_policies_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'frozen rules are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER apply_frozen_policies_stay BEFORE UPDATE OR DELETE ON apply_frozenpolicy
    FOR EACH ROW EXECUTE FUNCTION apply_frozen_policies_stay();
"""

UNDO = """
DROP TRIGGER apply_frozen_policies_stay ON apply_frozenpolicy;
DROP FUNCTION apply_frozen_policies_stay();
"""


class Migration(migrations.Migration):
    dependencies = [("apply", "0019_erased_in_time")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
