"""Whoever sent a complaint decides it with no account of theirs, and is not named for it."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF sender_id, decided_by_id ON complaint_complaint
    FOR EACH ROW EXECUTE FUNCTION people_are_two('sender_id', 'decided_by_id');

CREATE OR REPLACE FUNCTION complaint_reviewer_is_needed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    senders uuid[] := ARRAY(
        SELECT sender_id FROM complaint_complaint
        WHERE 'complaint:' || COALESCE(part_of_id, id)::text = NEW.matter AND sender_id IS NOT NULL
    );
BEGIN
    IF EXISTS (SELECT FROM people_accounts_of(NEW.user_id) AS account WHERE account = ANY (senders)) THEN
        RAISE EXCEPTION 'who sent a complaint does not decide it' USING ERRCODE = 'check_violation';
    END IF;
    IF decide_somebody_could(NEW.case_id, senders, 'complaint') THEN
        RAISE EXCEPTION 'somebody in the office could decide it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("complaint", "0004_reviewers"), ("people", "0003_one_person")]

    operations = [migrations.RunSQL(GUARDS)]
