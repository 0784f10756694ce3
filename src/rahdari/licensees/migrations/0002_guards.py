"""The database holds it too: lists are only added, in order, and what takes two persons has two names."""

from django.db import migrations

GUARDS = """
ALTER TABLE licensees_providerlist
    ADD CONSTRAINT a_list_has_names CHECK (jsonb_typeof(names) = 'array' AND jsonb_array_length(names) BETWEEN 1 AND 2),
    ADD CONSTRAINT an_end_takes_two CHECK (
        NOT takes_two OR (jsonb_array_length(names) = 2 AND lower(names ->> 0) <> lower(names ->> 1)));

CREATE FUNCTION licensees_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'a list of providers stays as it was: % is refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.number <> 1 + (SELECT count(*) FROM licensees_providerlist)
       OR NEW.as_of < (SELECT max(as_of) FROM licensees_providerlist) THEN
        RAISE EXCEPTION 'list % does not follow', NEW.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER licensees_only_grow BEFORE INSERT OR UPDATE OR DELETE ON licensees_providerlist
    FOR EACH ROW EXECUTE FUNCTION licensees_only_grow();
CREATE TRIGGER licensees_are_never_emptied BEFORE TRUNCATE ON licensees_providerlist
    FOR EACH STATEMENT EXECUTE FUNCTION licensees_only_grow();
"""


class Migration(migrations.Migration):
    dependencies = [("licensees", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
