"""The database holds it too: versions are never rewritten and have no gap; a comment that was proved is never rewritten
or deleted, only answered, hidden and shown again; a draft is adopted when each comment is answered, and does not move
after its end; an address is kept only while a draft has not ended.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION consult_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may text[] := ARRAY['replayed', 'replayed_at'];
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND to_jsonb(NEW) - may IS DISTINCT FROM to_jsonb(OLD) - may) THEN
        RAISE EXCEPTION 'a version is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.number <> (SELECT count(*) + 1 FROM consult_version WHERE draft_id = NEW.draft_id) THEN
            RAISE EXCEPTION 'versions are numbered without a gap' USING ERRCODE = 'check_violation';
        END IF;
        IF EXISTS (SELECT FROM consult_draft WHERE id = NEW.draft_id AND ending <> '') THEN
            RAISE EXCEPTION 'a draft that has ended has no further version' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consult_version_stays BEFORE INSERT OR UPDATE OR DELETE ON consult_version
    FOR EACH ROW EXECUTE FUNCTION consult_version_stays();

CREATE FUNCTION consult_comment_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may text[] := ARRAY['answer_id', 'hidden_at', 'hidden', 'hidden_by', 'appealed_at', 'reviewed_at', 'reviewed_by'];
    proving text[] := ARRAY['number', 'proved_at', 'speaker_id', 'email', 'code', 'code_until', 'tries', 'part_of_id'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.proved_at IS NOT NULL THEN
            RAISE EXCEPTION 'a comment is never deleted' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.proved_at IS NOT NULL AND to_jsonb(NEW) - may IS DISTINCT FROM to_jsonb(OLD) - may)
           OR (OLD.proved_at IS NULL AND to_jsonb(NEW) - proving IS DISTINCT FROM to_jsonb(OLD) - proving) THEN
            RAISE EXCEPTION 'a comment is never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    IF NEW.proved_at IS NOT NULL AND NEW.email <> ''::bytea THEN
        RAISE EXCEPTION 'a comment that is proved holds no address' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.proved_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.proved_at IS NULL)
       AND EXISTS (SELECT FROM consult_draft
                   WHERE id = NEW.draft_id AND (ending <> '' OR NEW.sent_at >= closes_at)) THEN
        RAISE EXCEPTION 'comments are taken while the draft is open' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consult_comment_stays BEFORE INSERT OR UPDATE OR DELETE ON consult_comment
    FOR EACH ROW EXECUTE FUNCTION consult_comment_stays();

CREATE FUNCTION consult_draft_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a draft is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.ending <> '' THEN
            RAISE EXCEPTION 'a draft that has ended does not move' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF (NEW.id, NEW.reference, NEW.key, NEW.opened_at) IS DISTINCT FROM (OLD.id, OLD.reference, OLD.key, OLD.opened_at)
           OR NEW.closes_at < OLD.closes_at THEN
            RAISE EXCEPTION 'the time for comment is never shortened' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    IF NEW.ending = 'adopted' AND EXISTS (
        SELECT FROM consult_comment WHERE draft_id = NEW.id AND proved_at IS NOT NULL AND part_of_id IS NULL
           AND ((answer_id IS NULL AND hidden = '') OR (hidden <> '' AND appealed_at IS NOT NULL AND reviewed_at IS NULL))
    ) THEN
        RAISE EXCEPTION 'each comment is answered before a draft is adopted' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consult_draft_stays BEFORE INSERT OR UPDATE OR DELETE ON consult_draft
    FOR EACH ROW EXECUTE FUNCTION consult_draft_stays();

CREATE FUNCTION consult_address_is_let_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.email <> ''::bytea AND (TG_OP = 'INSERT' OR NEW.email IS DISTINCT FROM OLD.email)
       AND EXISTS (SELECT FROM consult_draft WHERE id = NEW.draft_id AND ending <> '') THEN
        RAISE EXCEPTION 'no address is kept of a draft that has ended' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consult_address_is_let_go BEFORE INSERT OR UPDATE ON consult_speaker
    FOR EACH ROW EXECUTE FUNCTION consult_address_is_let_go();

CREATE FUNCTION consult_row_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was said here is never rewritten' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER consult_answer_stays BEFORE UPDATE OR DELETE ON consult_answer
    FOR EACH ROW EXECUTE FUNCTION consult_row_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("consult", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
