"""What was seen at an attempt may go in time, but for its digest; and so may the address of a proof. Nothing else of either
changes."""

from django.db import migrations

GUARDS = """
CREATE OR REPLACE FUNCTION verify_attempts_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND (NEW.id, NEW.challenge_id, NEW.at, NEW.place, NEW.finding)
           IS NOT DISTINCT FROM (OLD.id, OLD.challenge_id, OLD.at, OLD.place, OLD.finding)
       AND NEW.evidence - 'sha256' = '{}'::jsonb THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'attempts are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER verify_proof_stays ON verify_challenge;
CREATE TRIGGER verify_proof_stays BEFORE UPDATE ON verify_challenge
    FOR EACH ROW WHEN (OLD.status = 'valid' AND (NEW.status <> OLD.status OR NEW.validated_at <> OLD.validated_at
        OR NEW.block NOT IN (OLD.block, '') OR NEW.subject <> OLD.subject))
    EXECUTE FUNCTION verify_proof_stays();
"""

UNDO = """
CREATE OR REPLACE FUNCTION verify_attempts_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'attempts are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER verify_proof_stays ON verify_challenge;
CREATE TRIGGER verify_proof_stays BEFORE UPDATE ON verify_challenge
    FOR EACH ROW WHEN (OLD.status = 'valid' AND (NEW.status <> OLD.status OR NEW.validated_at <> OLD.validated_at
        OR NEW.block <> OLD.block OR NEW.subject <> OLD.subject))
    EXECUTE FUNCTION verify_proof_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("verify", "0008_contacts_in_rosters")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
