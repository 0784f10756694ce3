"""A refusal that was set aside on appeal: the application is undecided again."""

from django.db import migrations

GUARD = """
CREATE OR REPLACE FUNCTION apply_status_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> NEW.status AND (OLD.status || '>' || NEW.status) NOT IN (
        'draft>submitted', 'draft>withdrawn', 'submitted>withdrawn', 'submitted>granted', 'submitted>refused',
        'submitted>not_pursued', 'granted>submitted', 'refused>submitted', 'not_pursued>submitted'
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
"""


class Migration(migrations.Migration):
    dependencies = [("apply", "0003_awaits_rule")]

    operations = [migrations.RunSQL(GUARD)]
