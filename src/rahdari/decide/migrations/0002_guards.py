"""The database holds the moves too: what `rules.MOVES` does not allow cannot be written by any program.

When a file's time of keeping is over its words go, and nothing else of what was asked, answered and decided.
"""

from django.db import migrations

GUARDS = """
-- Empty words may take the place of any, once the application was erased.
CREATE FUNCTION decide_is_erased(which uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM decide_case JOIN apply_application ON apply_application.id = decide_case.application_id
        WHERE decide_case.id = which AND apply_application.erased_at IS NOT NULL
    )
$$;

CREATE FUNCTION decide_case_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a case is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.application_id <> OLD.application_id OR NEW.opened_at <> OLD.opened_at
       OR NEW.started_at <> OLD.started_at THEN
        RAISE EXCEPTION 'what a case began with does not change' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('open', 'decided'), ('open', 'not_pursued'), ('open', 'withdrawn'),
        ('not_pursued', 'open'), ('decided', 'open')
    ) THEN
        RAISE EXCEPTION 'a case does not move from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.status = 'open' AND NEW.status = 'decided' AND NOT EXISTS (
        SELECT 1 FROM decide_decision WHERE case_id = NEW.id AND voided_at IS NULL
    ) THEN
        RAISE EXCEPTION 'a case is decided by a decision' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.status = 'decided' AND NEW.status = 'open' AND EXISTS (
        SELECT 1 FROM decide_decision WHERE case_id = NEW.id AND voided_at IS NULL
    ) THEN
        RAISE EXCEPTION 'a case is not open while a decision stands' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_case_moves BEFORE UPDATE OR DELETE ON decide_case
    FOR EACH ROW EXECUTE FUNCTION decide_case_moves();

CREATE FUNCTION decide_refusal_was_heard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.outcome = 'refused' AND NOT EXISTS (
        SELECT 1 FROM decide_notice
        WHERE id = NEW.notice_id AND case_id = NEW.case_id AND withdrawn_at IS NULL
          AND proposed_by_id = NEW.proposed_by_id
          AND (answered_at IS NOT NULL OR (ran_out_at IS NOT NULL AND answer_due_at < NEW.at))
    ) THEN
        RAISE EXCEPTION 'a refusal follows a notice that was answered or whose time is over'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_refusal_was_heard BEFORE INSERT ON decide_decision
    FOR EACH ROW EXECUTE FUNCTION decide_refusal_was_heard();

CREATE FUNCTION decide_decision_stays() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER decide_decision_stays BEFORE UPDATE OR DELETE ON decide_decision
    FOR EACH ROW EXECUTE FUNCTION decide_decision_stays();

-- Of a provisional grant too: its end and its codes are never rewritten, and what was confirmed stays confirmed.
CREATE FUNCTION decide_provisional_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.provisional_until, NEW.provisional_codes) IS DISTINCT FROM (OLD.provisional_until, OLD.provisional_codes)
       OR (OLD.confirmed_at IS NOT NULL AND NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at)
       OR (OLD.voided_at IS NOT NULL AND NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at) THEN
        RAISE EXCEPTION 'a decision is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_provisional_stays BEFORE UPDATE ON decide_decision
    FOR EACH ROW EXECUTE FUNCTION decide_provisional_stays();

CREATE FUNCTION decide_question_stays() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER decide_question_stays BEFORE UPDATE OR DELETE ON decide_casequestion
    FOR EACH ROW EXECUTE FUNCTION decide_question_stays();

CREATE FUNCTION decide_notice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER decide_notice_stays BEFORE UPDATE OR DELETE ON decide_notice
    FOR EACH ROW EXECUTE FUNCTION decide_notice_stays();

-- What a notice rested on goes with the file as all words do.
CREATE FUNCTION decide_evidence_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.evidence IS DISTINCT FROM OLD.evidence
       AND NOT (NEW.evidence = ''::bytea AND decide_is_erased(OLD.case_id)) THEN
        RAISE EXCEPTION 'a notice and its answer are never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_evidence_stays BEFORE UPDATE OF evidence ON decide_notice
    FOR EACH ROW EXECUTE FUNCTION decide_evidence_stays();

-- Registrations are taken back with a notice that was heard, and a second officer, or not at all.
CREATE FUNCTION decide_revocation_was_heard() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER decide_revocation_was_heard BEFORE INSERT OR UPDATE OR DELETE ON decide_revocation
    FOR EACH ROW EXECUTE FUNCTION decide_revocation_was_heard();
"""


class Migration(migrations.Migration):
    dependencies = [("decide", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
