"""Two accounts may be one person. Where two people are required, two accounts of one do not count as two: one answer
here, and one guard for the pairs of columns of every room.

The numbers stand in a room that a regulator may leave out, and the cards in one above: the function asks when it is
called. Two accounts are compared, and no chain of them is followed: whoever writes the cards of two officers into
applications of their own would make those two one person.
"""

from django.db import migrations

ONE_PERSON = """
-- The accounts of the person who has this one, as far as the register can know: with the same confirmed mobile number, or
-- the same card in applications in their own right. The names of people are encrypted, and no ground.
CREATE FUNCTION people_accounts_of(account uuid) RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF account IS NULL THEN
        RETURN;
    END IF;
    RETURN NEXT account;
    IF to_regclass('sms_contactnumber') IS NOT NULL THEN
        RETURN QUERY SELECT other.person FROM sms_contactnumber known JOIN sms_contactnumber other
            ON other.index = known.index AND other.person <> known.person
            WHERE known.person = account AND known.index <> '';
    END IF;
    RETURN QUERY SELECT DISTINCT other.applicant_id FROM apply_application known JOIN apply_application other
        ON other.cnic_index = known.cnic_index AND other.applicant_id <> known.applicant_id
        WHERE known.applicant_id = account AND known.cnic_index <> ''
        AND known.organisation_id IS NULL AND other.organisation_id IS NULL;
END $$;

CREATE FUNCTION people_are_one(one uuid, other uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM people_accounts_of(one) AS account WHERE account = other)
$$;

-- The account in a key or an actor (`officer:<key>`); none for a program.
CREATE FUNCTION people_account_in(actor text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT substring(actor FROM '(?:^|:)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$')::uuid
$$;

-- For any table: the two columns that it is given, keys of people or actors, name two persons.
CREATE FUNCTION people_are_two() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    first text := to_jsonb(NEW) ->> TG_ARGV[0];
    second text := to_jsonb(NEW) ->> TG_ARGV[1];
BEGIN
    IF TG_OP = 'UPDATE' AND first IS NOT DISTINCT FROM to_jsonb(OLD) ->> TG_ARGV[0]
       AND second IS NOT DISTINCT FROM to_jsonb(OLD) ->> TG_ARGV[1] THEN
        RETURN NEW;
    END IF;
    -- That they are not the same account a constraint says.
    IF first <> second AND people_are_one(people_account_in(first), people_account_in(second)) THEN
        RAISE EXCEPTION 'two accounts of one person are not two people' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF proposed_by_id, user_id ON people_proposedrole
    FOR EACH ROW EXECUTE FUNCTION people_are_two('proposed_by_id', 'user_id');
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0002_sealed_email")]

    operations = [migrations.RunSQL(ONE_PERSON)]
