"""What was asked and answered about sharing goes with the file of whoever asked, and at no other time."""

from django.db import migrations

# The endpoint that it was asked for goes first, when the time of the file is over (apply.erasing).
GUARDS = """
CREATE OR REPLACE FUNCTION share_is_erased(about varchar) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN about ~ '^endpoint:[0-9a-f-]{36}$'
        THEN NOT EXISTS (SELECT 1 FROM apply_endpoint WHERE id = substr(about, 10)::uuid) ELSE false END
$$;

CREATE OR REPLACE FUNCTION share_answers_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.settled_at IS NOT NULL AND share_is_erased(OLD.subject) THEN
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

CREATE OR REPLACE FUNCTION share_replies_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM share_request
        WHERE id = OLD.request_id AND settled_at IS NOT NULL AND share_is_erased(subject)
    ) THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.answered_at IS NOT NULL THEN
        RAISE EXCEPTION 'what was answered about sharing stays' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("share", "0003_found_by_an_index"), ("apply", "0019_erased_in_time")]

    # Going back, the guards stay as they are: what was erased cannot be given back.
    operations = [migrations.RunSQL(GUARDS, migrations.RunSQL.noop)]
