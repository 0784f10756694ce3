"""Of an entry that has ended, whose it was and what it came from may be forgotten, and nothing else changes."""

from django.db import migrations

GUARD = """
CREATE OR REPLACE FUNCTION register_ended_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- An entry that has ended may be the line of others in the feed: who gets that line follows them.
    free text[] := ARRAY['asns'];
BEGIN
    IF NEW.origin LIKE 'forgotten:%' THEN
        free := free || ARRAY['holder', 'origin'];
    END IF;
    IF OLD.ended_at IS NOT NULL AND to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'entry % has ended and cannot be changed', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("register", "0010_parts")]

    operations = [migrations.RunSQL(GUARD, migrations.RunSQL.noop)]
