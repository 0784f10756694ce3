"""A card counts from when its application is sent: an officer who typed somebody's card number into a draft would see
which open case leaves their queue."""

from django.db import migrations

ONE_PERSON = """
-- The accounts of the person who has this one, as far as the register can know: with the same confirmed mobile number, or
-- the same card in applications that were sent in their own right. The names of people are encrypted, and no ground.
CREATE OR REPLACE FUNCTION people_accounts_of(account uuid) RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
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
        AND known.submitted_at IS NOT NULL AND other.submitted_at IS NOT NULL
        AND known.organisation_id IS NULL AND other.organisation_id IS NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0004_told_contacts")]

    operations = [migrations.RunSQL(ONE_PERSON)]
