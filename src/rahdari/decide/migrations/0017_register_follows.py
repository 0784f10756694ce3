"""What a decision led to is suspended or struck out by people: by its holder at their own request, by officers for any
other code, and by the clock or a program never, unless it carries out a decision that stands. Of rules a constraint of
the register says it."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION decide_register_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    code text;
    actor text;
    what text;
BEGIN
    IF NEW.struck_out_code <> '' AND NEW.struck_out_code <> OLD.struck_out_code THEN
        code := NEW.struck_out_code; actor := NEW.struck_out_by; what := 'striking_out';
    ELSIF NEW.suspended_code <> '' AND NEW.suspended_code <> OLD.suspended_code THEN
        code := NEW.suspended_code; actor := NEW.suspended_by; what := 'suspension';
    ELSE
        RETURN NEW;
    END IF;
    -- At the holder's request: `decide.rules.ENDED_AT_REQUEST` and `PAUSED_AT_REQUEST`.
    IF (CASE WHEN code IN ('X1', 'S3') THEN actor ~ '^(person|agent):'
             ELSE actor !~ '^(clock$|system:)' OR EXISTS (
                 SELECT FROM decide_revocation WHERE registration_id = NEW.id AND kind = what
                 AND restored_at IS NULL AND codes ? code) END)
       OR NOT EXISTS (SELECT FROM decide_decision WHERE registration_id = NEW.id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a registration is taken back by people, and ends for its holder at their own request'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER decide_register_follows BEFORE UPDATE OF struck_out_code, suspended_code ON register_registration
    FOR EACH ROW EXECUTE FUNCTION decide_register_follows();
"""


class Migration(migrations.Migration):
    dependencies = [("decide", "0016_two_people"), ("register", "0003_still_right")]

    operations = [migrations.RunSQL(GUARDS)]
