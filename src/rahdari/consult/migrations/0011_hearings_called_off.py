"""A hearing can be called off before its time, for a reason. The database holds it too: that is never rewritten, there
are no minutes of it, and it keeps no draft from being adopted."""

from django.db import migrations, models

GUARDS = """
CREATE OR REPLACE FUNCTION consult_hearings_are_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ending = 'adopted' AND EXISTS (
        SELECT FROM consult_hearing WHERE draft_id = NEW.id AND held_at > NEW.ended_at AND called_off_at IS NULL
    ) THEN
        RAISE EXCEPTION 'a hearing that was announced is held before a draft is adopted, or called off'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consult_called_off_stays BEFORE UPDATE OR DELETE ON consult_hearing
    FOR EACH ROW WHEN (OLD.called_off_at IS NOT NULL) EXECUTE FUNCTION consult_row_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("consult", "0010_hearings_are_held")]

    operations = [
        migrations.AddField("hearing", "called_off_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("hearing", "called_off_why", models.JSONField(blank=True, null=True)),
        migrations.AddConstraint(
            "hearing",
            models.CheckConstraint(
                condition=models.Q(called_off_at__isnull=True, called_off_why__isnull=True)
                | models.Q(
                    called_off_at__isnull=False, called_off_why__isnull=False, called_off_at__lt=models.F("held_at")
                ),
                name="hearing_is_called_off_before_it_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            "hearing",
            models.CheckConstraint(
                condition=models.Q(called_off_at__isnull=True)
                | models.Q(minutes__isnull=True, minutes_at__isnull=True),
                name="hearing_that_was_held_has_minutes",
            ),
        ),
        migrations.RunSQL(GUARDS),
    ]
