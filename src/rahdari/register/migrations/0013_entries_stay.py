"""Entries and registrations end; they are never deleted, and what was decided about them still finds them."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION register_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % end and are never deleted: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER register_entries_stay BEFORE DELETE ON register_entry
    FOR EACH ROW EXECUTE FUNCTION register_stays();
CREATE TRIGGER register_registrations_stay BEFORE DELETE ON register_registration
    FOR EACH ROW EXECUTE FUNCTION register_stays();
"""

UNDO = """
DROP TRIGGER register_registrations_stay ON register_registration;
DROP TRIGGER register_entries_stay ON register_entry;
DROP FUNCTION register_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("register", "0012_suspended_and_restored")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
