"""The database holds it too: whoever had a part in a case neither takes nor decides an appeal in it, in whatever post, and
what was sent, heard or decided is never rewritten. When a file's time of keeping is over its words go, and nothing else.
"""

from django.db import migrations

GUARDS = """
-- Who applied; proposed, seconded, dropped or decided anything; asked; left the case to others; or did anything in it that
-- the journal knows, but for reading it.
CREATE FUNCTION appeal_had_part(which uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM decide_case JOIN apply_application ON apply_application.id = decide_case.application_id
                   WHERE decide_case.id = which AND (apply_application.applicant_id = person
                                                     OR decide_case.assigned_to_id = person))
        OR EXISTS (SELECT FROM decide_recusal WHERE case_id = which AND officer_id = person)
        OR EXISTS (SELECT FROM decide_casequestion WHERE case_id = which AND asked_by_id = person)
        OR EXISTS (SELECT FROM decide_notice WHERE case_id = which AND person IN (proposed_by_id, withdrawn_by_id))
        OR EXISTS (SELECT FROM decide_decision WHERE case_id = which
                   AND (person IN (proposed_by_id, seconded_by_id) OR decided_by LIKE '%:' || person::text))
        OR EXISTS (SELECT FROM decide_revocation WHERE case_id = which
                   AND person IN (proposed_by_id, seconded_by_id, restored_by_id))
        OR EXISTS (SELECT FROM decide_case JOIN journal_journalentry
                   ON journal_journalentry.subject = 'application:' || decide_case.application_id::text
                   WHERE decide_case.id = which
                     AND journal_journalentry.actor IN ('officer:' || person::text, 'supervisor:' || person::text)
                     AND journal_journalentry.act LIKE 'decide.%'
                     AND journal_journalentry.act NOT LIKE 'decide.read%')
$$;

CREATE FUNCTION appeal_words_are_erased(which uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT decide_is_erased(case_id) FROM appeal_appeal WHERE id = which
$$;

CREATE FUNCTION appeal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    words text[] := ARRAY['words', 'hearing_how', 'minutes', 'text'];
    -- What may still change once it was sent, and once it was decided.
    heard text[] := ARRAY['withdrawn_at', 'assigned_to_id', 'hearing_at', 'hearing_how', 'held', 'minutes', 'decided_at',
        'decided_by_id', 'by_the_only_one', 'excused', 'text', 'overdue_at', 'stands_meanwhile', 'carry_out_by',
        'closed_at', 'lost'];
    after text[] := ARRAY['closed_at'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an appeal is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF decide_is_erased(OLD.case_id) AND NEW.words = ''::bytea AND NEW.hearing_how = ''::bytea
           AND NEW.minutes = ''::bytea AND NEW.text = ''::bytea
           AND to_jsonb(NEW) - words IS NOT DISTINCT FROM to_jsonb(OLD) - words THEN
            RETURN NEW;
        END IF;
        IF (NEW.case_id, NEW.number, NEW.against, NEW.decision_id, NEW.revocation_id, NEW.begun_at)
           IS DISTINCT FROM (OLD.case_id, OLD.number, OLD.against, OLD.decision_id, OLD.revocation_id, OLD.begun_at)
           OR (OLD.sent_at IS NOT NULL AND to_jsonb(NEW) - heard IS DISTINCT FROM to_jsonb(OLD) - heard)
           OR (OLD.decided_at IS NOT NULL AND to_jsonb(NEW) - after IS DISTINCT FROM to_jsonb(OLD) - after)
           OR (OLD.held <> '' AND (NEW.held, NEW.minutes, NEW.hearing_at)
                IS DISTINCT FROM (OLD.held, OLD.minutes, OLD.hearing_at))
           OR OLD.withdrawn_at IS NOT NULL OR OLD.closed_at IS NOT NULL THEN
            RAISE EXCEPTION 'an appeal is never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    IF NEW.assigned_to_id IS NOT NULL AND appeal_had_part(NEW.case_id, NEW.assigned_to_id)
       AND (TG_OP = 'INSERT' OR NEW.assigned_to_id IS DISTINCT FROM OLD.assigned_to_id) THEN
        RAISE EXCEPTION 'who had a part in the case does not decide the appeal' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.decided_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.decided_at IS NULL) THEN
        IF appeal_had_part(NEW.case_id, NEW.decided_by_id) THEN
            RAISE EXCEPTION 'who had a part in the case does not decide the appeal' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.excused IS NOT FALSE AND EXISTS (SELECT FROM appeal_point WHERE appeal_id = NEW.id AND outcome = '')
        THEN
            RAISE EXCEPTION 'every point of an appeal is decided' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER appeal_stays BEFORE INSERT OR UPDATE OR DELETE ON appeal_appeal
    FOR EACH ROW EXECUTE FUNCTION appeal_stays();

CREATE FUNCTION appeal_point_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.appeal_id, NEW.ground, NEW.place)
        IS DISTINCT FROM (OLD.id, OLD.appeal_id, OLD.ground, OLD.place)
        OR (OLD.outcome <> '' AND NEW.outcome IS DISTINCT FROM OLD.outcome)
        OR (OLD.outcome <> '' AND NEW.why IS DISTINCT FROM OLD.why
            AND NOT (NEW.why = ''::bytea AND appeal_words_are_erased(OLD.appeal_id))) THEN
        RAISE EXCEPTION 'a point of an appeal is decided once' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER appeal_point_stays BEFORE UPDATE OR DELETE ON appeal_point
    FOR EACH ROW EXECUTE FUNCTION appeal_point_stays();

CREATE FUNCTION appeal_reviewer_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF appeal_had_part((SELECT case_id FROM appeal_appeal WHERE id = NEW.appeal_id), NEW.user_id) THEN
            RAISE EXCEPTION 'who had a part in the case does not decide the appeal' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'who' IS DISTINCT FROM to_jsonb(OLD) - 'who'
       OR NOT (NEW.who = ''::bytea AND appeal_words_are_erased(OLD.appeal_id)) THEN
        RAISE EXCEPTION 'who was named as a reviewer stays' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER appeal_reviewer_stays BEFORE INSERT OR UPDATE OR DELETE ON appeal_reviewer
    FOR EACH ROW EXECUTE FUNCTION appeal_reviewer_stays();

CREATE FUNCTION appeal_served_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'how' IS DISTINCT FROM to_jsonb(OLD) - 'how'
       OR NOT (NEW.how = ''::bytea AND decide_is_erased(OLD.case_id)) THEN
        RAISE EXCEPTION 'how a decision was handed over stays' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER appeal_served_stays BEFORE UPDATE OR DELETE ON appeal_served
    FOR EACH ROW EXECUTE FUNCTION appeal_served_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("appeal", "0001_initial"), ("decide", "0005_recusals"), ("journal", "__first__")]

    operations = [migrations.RunSQL(GUARDS)]
