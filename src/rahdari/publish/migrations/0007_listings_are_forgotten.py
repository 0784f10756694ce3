"""What a stream listed of an entry that is forgotten goes with the entry."""

from django.db import migrations

GUARDS = """
CREATE OR REPLACE FUNCTION publish_listing_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""


class Migration(migrations.Migration):
    dependencies = [("publish", "0006_terms_of_the_feed"), ("register", "0015_addresses_are_forgotten")]

    # Going back, the guard stays as it is.
    operations = [migrations.RunSQL(GUARDS, migrations.RunSQL.noop)]
