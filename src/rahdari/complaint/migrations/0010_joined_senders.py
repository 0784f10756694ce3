"""Who sent a complaint decides no complaint that is joined with it: they are decided as one."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION complaint_senders_decide_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decided uuid := COALESCE(NEW.part_of_id, NEW.id);
BEGIN
    IF EXISTS (
        SELECT FROM complaint_complaint JOIN people_accounts_of(NEW.decided_by_id) AS account ON sender_id = account
        WHERE id = decided OR part_of_id = decided
    ) THEN
        RAISE EXCEPTION 'who sent a complaint does not decide it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER complaint_senders_decide_nothing BEFORE UPDATE OF decided_by_id ON complaint_complaint FOR EACH ROW
    WHEN (NEW.decided_by_id IS NOT NULL AND NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id)
    EXECUTE FUNCTION complaint_senders_decide_nothing();
"""


class Migration(migrations.Migration):
    dependencies = [("complaint", "0009_receipt"), ("people", "0005_sent_cards")]

    operations = [migrations.RunSQL(GUARDS)]
