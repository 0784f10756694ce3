"""What the database holds, whoever writes: see the head of `models`."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION publish_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only added to: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER publish_receipts_only_grow BEFORE UPDATE OR DELETE ON publish_receipt
    FOR EACH ROW EXECUTE FUNCTION publish_only_grows();
CREATE TRIGGER publish_receipts_are_never_emptied BEFORE TRUNCATE ON publish_receipt
    FOR EACH STATEMENT EXECUTE FUNCTION publish_only_grows();
CREATE TRIGGER publish_editions_stay BEFORE DELETE ON publish_edition
    FOR EACH ROW EXECUTE FUNCTION publish_only_grows();
CREATE TRIGGER publish_editions_are_never_emptied BEFORE TRUNCATE ON publish_edition
    FOR EACH STATEMENT EXECUTE FUNCTION publish_only_grows();
CREATE TRIGGER publish_sessions_stay BEFORE DELETE ON publish_session
    FOR EACH ROW EXECUTE FUNCTION publish_only_grows();
CREATE TRIGGER publish_listings_are_never_emptied BEFORE TRUNCATE ON publish_listing
    FOR EACH STATEMENT EXECUTE FUNCTION publish_only_grows();

CREATE FUNCTION publish_edition_has_no_gap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM publish_session s
                    WHERE s.id = NEW.session_id AND s.stream_id = NEW.stream_id AND s.first_sequence = NEW.sequence)
       AND NOT EXISTS (SELECT 1 FROM publish_edition e
                        WHERE e.session_id = NEW.session_id AND e.sequence = NEW.sequence - 1)
    THEN
        RAISE EXCEPTION 'edition % has none before it', NEW.sequence USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER publish_edition_has_no_gap BEFORE INSERT ON publish_edition
    FOR EACH ROW EXECUTE FUNCTION publish_edition_has_no_gap();

CREATE FUNCTION publish_edition_is_not_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.stream_id, NEW.session_id, NEW.sequence, NEW.cut_at, NEW.digest, NEW.entries, NEW.changes)
       IS DISTINCT FROM
       (OLD.stream_id, OLD.session_id, OLD.sequence, OLD.cut_at, OLD.digest, OLD.entries, OLD.changes)
       OR (OLD.published_at IS NOT NULL AND NEW.published_at IS DISTINCT FROM OLD.published_at)
    THEN
        RAISE EXCEPTION 'edition % was cut and is not changed', OLD.sequence
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER publish_edition_is_not_changed BEFORE UPDATE ON publish_edition
    FOR EACH ROW EXECUTE FUNCTION publish_edition_is_not_changed();

CREATE FUNCTION publish_file_is_not_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.session_id, NEW.path, NEW.width, NEW.from_sequence, NEW.to_sequence)
       IS DISTINCT FROM (OLD.session_id, OLD.path, OLD.width, OLD.from_sequence, OLD.to_sequence)
       OR (OLD.sha256 <> '' AND (NEW.sha256, NEW.length, NEW.digest) IS DISTINCT FROM
           (OLD.sha256, OLD.length, OLD.digest))
       OR (OLD.dropped_at IS NOT NULL AND NEW.dropped_at IS DISTINCT FROM OLD.dropped_at)
       OR (NEW.content IS DISTINCT FROM OLD.content AND (NEW.content <> ''::bytea OR NEW.erased_at IS NULL))
    THEN
        RAISE EXCEPTION '% was made and is not changed', OLD.path USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER publish_file_is_not_changed BEFORE UPDATE ON publish_file
    FOR EACH ROW EXECUTE FUNCTION publish_file_is_not_changed();

CREATE FUNCTION publish_listing_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT 1 FROM publish_stream s WHERE s.id = OLD.stream_id AND s.retired_at IS NOT NULL)
           AND NOT (OLD.until_sequence IS NOT NULL AND register_is_forgotten(OLD.entry_id)) THEN
            RAISE EXCEPTION 'a listing is not deleted' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF (NEW.stream_id, NEW.entry_id, NEW.change_id, NEW.from_sequence)
       IS DISTINCT FROM (OLD.stream_id, OLD.entry_id, OLD.change_id, OLD.from_sequence)
       OR OLD.until_sequence IS NOT NULL
    THEN
        RAISE EXCEPTION 'a listing is not changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER publish_listing_only_ends BEFORE UPDATE OR DELETE ON publish_listing
    FOR EACH ROW EXECUTE FUNCTION publish_listing_only_ends();

CREATE FUNCTION publish_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% does not go back', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER publish_session_goes_on BEFORE UPDATE ON publish_session
    FOR EACH ROW WHEN (NEW.sequence < OLD.sequence OR NEW.id <> OLD.id OR NEW.stream_id <> OLD.stream_id
                       OR NEW.first_sequence <> OLD.first_sequence)
    EXECUTE FUNCTION publish_goes_on();
CREATE TRIGGER publish_stream_goes_on BEFORE UPDATE ON publish_stream
    FOR EACH ROW WHEN (NEW.version < OLD.version OR NEW.role <> OLD.role OR NEW.asns <> OLD.asns)
    EXECUTE FUNCTION publish_goes_on();
CREATE TRIGGER publish_operator_goes_on BEFORE UPDATE ON publish_operator
    FOR EACH ROW WHEN (NEW.snapshot_version < OLD.snapshot_version OR NEW.timestamp_version < OLD.timestamp_version)
    EXECUTE FUNCTION publish_goes_on();

-- The outbox: whatever the register commits waits here, in the same transaction, until an edition takes it.
CREATE FUNCTION publish_change_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO publish_pendingchange (change_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER publish_change_waits AFTER INSERT ON register_change
    FOR EACH ROW EXECUTE FUNCTION publish_change_waits();
"""


class Migration(migrations.Migration):
    dependencies = [("publish", "0001_initial"), ("register", "0002_guards")]

    operations = [migrations.RunSQL(GUARDS)]
