"""A hearing is about any matter that is decided against somebody, and not about a notice alone: what stands is kept."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

BEFORE = """
ALTER TABLE decide_hearing DISABLE TRIGGER USER;
UPDATE decide_hearing SET matter = 'notice:' || notice_id::text, case_id = decide_notice.case_id
    FROM decide_notice WHERE decide_notice.id = notice_id;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE decide_hearing ENABLE TRIGGER USER;
"""
GUARDS = """
CREATE OR REPLACE FUNCTION decide_hearing_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    words text[] := ARRAY['place', 'attended', 'minutes'];
    free text[] := ARRAY['outcome', 'attended', 'minutes', 'closed_at', 'closed_by_id'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- Of another matter its own room looks.
        IF NEW.matter LIKE 'notice:%' AND NOT EXISTS (
            SELECT FROM decide_notice WHERE id = substr(NEW.matter, 8)::uuid AND case_id = NEW.case_id
              AND hearing_asked_at IS NOT NULL AND hearing_over_at IS NULL
              AND withdrawn_at IS NULL AND concluded_at IS NULL
        ) THEN
            RAISE EXCEPTION 'a hearing is set while one is asked for' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a hearing is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.place = ''::bytea AND NEW.attended = ''::bytea AND NEW.minutes = ''::bytea AND decide_is_erased(OLD.case_id)
       AND to_jsonb(NEW) - words IS NOT DISTINCT FROM to_jsonb(OLD) - words THEN
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free OR OLD.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a hearing is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

-- Whether somebody was heard about it, or did not come.
CREATE FUNCTION decide_was_heard(what text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM decide_hearing WHERE matter = what AND outcome IN ('attended', 'nobody_came'))
$$;

CREATE OR REPLACE FUNCTION decide_notice_hearing_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.is_order) IS DISTINCT FROM (OLD.is_order)
       OR (OLD.hearing_asked_at IS NOT NULL AND NEW.hearing_asked_at IS DISTINCT FROM OLD.hearing_asked_at)
       OR (OLD.hearing_over_at IS NOT NULL AND NEW.hearing_over_at IS DISTINCT FROM OLD.hearing_over_at)
       OR (NEW.order_named IS DISTINCT FROM OLD.order_named
           AND NOT (NEW.order_named = ''::bytea AND decide_is_erased(OLD.case_id))) THEN
        RAISE EXCEPTION 'a notice and its answer are never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.hearing_over_at IS NULL AND NEW.hearing_over_at IS NOT NULL
       AND NOT decide_was_heard('notice:' || NEW.id::text) THEN
        RAISE EXCEPTION 'a hearing is over when it was held or nobody came' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION decide_recused_hears_nobody() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM decide_recusal
        WHERE case_id = NEW.case_id AND officer_id IN (NEW.set_by_id, NEW.closed_by_id)
          AND (TG_OP = 'INSERT' OR officer_id = NEW.closed_by_id)
    ) THEN
        RAISE EXCEPTION 'this officer is recused from the case' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
PROTECT = django.db.models.deletion.PROTECT
HELD = ["attended", "nobody_came"]


class Migration(migrations.Migration):
    dependencies = [("decide", "0012_near_late")]

    operations = [
        migrations.AddField("hearing", "matter", models.CharField(default="", max_length=60), preserve_default=False),
        migrations.AddField(
            "hearing",
            "case",
            models.ForeignKey(null=True, on_delete=PROTECT, related_name="hearings", to="decide.case"),
        ),
        migrations.RunSQL(BEFORE),
        migrations.AlterField(
            "hearing", "case", models.ForeignKey(on_delete=PROTECT, related_name="hearings", to="decide.case")
        ),
        migrations.RemoveConstraint("hearing", "notice_has_one_hearing_to_come"),
        migrations.RemoveConstraint("hearing", "notice_is_heard_once"),
        migrations.RemoveField("hearing", "notice"),
        migrations.AddConstraint(
            "hearing",
            models.UniqueConstraint(
                fields=["matter"], condition=Q(closed_at__isnull=True), name="matter_has_one_hearing_to_come"
            ),
        ),
        migrations.AddConstraint(
            "hearing",
            models.UniqueConstraint(fields=["matter"], condition=Q(outcome__in=HELD), name="matter_is_heard_once"),
        ),
        migrations.AddConstraint(
            "hearing",
            models.CheckConstraint(
                condition=Q(matter__startswith="notice:") | Q(matter__startswith="appeal:"),
                name="hearing_is_about_a_notice_or_an_appeal",
            ),
        ),
        migrations.AddIndex("hearing", models.Index(fields=["matter"], name="hearings_of_matter")),
        migrations.RunSQL(GUARDS),
    ]
