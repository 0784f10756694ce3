"""Its holder may say what only our looks had said before: once, and what they see is added."""

from django.db import migrations, models

SAID = """
UPDATE incident_report SET said_at = reported_at WHERE channel IN ('page', 'api', 'agent', 'desk');

CREATE OR REPLACE FUNCTION incident_report_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may text[] := ARRAY['incident_id', 'works_at', 'withdrawn_at'];
    erased text[] := ARRAY['registration_id', 'holder', 'subject', 'block', 'runs'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a report is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.said_at IS NULL AND NEW.said_at IS NOT NULL THEN
        may := may || ARRAY['said_at', 'sees', 'own_side'];
    END IF;
    IF to_jsonb(NEW) - may IS DISTINCT FROM to_jsonb(OLD) - may
       AND NOT (NEW.holder IS NULL AND NEW.block IS NULL AND NEW.registration_id IS NULL AND NEW.subject = ''
                AND to_jsonb(NEW) - may - erased IS NOT DISTINCT FROM to_jsonb(OLD) - may - erased) THEN
        RAISE EXCEPTION 'a report is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("incident", "0002_guards")]

    operations = [
        migrations.AddField(
            model_name="report",
            name="said_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunSQL(SAID),
    ]
