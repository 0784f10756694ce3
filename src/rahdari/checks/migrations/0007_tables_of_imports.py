"""The table of an import is made, put in use and taken away by the owner of the tables, in whose name these functions
run: the role of all that runs imports rosters and may make no table. Each name is made of the import's number alone."""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION checks_table_of(import uuid) RETURNS text LANGUAGE sql IMMUTABLE
AS $$ SELECT 'checks_rosterrow_' || replace(import::text, '-', '') $$;

CREATE FUNCTION checks_begin_import(import uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE made text := checks_table_of(import);
BEGIN
    EXECUTE format(
        'CREATE TABLE %I (line bigint NOT NULL, whole bytea NOT NULL, '
        'LIKE checks_rosterrow INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', made
    );
    -- Known to hold, so that putting it in use needs not look at each row.
    EXECUTE format('ALTER TABLE %I ALTER roster_id SET DEFAULT %L', made, import);
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT its_own CHECK (roster_id = %L)', made, import);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', made, session_user);
END $$;

CREATE FUNCTION checks_use_import(import uuid, of_firms boolean) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE made text := checks_table_of(import);
BEGIN
    EXECUTE format('ALTER TABLE %I DROP COLUMN line, DROP COLUMN whole', made);
    -- Indexes are made now, while nobody reads this table; to attach it is then a matter of moments.
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (roster_id, id)', made);
    EXECUTE format('ALTER TABLE %I ADD UNIQUE (roster_id, key)', made);
    IF of_firms THEN
        EXECUTE format('CREATE INDEX ON %I (name_key)', made);
    END IF;
    EXECUTE format('ALTER TABLE checks_rosterrow ATTACH PARTITION %I FOR VALUES IN (%L)', made, import);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT its_own', made);
    EXECUTE format('ANALYZE %I', made);
END $$;

CREATE FUNCTION checks_end_import(import uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM checks_roster WHERE id = import AND in_use) THEN
        RAISE EXCEPTION 'this import is in use: %', import USING ERRCODE = 'check_violation';
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS %I', checks_table_of(import));
END $$;

REVOKE EXECUTE ON FUNCTION checks_begin_import, checks_use_import, checks_end_import FROM PUBLIC;
"""
GONE = "DROP FUNCTION checks_begin_import, checks_use_import, checks_end_import, checks_table_of;"


class Migration(migrations.Migration):
    dependencies = [("checks", "0006_asked_unseen")]

    operations = [migrations.RunSQL(FUNCTIONS, GONE)]
