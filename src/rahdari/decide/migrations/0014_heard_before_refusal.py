"""The database keeps a refusal back until a hearing that was asked for is over, as it does a revocation."""

from django.db import migrations

GUARDS = """
CREATE OR REPLACE FUNCTION decide_refusal_was_heard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.outcome = 'refused' AND NOT EXISTS (
        SELECT 1 FROM decide_notice
        WHERE id = NEW.notice_id AND case_id = NEW.case_id AND withdrawn_at IS NULL
          AND proposed_by_id = NEW.proposed_by_id
          AND (answered_at IS NOT NULL OR (ran_out_at IS NOT NULL AND answer_due_at < NEW.at))
          AND (hearing_asked_at IS NULL OR hearing_over_at IS NOT NULL)
    ) THEN
        RAISE EXCEPTION 'a refusal follows a notice that was answered or whose time is over, and the hearing about it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("decide", "0013_hearings_of_matters")]

    operations = [migrations.RunSQL(GUARDS)]
