"""When a file's time of keeping is over its words go, and nothing else of what was asked, answered and decided."""

from django.db import migrations

# Empty words may take the place of any, once the application was erased.
GUARDS = """
CREATE OR REPLACE FUNCTION decide_is_erased(which uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM decide_case JOIN apply_application ON apply_application.id = decide_case.application_id
        WHERE decide_case.id = which AND apply_application.erased_at IS NOT NULL
    )
$$;

CREATE OR REPLACE FUNCTION decide_decision_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (
        NEW.id, NEW.case_id, NEW.outcome, NEW.codes, NEW.decided_by, NEW.proposed_by_id, NEW.seconded_by_id,
        NEW.notice_id, NEW.rule_version, NEW.at, NEW.appeal_until
    ) IS DISTINCT FROM (
        OLD.id, OLD.case_id, OLD.outcome, OLD.codes, OLD.decided_by, OLD.proposed_by_id, OLD.seconded_by_id,
        OLD.notice_id, OLD.rule_version, OLD.at, OLD.appeal_until
    ) OR (OLD.entered_at IS NOT NULL AND NEW.entered_at IS DISTINCT FROM OLD.entered_at)
      OR (OLD.voided_at IS NOT NULL AND NEW.voided_at IS DISTINCT FROM OLD.voided_at)
      OR (NEW.text IS DISTINCT FROM OLD.text AND NOT (NEW.text = ''::bytea AND decide_is_erased(OLD.case_id))) THEN
        RAISE EXCEPTION 'a decision is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION decide_question_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.case_id, NEW.code, NEW.asked_by_id, NEW.asked_at)
        IS DISTINCT FROM (OLD.case_id, OLD.code, OLD.asked_by_id, OLD.asked_at)
        OR NEW.due_at < OLD.due_at
        OR (OLD.answered_at IS NOT NULL AND NEW.answered_at IS DISTINCT FROM OLD.answered_at)
        OR ((NEW.text IS DISTINCT FROM OLD.text OR (OLD.answered_at IS NOT NULL AND NEW.answer IS DISTINCT FROM OLD.answer))
            AND NOT (NEW.text = ''::bytea AND NEW.answer = ''::bytea AND decide_is_erased(OLD.case_id)))
    THEN
        RAISE EXCEPTION 'a question and its answer are never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION decide_notice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.case_id, NEW.codes, NEW.proposed_by_id, NEW.sent_at)
        IS DISTINCT FROM (OLD.case_id, OLD.codes, OLD.proposed_by_id, OLD.sent_at)
        OR NEW.answer_due_at < OLD.answer_due_at
        OR (OLD.answered_at IS NOT NULL AND NEW.answered_at IS DISTINCT FROM OLD.answered_at)
        OR (OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at)
        OR (OLD.concluded_at IS NOT NULL AND NEW.concluded_at IS DISTINCT FROM OLD.concluded_at)
        OR ((NEW.text IS DISTINCT FROM OLD.text OR (OLD.answered_at IS NOT NULL AND NEW.answer IS DISTINCT FROM OLD.answer))
            AND NOT (NEW.text = ''::bytea AND NEW.answer = ''::bytea AND decide_is_erased(OLD.case_id)))
    THEN
        RAISE EXCEPTION 'a notice and its answer are never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("decide", "0009_queue_is_kept"), ("apply", "0019_erased_in_time")]

    # Going back, the guards stay as they are: an erased file cannot be given its words again.
    operations = [migrations.RunSQL(GUARDS, migrations.RunSQL.noop)]
