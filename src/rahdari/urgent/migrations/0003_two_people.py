"""Whether two accounts are one person is answered in one place for all rooms (`people_are_one`)."""

from django.db import migrations

GUARDS = """
CREATE OR REPLACE FUNCTION urgent_are_one(one uuid, other uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT people_are_one(one, other)
$$;
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF opened_by_id, seconded_by_id ON urgent_urgententry
    FOR EACH ROW EXECUTE FUNCTION people_are_two('opened_by_id', 'seconded_by_id');

-- An officer whose other account is, or acts for, the holder is no other person.
ALTER FUNCTION urgent_is_theirs(uuid, uuid, uuid) RENAME TO urgent_is_of_account;
CREATE FUNCTION urgent_is_theirs(officer uuid, whose uuid, caller uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM people_accounts_of(officer) AS account WHERE urgent_is_of_account(account, whose, caller)
    )
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("urgent", "0002_guards"), ("people", "0003_one_person")]

    operations = [migrations.RunSQL(GUARDS)]
