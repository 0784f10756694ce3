"""What a request came to, and what was answered, is not changed. Both go with the file of whoever asked, and at no other time."""

from django.db import migrations

GUARDS = """
-- The endpoint that it was asked for goes first, when the time of the file is over (apply.erasing).
CREATE FUNCTION share_is_erased(about varchar) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN about ~ '^endpoint:[0-9a-f-]{36}$'
        THEN NOT EXISTS (SELECT 1 FROM apply_endpoint WHERE id = substr(about, 10)::uuid) ELSE false END
$$;

CREATE FUNCTION share_answers_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.closed_at IS NOT NULL AND share_is_erased(OLD.subject) THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'what was asked and answered about sharing stays' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.ended_at IS NOT NULL AND (NEW.state, NEW.ended_at) IS DISTINCT FROM (OLD.state, OLD.ended_at) THEN
        RAISE EXCEPTION 'request % has come to %', OLD.id, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER share_requests_stay BEFORE UPDATE OR DELETE ON share_sharingrequest
    FOR EACH ROW EXECUTE FUNCTION share_answers_stay();

CREATE FUNCTION share_replies_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM share_sharingrequest
        WHERE id = OLD.request_id AND closed_at IS NOT NULL AND share_is_erased(subject)
    ) THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.answered_at IS NOT NULL THEN
        RAISE EXCEPTION 'what was answered about sharing stays' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER share_questions_stay BEFORE UPDATE OR DELETE ON share_consentquestion
    FOR EACH ROW EXECUTE FUNCTION share_replies_stay();
"""


class Migration(migrations.Migration):
    dependencies = [("share", "0001_initial"), ("apply", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
