"""Who decides a complaint is an officer, or was named for it from outside; whoever sent it names nobody in."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION complaint_decider_may() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT decide_may(NEW.decided_by_id, 'complaint', 'complaint:' || COALESCE(NEW.part_of_id, NEW.id)::text) THEN
        RAISE EXCEPTION 'who decides a complaint holds no post for it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER complaint_decider_may BEFORE UPDATE OF decided_by_id ON complaint_complaint FOR EACH ROW
    WHEN (NEW.decided_by_id IS NOT NULL AND OLD.decided_by_id IS NULL) EXECUTE FUNCTION complaint_decider_may();

CREATE FUNCTION complaint_reviewer_is_needed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    senders uuid[] := ARRAY(
        SELECT sender_id FROM complaint_complaint
        WHERE 'complaint:' || COALESCE(part_of_id, id)::text = NEW.matter AND sender_id IS NOT NULL
    );
BEGIN
    IF NEW.user_id = ANY (senders) THEN
        RAISE EXCEPTION 'who sent a complaint does not decide it' USING ERRCODE = 'check_violation';
    END IF;
    IF decide_somebody_could(NEW.case_id, senders, 'complaint') THEN
        RAISE EXCEPTION 'somebody in the office could decide it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER complaint_reviewer_is_needed BEFORE INSERT ON decide_reviewer FOR EACH ROW
    WHEN (NEW.needs = 'complaint') EXECUTE FUNCTION complaint_reviewer_is_needed();
"""


class Migration(migrations.Migration):
    dependencies = [("complaint", "0003_files"), ("decide", "0011_reviewers"), ("appeal", "0003_reviewers")]

    operations = [migrations.RunSQL(GUARDS)]
