"""What a notice rested on, and the words by which a registration was taken back, go with the file as all others do."""

from django.db import migrations

GUARDS = """
CREATE OR REPLACE FUNCTION decide_evidence_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.evidence IS DISTINCT FROM OLD.evidence
       AND NOT (NEW.evidence = ''::bytea AND decide_is_erased(OLD.case_id)) THEN
        RAISE EXCEPTION 'a notice and its answer are never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION decide_taking_back_was_heard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    words text[] := ARRAY['text', 'restored_why'];
    free text[] := ARRAY['restored_at', 'restored_by_id', 'restored_why'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a decision is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.text = ''::bytea AND NEW.restored_why = ''::bytea AND decide_is_erased(OLD.case_id)
           AND to_jsonb(NEW) - words IS NOT DISTINCT FROM to_jsonb(OLD) - words THEN
            RETURN NEW;
        END IF;
        IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free OR OLD.restored_at IS NOT NULL THEN
            RAISE EXCEPTION 'a decision is never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM decide_notice
        WHERE id = NEW.notice_id AND case_id = NEW.case_id AND withdrawn_at IS NULL
          AND proposed_by_id = NEW.proposed_by_id
          AND (answered_at IS NOT NULL OR (ran_out_at IS NOT NULL AND answer_due_at < NEW.at))
    ) THEN
        RAISE EXCEPTION 'a registration is taken back after a notice that was answered or whose time is over'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("decide", "0011_taking_back")]

    # Going back, the guards stay as they are: an erased file cannot be given its words again.
    operations = [migrations.RunSQL(GUARDS, migrations.RunSQL.noop)]
