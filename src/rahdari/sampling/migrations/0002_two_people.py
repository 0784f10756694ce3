"""Whoever looks again had no part in the decision with any of their accounts, and closes no look of their own."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF taken_by_id, closed_by_id ON sampling_secondlook
    FOR EACH ROW EXECUTE FUNCTION people_are_two('taken_by_id', 'closed_by_id');

CREATE OR REPLACE FUNCTION sampling_look_is_apart() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newcomers uuid[] := ARRAY[NEW.taken_by_id, NEW.closed_by_id];
    found record;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        newcomers := ARRAY[
            CASE WHEN NEW.taken_by_id IS DISTINCT FROM OLD.taken_by_id THEN NEW.taken_by_id END,
            CASE WHEN NEW.closed_by_id IS DISTINCT FROM OLD.closed_by_id THEN NEW.closed_by_id END
        ];
    END IF;
    newcomers := ARRAY(SELECT people_accounts_of(each) FROM unnest(newcomers) AS each);
    SELECT decision.decided_by, decision.proposed_by_id, decision.seconded_by_id, decided.id AS case_id,
           decided.assigned_to_id, application.applicant_id
    INTO found
    FROM decide_decision decision
    JOIN decide_case decided ON decided.id = decision.case_id
    JOIN apply_application application ON application.id = decided.application_id
    WHERE decision.id = NEW.decision_id;
    IF found.proposed_by_id = ANY(newcomers) OR found.seconded_by_id = ANY(newcomers)
       OR found.assigned_to_id = ANY(newcomers) OR found.applicant_id = ANY(newcomers)
       OR people_account_in(found.decided_by) = ANY(newcomers)
       OR EXISTS (SELECT FROM decide_recusal WHERE case_id = found.case_id AND officer_id = ANY(newcomers)) THEN
        RAISE EXCEPTION 'whoever had a part in a decision does not look at it again' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("sampling", "0001_initial"), ("people", "0003_one_person")]

    operations = [migrations.RunSQL(GUARDS)]
