"""Who entered an application for somebody who called or came has a part in its case: they neither take it, nor propose,
second or decide anything in it."""

from django.db import migrations

GUARDS = """
CREATE OR REPLACE FUNCTION decide_has_interest(which uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM decide_recusal WHERE case_id = which AND officer_id = person)
        OR EXISTS (
            SELECT FROM decide_case JOIN apply_application AS sent ON sent.id = decide_case.application_id
            WHERE decide_case.id = which AND (
                person IN (sent.applicant_id, sent.entered_by_id)
                OR EXISTS (SELECT FROM people_membership
                           WHERE organisation_id = sent.organisation_id AND user_id = person)
                OR EXISTS (SELECT FROM people_mandate WHERE organisation_id = sent.organisation_id
                           AND agent_id = person
                           AND COALESCE(ended_at, valid_until) > sent.created_at - interval '365 days')
                OR EXISTS (SELECT FROM journal_journalentry
                           WHERE subject = 'organisation:' || sent.organisation_id::text
                           AND act LIKE '%.removed_member' AND detail ->> 'member' = 'person:' || person::text
                           AND at > sent.created_at - interval '365 days')
            )
        )
$$;

CREATE FUNCTION decide_entered_it(which uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM decide_case JOIN apply_application AS sent ON sent.id = decide_case.application_id
                   WHERE decide_case.id = which AND sent.entered_by_id = person)
$$;

CREATE FUNCTION decide_entered_has_no_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF decide_entered_it(NEW.id, NEW.assigned_to_id) THEN
        RAISE EXCEPTION 'this officer entered the application' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_entered_has_no_case BEFORE INSERT OR UPDATE OF assigned_to_id ON decide_case
    FOR EACH ROW WHEN (NEW.assigned_to_id IS NOT NULL) EXECUTE FUNCTION decide_entered_has_no_case();

CREATE FUNCTION decide_entered_decides_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM decide_case JOIN apply_application AS sent ON sent.id = decide_case.application_id
        WHERE decide_case.id = NEW.case_id AND sent.entered_by_id IS NOT NULL AND (
            sent.entered_by_id IN (NEW.proposed_by_id, NEW.seconded_by_id)
            OR sent.entered_by_id::text = split_part(NEW.decided_by, ':', 2)
        )
    ) THEN
        RAISE EXCEPTION 'this officer entered the application' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_entered_decides_nothing BEFORE INSERT ON decide_decision
    FOR EACH ROW EXECUTE FUNCTION decide_entered_decides_nothing();
CREATE TRIGGER decide_entered_revokes_nothing BEFORE INSERT ON decide_revocation
    FOR EACH ROW EXECUTE FUNCTION decide_entered_decides_nothing();

CREATE FUNCTION decide_entered_proposes_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF decide_entered_it(NEW.case_id, NEW.proposed_by_id) THEN
        RAISE EXCEPTION 'this officer entered the application' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_entered_proposes_nothing BEFORE INSERT ON decide_notice
    FOR EACH ROW EXECUTE FUNCTION decide_entered_proposes_nothing();
"""


class Migration(migrations.Migration):
    dependencies = [("decide", "0014_heard_before_refusal"), ("apply", "0008_entry_guards")]

    operations = [migrations.RunSQL(GUARDS)]
