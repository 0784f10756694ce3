"""The database holds the moves too: whatever writes, an application's status goes only along `rules.MOVES`."""

from django.db import migrations

GUARD = """
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
"""

UNDO = """
DROP TRIGGER apply_status_moves ON apply_application;
DROP FUNCTION apply_status_moves();
"""


class Migration(migrations.Migration):
    dependencies = [("apply", "0001_initial")]

    operations = [migrations.RunSQL(GUARD, UNDO)]
