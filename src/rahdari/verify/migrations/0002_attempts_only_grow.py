from django.db import migrations

ONLY_GROWS = """
CREATE FUNCTION verify_attempts_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'attempts are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER verify_attempts_only_grow BEFORE UPDATE OR DELETE ON verify_attempt
    FOR EACH ROW EXECUTE FUNCTION verify_attempts_only_grow();
CREATE FUNCTION verify_proof_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a challenge that was proved stays proved' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER verify_proof_stays BEFORE UPDATE ON verify_challenge
    FOR EACH ROW WHEN (OLD.status = 'valid' AND (NEW.status <> OLD.status OR NEW.validated_at <> OLD.validated_at
        OR NEW.block <> OLD.block OR NEW.subject <> OLD.subject))
    EXECUTE FUNCTION verify_proof_stays();
"""

UNDO = """
DROP TRIGGER verify_proof_stays ON verify_challenge;
DROP FUNCTION verify_proof_stays();
DROP TRIGGER verify_attempts_only_grow ON verify_attempt;
DROP FUNCTION verify_attempts_only_grow();
"""


class Migration(migrations.Migration):
    dependencies = [("verify", "0001_initial")]

    operations = [migrations.RunSQL(ONLY_GROWS, UNDO)]
