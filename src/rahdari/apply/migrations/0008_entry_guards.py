"""The database holds it too: nothing that an officer entered is rewritten, and who entered an application stays."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION apply_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'tries' IS DISTINCT FROM to_jsonb(OLD) - 'tries' OR NEW.tries < OLD.tries THEN
        RAISE EXCEPTION 'what an officer entered is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER apply_entry_stays BEFORE UPDATE ON apply_deskentry
    FOR EACH ROW EXECUTE FUNCTION apply_entry_stays();

CREATE FUNCTION apply_who_entered_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who entered an application stays' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER apply_who_entered_stays BEFORE UPDATE OF entered_by_id ON apply_application FOR EACH ROW
    WHEN (NEW.entered_by_id IS DISTINCT FROM OLD.entered_by_id) EXECUTE FUNCTION apply_who_entered_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("apply", "0007_desk_entries")]

    operations = [migrations.RunSQL(GUARDS)]
