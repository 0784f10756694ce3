"""The database holds it too: a demand is recorded once, is about one file, is answered once, and nothing is given before
a second officer agreed. It is hidden for a year at most. When the file's time of keeping is over its words go."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION demand_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    words text[] := ARRAY['signed_by', 'wanted', 'answer'];
    answering text[] := ARRAY['outcome', 'answer', 'answered_by_id', 'answered_at'];
    agreeing text[] := ARRAY['agreed_by_id', 'agreed_at'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a demand is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.hidden_until IS NOT NULL AND NEW.hidden_until > NEW.at::date + 366 THEN
        RAISE EXCEPTION 'a demand is hidden for a year at most' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        RETURN NEW;
    END IF;
    IF OLD.case_id IS NOT NULL AND decide_is_erased(OLD.case_id) AND NEW.signed_by = ''::bytea
       AND NEW.wanted = ''::bytea AND NEW.answer = ''::bytea
       AND to_jsonb(NEW) - words IS NOT DISTINCT FROM to_jsonb(OLD) - words THEN
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - answering - agreeing - 'case_id' IS DISTINCT FROM to_jsonb(OLD) - answering - agreeing - 'case_id'
       OR (OLD.case_id IS NOT NULL AND NEW.case_id IS DISTINCT FROM OLD.case_id)
       OR (OLD.outcome <> '' AND (to_jsonb(NEW) - agreeing) IS DISTINCT FROM (to_jsonb(OLD) - agreeing))
       OR OLD.agreed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a demand is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.agreed_at IS NOT NULL AND NEW.agreed_by_id = NEW.answered_by_id THEN
        RAISE EXCEPTION 'what is given needs a second officer' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER demand_stays BEFORE INSERT OR UPDATE OR DELETE ON demand_demand
    FOR EACH ROW EXECUTE FUNCTION demand_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("demand", "0001_initial"), ("decide", "0006_hearings")]

    operations = [migrations.RunSQL(GUARDS)]
