"""An entry that has ended and whose holder was forgotten may go, with what was noted of it; every other row stays."""

from django.db import migrations

GUARDS = """
CREATE OR REPLACE FUNCTION register_is_forgotten(which uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM register_entry
                    WHERE id = which AND ended_at IS NOT NULL AND origin LIKE 'forgotten:%')
$$;

CREATE OR REPLACE FUNCTION register_changes_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND register_is_forgotten(OLD.entry_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'changes are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE FUNCTION register_entries_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL AND OLD.origin LIKE 'forgotten:%' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % end and are never deleted: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER register_entries_stay ON register_entry;
CREATE TRIGGER register_entries_stay BEFORE DELETE ON register_entry
    FOR EACH ROW EXECUTE FUNCTION register_entries_stay();

CREATE OR REPLACE FUNCTION register_ended_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- An entry that has ended may be the line of others in the feed: who gets that line follows them.
    free text[] := ARRAY['asns'];
BEGIN
    IF NEW.origin LIKE 'forgotten:%' THEN
        free := free || ARRAY['holder', 'origin'];
    END IF;
    -- What it took the place of is gone.
    IF NEW.follows_id IS NULL THEN
        free := free || ARRAY['follows_id'];
    END IF;
    IF OLD.ended_at IS NOT NULL AND to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'entry % has ended and cannot be changed', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("register", "0014_coarse_times")]

    # Going back, the guards stay as they are: what was forgotten cannot be entered again.
    operations = [migrations.RunSQL(GUARDS, migrations.RunSQL.noop)]
