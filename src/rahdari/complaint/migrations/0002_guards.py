"""The database holds it too: what was sent is never rewritten, it is decided once, by somebody without a part in it and
after the holder was heard, and only what nobody confirmed is deleted. When its time of keeping is over it is emptied,
and nothing else changes.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION complaint_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- What may still change once it was received, and once it was decided.
    heard text[] := ARRAY['answer', 'answered_at', 'lapsed_at', 'decided_at', 'decided_by_id', 'outcome', 'why',
        'overdue_at'];
    after text[] := ARRAY['told_at', 'notice_id'];
    erased text[] := ARRAY['target', 'words', 'email', 'public_body', 'body_reference', 'answer', 'why', 'sender_id',
        'registration_id', 'case_id', 'part_of_id', 'notice_id', 'erased_at'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.received_at IS NOT NULL THEN
            RAISE EXCEPTION 'a complaint that was received is never deleted' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.looked_up_at IS NULL THEN
            heard := ARRAY['looked_up_at', 'registration_id', 'case_id', 'part_of_id'];
        END IF;
        IF OLD.decided_at IS NOT NULL AND OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL
           AND to_jsonb(NEW) - erased IS NOT DISTINCT FROM to_jsonb(OLD) - erased
           AND NEW.words = ''::bytea AND NEW.target = ''::bytea AND NEW.email = ''::bytea AND NEW.answer = ''::bytea
           AND NEW.case_id IS NULL AND NEW.registration_id IS NULL AND NEW.sender_id IS NULL THEN
            RETURN NEW;
        END IF;
        IF (OLD.received_at IS NOT NULL AND OLD.decided_at IS NULL
                AND to_jsonb(NEW) - heard IS DISTINCT FROM to_jsonb(OLD) - heard)
           OR (OLD.decided_at IS NOT NULL AND to_jsonb(NEW) - after IS DISTINCT FROM to_jsonb(OLD) - after)
           OR (OLD.answered_at IS NOT NULL AND (NEW.answer, NEW.answered_at)
                IS DISTINCT FROM (OLD.answer, OLD.answered_at))
           OR (OLD.told_at IS NOT NULL AND NEW.told_at IS DISTINCT FROM OLD.told_at)
           OR (OLD.notice_id IS NOT NULL AND NEW.notice_id IS DISTINCT FROM OLD.notice_id)
           OR (NEW.id, NEW.reference, NEW.kind, NEW.about, NEW.target, NEW.words, NEW.sent_at)
                IS DISTINCT FROM (OLD.id, OLD.reference, OLD.kind, OLD.about, OLD.target, OLD.words, OLD.sent_at) THEN
            RAISE EXCEPTION 'a complaint is never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    IF NEW.decided_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.decided_at IS NULL) THEN
        IF NEW.looked_up_at IS NULL THEN
            RAISE EXCEPTION 'a complaint is looked up before it is decided' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.decided_by_id = NEW.sender_id
           OR (NEW.case_id IS NOT NULL AND appeal_had_part(NEW.case_id, NEW.decided_by_id)) THEN
            RAISE EXCEPTION 'who had a part in it does not decide a complaint' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.case_id IS NOT NULL AND NEW.part_of_id IS NULL AND NEW.answered_at IS NULL AND NEW.lapsed_at IS NULL THEN
            RAISE EXCEPTION 'the holder is heard before a complaint is decided' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.outcome = 'founded' AND NEW.case_id IS NULL THEN
            RAISE EXCEPTION 'nothing is registered of which this could be true' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER complaint_stays BEFORE INSERT OR UPDATE OR DELETE ON complaint_complaint
    FOR EACH ROW EXECUTE FUNCTION complaint_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("complaint", "0001_initial"), ("appeal", "0002_guards")]

    operations = [migrations.RunSQL(GUARDS)]
