"""The database holds the moves too: whatever writes, an application's status goes only along `rules.MOVES`."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION apply_status_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> NEW.status AND (OLD.status || '>' || NEW.status) NOT IN (
        'draft>submitted', 'draft>withdrawn', 'submitted>withdrawn', 'submitted>granted', 'submitted>refused',
        'submitted>not_pursued', 'granted>submitted', 'not_pursued>submitted'
    ) THEN
        RAISE EXCEPTION 'application % cannot go from % to %', OLD.reference, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.submitted_at IS NOT NULL AND (NEW.submitted_at, NEW.policy_id) IS DISTINCT FROM (OLD.submitted_at, OLD.policy_id) THEN
        RAISE EXCEPTION 'application % was sent, and keeps the time and the policy', OLD.reference
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER apply_status_moves BEFORE UPDATE ON apply_application
    FOR EACH ROW EXECUTE FUNCTION apply_status_moves();

-- The rules that an application was sent under stay as they were, for as long as it is known.
CREATE FUNCTION apply_frozen_policies_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'frozen rules are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER apply_frozen_policies_stay BEFORE UPDATE OR DELETE ON apply_frozenpolicy
    FOR EACH ROW EXECUTE FUNCTION apply_frozen_policies_stay();
"""


class Migration(migrations.Migration):
    dependencies = [("apply", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
