"""The hearing of an appellant is one as of any other matter (`decide.hearings`): what was set and said goes there."""

import datetime as dt
from typing import Any

from django.db import migrations, models
from django.db.models import Q

# What stands was written by the acts of its time.
BEFORE = """
ALTER TABLE decide_hearing DISABLE TRIGGER USER;
ALTER TABLE appeal_appeal DISABLE TRIGGER USER;
"""
AFTER = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE decide_hearing ENABLE TRIGGER USER;
ALTER TABLE appeal_appeal ENABLE TRIGGER USER;
"""
GUARDS = """
CREATE OR REPLACE FUNCTION appeal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    words text[] := ARRAY['words', 'text'];
    -- What may still change once it was sent, and once it was decided.
    heard text[] := ARRAY['withdrawn_at', 'assigned_to_id', 'hearing_over_at', 'decided_at', 'decided_by_id',
        'by_the_only_one', 'excused', 'text', 'overdue_at', 'stands_meanwhile', 'carry_out_by', 'closed_at', 'lost'];
    after text[] := ARRAY['closed_at'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an appeal is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF decide_is_erased(OLD.case_id) AND NEW.words = ''::bytea AND NEW.text = ''::bytea
           AND to_jsonb(NEW) - words IS NOT DISTINCT FROM to_jsonb(OLD) - words THEN
            RETURN NEW;
        END IF;
        IF (NEW.case_id, NEW.number, NEW.against, NEW.decision_id, NEW.revocation_id, NEW.begun_at)
           IS DISTINCT FROM (OLD.case_id, OLD.number, OLD.against, OLD.decision_id, OLD.revocation_id, OLD.begun_at)
           OR (OLD.sent_at IS NOT NULL AND to_jsonb(NEW) - heard IS DISTINCT FROM to_jsonb(OLD) - heard)
           OR (OLD.decided_at IS NOT NULL AND to_jsonb(NEW) - after IS DISTINCT FROM to_jsonb(OLD) - after)
           OR (OLD.hearing_over_at IS NOT NULL AND NEW.hearing_over_at IS DISTINCT FROM OLD.hearing_over_at)
           OR OLD.withdrawn_at IS NOT NULL OR OLD.closed_at IS NOT NULL THEN
            RAISE EXCEPTION 'an appeal is never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF OLD.hearing_over_at IS NULL AND NEW.hearing_over_at IS NOT NULL
           AND NOT decide_was_heard('appeal:' || NEW.id::text) THEN
            RAISE EXCEPTION 'a hearing is over when it was held or nobody came' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.assigned_to_id IS NOT NULL AND appeal_had_part(NEW.case_id, NEW.assigned_to_id)
       AND (TG_OP = 'INSERT' OR NEW.assigned_to_id IS DISTINCT FROM OLD.assigned_to_id) THEN
        RAISE EXCEPTION 'who had a part in the case does not decide the appeal' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.decided_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.decided_at IS NULL) THEN
        IF appeal_had_part(NEW.case_id, NEW.decided_by_id) THEN
            RAISE EXCEPTION 'who had a part in the case does not decide the appeal' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.excused IS NOT FALSE AND EXISTS (SELECT FROM appeal_point WHERE appeal_id = NEW.id AND outcome = '')
        THEN
            RAISE EXCEPTION 'every point of an appeal is decided' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION appeal_hearing_is_asked_for() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM appeal_appeal WHERE id = substr(NEW.matter, 8)::uuid AND case_id = NEW.case_id
          AND to_be_heard AND hearing_over_at IS NULL AND assigned_to_id = NEW.set_by_id
          AND sent_at IS NOT NULL AND withdrawn_at IS NULL AND decided_at IS NULL AND closed_at IS NULL
    ) THEN
        RAISE EXCEPTION 'a hearing is set while one is asked for' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER appeal_hearing_is_asked_for BEFORE INSERT ON decide_hearing FOR EACH ROW
    WHEN (NEW.matter LIKE 'appeal:%') EXECUTE FUNCTION appeal_hearing_is_asked_for();
"""
OUTCOMES = {"held": "attended", "nobody_came": "nobody_came"}
MOMENT = dt.timedelta(microseconds=1)


def move(apps: Any, editor: Any) -> None:
    """Words are encrypted for the table that they stand in: they are read from the one and written to the other. When
    and by whom it was set and written down says the journal, else who has the appeal."""
    there, entries = apps.get_model("decide", "Hearing"), apps.get_model("journal", "JournalEntry")
    users = apps.get_model("people", "User")
    found = apps.get_model("appeal", "Appeal").objects.select_related("case__application")
    for appeal in found.filter(hearing_at__isnull=False):
        application = appeal.case.application
        about = entries.objects.filter(
            subject=f"application:{application.pk}", detail__appeal=f"{application.reference}-P{appeal.number}"
        )

        def done(act: str, about: Any = about, appeal: Any = appeal) -> tuple[dt.datetime | None, Any]:
            entry = about.filter(act=f"appeal.{act}").order_by("at").last()
            if entry is None:
                return None, appeal.assigned_to_id
            key = entry.actor.partition(":")[2]
            return entry.at, key if users.objects.filter(pk=key).exists() else appeal.assigned_to_id

        set_at, set_by = done("set_hearing")
        row = there(
            matter=f"appeal:{appeal.pk}",
            case_id=appeal.case_id,
            starts_at=appeal.hearing_at,
            place=appeal.hearing_how,
            set_at=min(set_at or appeal.sent_at, appeal.hearing_at - MOMENT),
            set_by_id=set_by,
        )
        if appeal.held:
            at, by = done("recorded_hearing")
            over_at = max(at or appeal.hearing_at, appeal.hearing_at)
            row.outcome, row.minutes = OUTCOMES[appeal.held], appeal.minutes
            row.closed_at, row.closed_by_id = over_at, by
            appeal.hearing_over_at = over_at
            appeal.save(update_fields=["hearing_over_at"])
        row.save(force_insert=True)


class Migration(migrations.Migration):
    dependencies = [
        ("appeal", "0003_reviewers"),
        ("decide", "0013_hearings_of_matters"),
        ("journal", "__first__"),
        ("people", "__first__"),
    ]

    operations = [
        migrations.AddField("appeal", "hearing_over_at", models.DateTimeField(blank=True, null=True)),
        migrations.RunSQL(BEFORE),
        migrations.RunPython(move),
        migrations.RunSQL(AFTER),
        migrations.RemoveConstraint("appeal", "appeal_is_heard_before_it_is_decided"),
        *(migrations.RemoveField("appeal", name) for name in ("hearing_at", "hearing_how", "held", "minutes")),
        migrations.AddConstraint(
            "appeal",
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True)
                | (
                    Q(decided_at__isnull=False, decided_by__isnull=False)
                    & (Q(late=False) | Q(excused__isnull=False))
                    & (Q(to_be_heard=False) | Q(hearing_over_at__isnull=False) | Q(excused=False))
                ),
                name="appeal_is_heard_before_it_is_decided",
            ),
        ),
        migrations.RunSQL(GUARDS),
    ]
