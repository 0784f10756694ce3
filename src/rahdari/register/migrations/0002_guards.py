"""What the database holds, whoever writes: entries and registrations end and are never deleted, and what was decided about
them still finds them. Only an entry that has ended and whose holder was forgotten may go, with what was noted of it.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION register_is_forgotten(which uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM register_entry
                    WHERE id = which AND ended_at IS NOT NULL AND origin LIKE 'forgotten:%')
$$;

CREATE FUNCTION register_changes_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND register_is_forgotten(OLD.entry_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'changes are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER register_changes_only_grow BEFORE UPDATE OR DELETE ON register_change
    FOR EACH ROW EXECUTE FUNCTION register_changes_only_grow();
CREATE TRIGGER register_changes_are_never_emptied BEFORE TRUNCATE ON register_change
    FOR EACH STATEMENT EXECUTE FUNCTION register_changes_only_grow();

CREATE FUNCTION register_entries_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL AND OLD.origin LIKE 'forgotten:%' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % end and are never deleted: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER register_entries_stay BEFORE DELETE ON register_entry
    FOR EACH ROW EXECUTE FUNCTION register_entries_stay();

CREATE FUNCTION register_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % end and are never deleted: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER register_registrations_stay BEFORE DELETE ON register_registration
    FOR EACH ROW EXECUTE FUNCTION register_stays();

-- Of an entry that has ended, whose it was and what it came from may be forgotten; no other word of it changes.
CREATE FUNCTION register_ended_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- An entry that has ended may be the line of others in the feed: who gets that line follows them.
    free text[] := ARRAY['asns'];
    back text[] := ARRAY['ended_at', 'end_reason', 'shared_id', 'carrier_id'];
BEGIN
    -- With its registration, which was struck out and stands again, and in no other way.
    IF OLD.end_reason = 'strike_out' AND OLD.ended_at IS NOT NULL AND NEW.ended_at IS NULL
        AND to_jsonb(NEW) - back IS NOT DISTINCT FROM to_jsonb(OLD) - back
        AND EXISTS (
            SELECT 1 FROM register_registration
            WHERE id = NEW.registration_id AND struck_out_at IS NULL AND expired_at IS NULL
        )
    THEN
        RETURN NEW;
    END IF;
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
CREATE TRIGGER register_ended_stays_ended BEFORE UPDATE ON register_entry
    FOR EACH ROW EXECUTE FUNCTION register_ended_stays_ended();

CREATE FUNCTION register_parts_fit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.part_of_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM register_entry lead
         WHERE lead.id = NEW.part_of_id AND lead.part_of_id IS NULL
           AND lead.registration_id = NEW.registration_id AND lead.block = NEW.block AND lead.kind = NEW.kind) THEN
        RAISE EXCEPTION 'entry % does not fit the one that it is a part of', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER register_parts_fit BEFORE INSERT OR UPDATE OF part_of_id, registration_id, block, kind ON register_entry
    FOR EACH ROW EXECUTE FUNCTION register_parts_fit();

CREATE FUNCTION register_shared_by_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line register_entry%ROWTYPE;
BEGIN
    IF NEW.shared_id IS NULL AND NEW.carrier_id IS NULL THEN
        RETURN NEW;
    END IF;
    -- Whose it was is forgotten: nobody shares any more.
    IF NEW.ended_at IS NOT NULL AND NEW.origin LIKE 'forgotten:%' THEN
        RETURN NEW;
    END IF;
    IF NEW.kind <> 'static'
        OR NOT EXISTS (SELECT 1 FROM register_sharedblock s WHERE s.id = NEW.shared_id AND s.block = NEW.block) THEN
        RAISE EXCEPTION 'entry % does not fit the block that it shares', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    PERFORM 1 FROM register_coholder
      WHERE shared_id = NEW.shared_id AND holder = NEW.holder AND ended_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the holder of entry % is no sharer of its block', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.carrier_id IS NOT NULL THEN
        SELECT * INTO line FROM register_entry WHERE id = NEW.carrier_id;
        IF line.carrier_id IS NOT NULL OR line.shared_id IS DISTINCT FROM NEW.shared_id
            OR line.protocol <> NEW.protocol OR line.port IS DISTINCT FROM NEW.port THEN
            RAISE EXCEPTION 'entry % does not fit its line', NEW.id USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER register_shared_by_consent
    BEFORE INSERT OR UPDATE OF shared_id, carrier_id, holder, block, protocol, port, kind ON register_entry
    FOR EACH ROW EXECUTE FUNCTION register_shared_by_consent();

-- Whose part in a block it was goes with whose the entries were, and the block with the last of both.
CREATE FUNCTION register_sharers_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.ended_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM register_entry e WHERE e.shared_id = OLD.shared_id AND e.holder = OLD.holder) THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.ended_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.shared_id <> OLD.shared_id
        OR NEW.holder <> OLD.holder OR NEW.origin <> OLD.origin OR NEW.since_at <> OLD.since_at THEN
        RAISE EXCEPTION 'what sharer % agreed to is not changed', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.ended_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM register_entry e
         WHERE e.shared_id = NEW.shared_id AND e.holder = NEW.holder AND e.ended_at IS NULL) THEN
        RAISE EXCEPTION 'sharer % still has entries of its block', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER register_sharers_stay BEFORE UPDATE OR DELETE ON register_coholder
    FOR EACH ROW EXECUTE FUNCTION register_sharers_stay();

CREATE FUNCTION register_shared_blocks_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT 1 FROM register_entry e WHERE e.shared_id = OLD.id)
        AND NOT EXISTS (SELECT 1 FROM register_coholder s WHERE s.shared_id = OLD.id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'a shared block stays what it is: % is refused', TG_OP USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER register_shared_blocks_stay BEFORE UPDATE OR DELETE ON register_sharedblock
    FOR EACH ROW EXECUTE FUNCTION register_shared_blocks_stay();
"""


class Migration(migrations.Migration):
    dependencies = [("register", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
