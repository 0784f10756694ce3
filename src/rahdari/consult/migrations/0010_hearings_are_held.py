"""The database holds it too: a draft is adopted when each hearing that was announced is held."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION consult_hearings_are_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ending = 'adopted' AND EXISTS (
        SELECT FROM consult_hearing WHERE draft_id = NEW.id AND held_at > NEW.ended_at
    ) THEN
        RAISE EXCEPTION 'a hearing that was announced is held before a draft is adopted'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consult_hearings_are_held BEFORE UPDATE ON consult_draft
    FOR EACH ROW EXECUTE FUNCTION consult_hearings_are_held();
"""


class Migration(migrations.Migration):
    dependencies = [("consult", "0009_taken_back")]

    operations = [migrations.RunSQL(GUARDS)]
