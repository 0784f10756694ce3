"""Attempts are only added, and a proof stays.

What was seen at an attempt may go in time, but for its digest; and so may the address of a proof. Nothing else of either
changes.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION control_attempts_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND (NEW.id, NEW.challenge_id, NEW.at, NEW.place, NEW.finding)
           IS NOT DISTINCT FROM (OLD.id, OLD.challenge_id, OLD.at, OLD.place, OLD.finding)
       AND NEW.evidence - 'sha256' = '{}'::jsonb THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'attempts are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER control_attempts_only_grow BEFORE UPDATE OR DELETE ON control_probeattempt
    FOR EACH ROW EXECUTE FUNCTION control_attempts_only_grow();

CREATE FUNCTION control_proof_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a challenge that was proved stays proved' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER control_proof_stays BEFORE UPDATE ON control_challenge
    FOR EACH ROW WHEN (OLD.status = 'valid' AND (NEW.status <> OLD.status OR NEW.validated_at <> OLD.validated_at
        OR NEW.block NOT IN (OLD.block, '') OR NEW.subject <> OLD.subject))
    EXECUTE FUNCTION control_proof_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("control", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
