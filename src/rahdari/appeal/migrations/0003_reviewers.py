"""Reviewers from outside are the desk's now, for every matter that needs another person: the rows go there."""

from typing import Any

from django.db import migrations

# They were named when nobody in the office could decide; today somebody may.
BEFORE = "ALTER TABLE decide_reviewer DISABLE TRIGGER decide_reviewer_is_needed"
AFTER = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE decide_reviewer ENABLE TRIGGER decide_reviewer_is_needed;
"""
GUARDS = """
DROP FUNCTION appeal_reviewer_stays;
CREATE OR REPLACE FUNCTION appeal_had_part(which uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT decide_had_part(which, person)
$$;

CREATE FUNCTION appeal_decider_may() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.assigned_to_id IS NOT NULL AND NEW.assigned_to_id IS DISTINCT FROM OLD.assigned_to_id
            AND NOT decide_may(NEW.assigned_to_id, 'appeal', 'appeal:' || NEW.id::text))
       OR (NEW.decided_by_id IS NOT NULL AND OLD.decided_by_id IS NULL
            AND NOT decide_may(NEW.decided_by_id, 'appeal', 'appeal:' || NEW.id::text)) THEN
        RAISE EXCEPTION 'who decides an appeal holds no post for it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER appeal_decider_may BEFORE UPDATE OF assigned_to_id, decided_by_id ON appeal_appeal
    FOR EACH ROW EXECUTE FUNCTION appeal_decider_may();
"""


def move(apps: Any, editor: Any) -> None:
    """Words are encrypted for the table that they stand in: they are read from the one and written to the other."""
    there = apps.get_model("decide", "Reviewer")
    for row in apps.get_model("appeal", "Reviewer").objects.select_related("appeal"):
        appeal = row.appeal
        there.objects.create(
            id=row.id,
            matter=f"appeal:{appeal.pk}",
            case_id=appeal.case_id,
            needs="appeal",
            user_id=row.user_id,
            named_by_id=row.named_by_id,
            who=row.who,
            at=row.at,
            ended_at=appeal.decided_at or appeal.withdrawn_at or appeal.closed_at,
        )


class Migration(migrations.Migration):
    dependencies = [("appeal", "0002_guards"), ("decide", "0011_reviewers")]

    operations = [
        migrations.RunSQL(BEFORE),
        migrations.RunPython(move),
        migrations.RunSQL(AFTER),
        migrations.DeleteModel("Reviewer"),
        migrations.RunSQL(GUARDS),
    ]
