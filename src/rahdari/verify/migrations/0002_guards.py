"""Attempts are only added, and a proof stays; the rows of rosters are in partitions, one for each import.

What was seen at an attempt may go in time, but for its digest; and so may the address of a proof. Nothing else of either
changes.
"""

from django.db import migrations

GUARDS = """
DROP TABLE verify_rosterrow;
CREATE TABLE verify_rosterrow (
    id uuid NOT NULL, roster_id uuid NOT NULL, key bytea NOT NULL, name bytea NOT NULL, active boolean NOT NULL,
    valid_until date, email bytea NOT NULL DEFAULT '', mobile bytea NOT NULL DEFAULT '', domain bytea,
    CONSTRAINT rosterrow_pk PRIMARY KEY (roster_id, id),
    CONSTRAINT a_number_stands_once_in_a_roster UNIQUE (roster_id, key)
) PARTITION BY LIST (roster_id);

CREATE FUNCTION verify_attempts_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND (NEW.id, NEW.challenge_id, NEW.at, NEW.place, NEW.finding)
           IS NOT DISTINCT FROM (OLD.id, OLD.challenge_id, OLD.at, OLD.place, OLD.finding)
       AND NEW.evidence - 'sha256' = '{}'::jsonb THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'attempts are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER verify_attempts_only_grow BEFORE UPDATE OR DELETE ON verify_probeattempt
    FOR EACH ROW EXECUTE FUNCTION verify_attempts_only_grow();

CREATE FUNCTION verify_proof_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a challenge that was proved stays proved' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER verify_proof_stays BEFORE UPDATE ON verify_challenge
    FOR EACH ROW WHEN (OLD.status = 'valid' AND (NEW.status <> OLD.status OR NEW.validated_at <> OLD.validated_at
        OR NEW.block NOT IN (OLD.block, '') OR NEW.subject <> OLD.subject))
    EXECUTE FUNCTION verify_proof_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("verify", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
