"""A company's number brings one organisation onto the register by rule: a second one needs the word of the first.

What the check of the number found may be older than the grant. At the entry it is asked once more, one application with a
number at a time: two that were sent in the same second meet here.
"""

from django.db import migrations

# The lock is `Lock.NUMBER` of `db/locks.py`, with the keyed hash of the number.
GUARDS = """
CREATE FUNCTION decide_number_is_held(which uuid, entered uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    ours record;
BEGIN
    SELECT sent.company_number_index AS number, sent.organisation_id AS organisation, sent.registration_id AS goes_on
      INTO ours FROM apply_application AS sent WHERE sent.id = which;
    IF COALESCE(ours.number, '') = '' OR ours.organisation IS NULL OR ours.goes_on = entered THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('decide: a company''s number ' || ours.number, 0));
    -- Policies that do not ask whose number it is have no such check. The others: a yes of those who are registered, the
    -- very address on the list, or an officer who saw it.
    IF NOT EXISTS (SELECT FROM checks_check WHERE subject = 'application:' || which AND kind = 'represents')
       OR EXISTS (SELECT FROM checks_check WHERE subject = 'application:' || which AND kind = 'represents'
                  AND outcome = 'passed' AND finding IN ('representative_agrees', 'mail_of_contact', 'by_hand')) THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT FROM apply_application AS theirs
        JOIN people_organisation AS others ON others.id = theirs.organisation_id
        JOIN register_registration AS stands ON stands.holder = others.holder_ref
        WHERE theirs.company_number_index = ours.number AND theirs.status = 'granted'
          AND theirs.organisation_id <> ours.organisation
          AND stands.struck_out_at IS NULL AND stands.expired_at IS NULL
    ) AND NOT EXISTS (
        SELECT FROM apply_application AS before
        JOIN people_organisation AS same ON same.id = before.organisation_id
        JOIN register_registration AS stands ON stands.holder = same.holder_ref
        WHERE before.company_number_index = ours.number AND before.status = 'granted' AND before.id <> which
          AND before.organisation_id = ours.organisation
          AND stands.struck_out_at IS NULL AND stands.expired_at IS NULL AND stands.id IS DISTINCT FROM entered
    );
END $$;

CREATE FUNCTION decide_number_is_free() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF decide_number_is_held((SELECT application_id FROM decide_case WHERE id = NEW.case_id), NEW.registration_id) THEN
        RAISE EXCEPTION 'another organisation is registered under this number' USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_number_is_free BEFORE UPDATE OF entered_at ON decide_decision
    FOR EACH ROW WHEN (OLD.entered_at IS NULL AND NEW.entered_at IS NOT NULL)
    EXECUTE FUNCTION decide_number_is_free();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("decide", "0017_register_follows"),
        ("apply", "0008_entry_guards"),
        ("checks", "0004_looked_for"),
        ("people", "0002_sealed_email"),
        ("register", "0003_still_right"),
    ]

    operations = [migrations.RunSQL(GUARDS)]
