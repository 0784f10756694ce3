"""A suspension names its end, a proposal to take a registration back ends by itself, and the holder is heard.

The database keeps a decision back until a hearing that was asked for is over, and what was said is never rewritten.
"""

import datetime
import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rahdari.vault.fields

# What was suspended before it named its end ends so long from now; what waits to be decided waits so long.
BEFORE = """
ALTER TABLE decide_revocation DISABLE TRIGGER decide_revocation_was_heard;
UPDATE decide_revocation SET
    ends_at = GREATEST(at + interval '1 day', LEAST(at + interval '400 days', now() + interval '90 days'))
    WHERE kind = 'suspension';
ALTER TABLE decide_revocation ENABLE TRIGGER decide_revocation_was_heard;
UPDATE register_registration SET suspended_until = taken.ends_at FROM decide_revocation AS taken
    WHERE taken.registration_id = register_registration.id AND taken.kind = 'suspension' AND taken.restored_at IS NULL
      AND taken.codes ? suspended_code AND suspended_until IS NULL;
UPDATE decide_notice SET decide_by = GREATEST(now(), answer_due_at) + interval '30 days' FROM decide_case
    WHERE decide_case.id = decide_notice.case_id AND decide_case.status = 'decided'
      AND withdrawn_at IS NULL AND concluded_at IS NULL;
"""
GUARDS = """
CREATE FUNCTION decide_hearing_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    words text[] := ARRAY['place', 'attended', 'minutes'];
    free text[] := ARRAY['outcome', 'attended', 'minutes', 'closed_at', 'closed_by_id'];
    about uuid := (SELECT case_id FROM decide_notice WHERE id = NEW.notice_id);
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (
            SELECT FROM decide_notice WHERE id = NEW.notice_id AND hearing_asked_at IS NOT NULL
              AND hearing_over_at IS NULL AND withdrawn_at IS NULL AND concluded_at IS NULL
        ) THEN
            RAISE EXCEPTION 'a hearing is set while one is asked for' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a hearing is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.place = ''::bytea AND NEW.attended = ''::bytea AND NEW.minutes = ''::bytea AND decide_is_erased(about)
       AND to_jsonb(NEW) - words IS NOT DISTINCT FROM to_jsonb(OLD) - words THEN
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free OR OLD.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a hearing is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_hearing_stays BEFORE INSERT OR UPDATE OR DELETE ON decide_hearing
    FOR EACH ROW EXECUTE FUNCTION decide_hearing_stays();

-- Asked for once, over once, and over only by a hearing that was held or to which nobody came.
CREATE FUNCTION decide_notice_hearing_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.is_order) IS DISTINCT FROM (OLD.is_order)
       OR (OLD.hearing_asked_at IS NOT NULL AND NEW.hearing_asked_at IS DISTINCT FROM OLD.hearing_asked_at)
       OR (OLD.hearing_over_at IS NOT NULL AND NEW.hearing_over_at IS DISTINCT FROM OLD.hearing_over_at)
       OR (NEW.order_named IS DISTINCT FROM OLD.order_named
           AND NOT (NEW.order_named = ''::bytea AND decide_is_erased(OLD.case_id))) THEN
        RAISE EXCEPTION 'a notice and its answer are never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.hearing_over_at IS NULL AND NEW.hearing_over_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM decide_hearing WHERE notice_id = NEW.id AND outcome IN ('attended', 'nobody_came')
    ) THEN
        RAISE EXCEPTION 'a hearing is over when it was held or nobody came' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_notice_hearing_stays BEFORE UPDATE ON decide_notice
    FOR EACH ROW EXECUTE FUNCTION decide_notice_hearing_stays();

CREATE FUNCTION decide_recused_hears_nobody() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM decide_recusal JOIN decide_notice ON decide_notice.case_id = decide_recusal.case_id
        WHERE decide_notice.id = NEW.notice_id AND officer_id IN (NEW.set_by_id, NEW.closed_by_id)
          AND (TG_OP = 'INSERT' OR officer_id = NEW.closed_by_id)
    ) THEN
        RAISE EXCEPTION 'this officer is recused from the case' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_recused_hears_nobody BEFORE INSERT OR UPDATE OF closed_by_id ON decide_hearing
    FOR EACH ROW EXECUTE FUNCTION decide_recused_hears_nobody();

CREATE OR REPLACE FUNCTION decide_revocation_was_heard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    words text[] := ARRAY['text', 'restored_why'];
    free text[] := ARRAY['restored_at', 'restored_by_id', 'restored_why', 'ended_at', 'ended_by'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a decision is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.text = ''::bytea AND NEW.restored_why = ''::bytea AND decide_is_erased(OLD.case_id)
           AND to_jsonb(NEW) - words IS NOT DISTINCT FROM to_jsonb(OLD) - words THEN
            RETURN NEW;
        END IF;
        IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free
           OR OLD.restored_at IS NOT NULL OR OLD.ended_at IS NOT NULL THEN
            RAISE EXCEPTION 'a decision is never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM decide_notice
        WHERE id = NEW.notice_id AND case_id = NEW.case_id AND withdrawn_at IS NULL
          AND proposed_by_id = NEW.proposed_by_id
          AND (answered_at IS NOT NULL OR (ran_out_at IS NOT NULL AND (answer_due_at < NEW.at OR is_order)))
    ) THEN
        RAISE EXCEPTION 'a registration is taken back after a notice that was answered or whose time is over'
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM decide_notice
        WHERE id = NEW.notice_id AND hearing_asked_at IS NOT NULL AND hearing_over_at IS NULL
    ) THEN
        RAISE EXCEPTION 'a registration is taken back after the hearing that was asked for'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
TO_USER = settings.AUTH_USER_MODEL
WORDS = rahdari.vault.fields.EncryptedTextField(blank=True, default="")
PROTECT = django.db.models.deletion.PROTECT
HELD = ["attended", "nobody_came"]


class Migration(migrations.Migration):
    dependencies = [
        ("decide", "0005_recusals"),
        ("register", "0002_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("notice", "decide_by", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("notice", "hearing_asked_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("notice", "hearing_over_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("notice", "is_order", models.BooleanField(default=False)),
        migrations.AddField("notice", "order_named", WORDS.clone()),
        migrations.AddField("revocation", "ends_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("revocation", "ended_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("revocation", "ended_by", models.CharField(blank=True, max_length=120)),
        migrations.CreateModel(
            name="Hearing",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("starts_at", models.DateTimeField()),
                ("place", WORDS.clone()),
                ("set_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("attended", "attended"), ("nobody_came", "nobody_came"), ("moved", "moved")],
                        max_length=12,
                    ),
                ),
                ("attended", WORDS.clone()),
                ("minutes", WORDS.clone()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_by",
                    models.ForeignKey(blank=True, null=True, on_delete=PROTECT, related_name="+", to=TO_USER),
                ),
                ("notice", models.ForeignKey(on_delete=PROTECT, related_name="hearings", to="decide.notice")),
                ("set_by", models.ForeignKey(on_delete=PROTECT, related_name="+", to=TO_USER)),
            ],
            options={
                "ordering": ["set_at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("notice",),
                        condition=models.Q(("closed_at__isnull", True)),
                        name="notice_has_one_hearing_to_come",
                    ),
                    models.UniqueConstraint(
                        fields=("notice",), condition=models.Q(("outcome__in", HELD)), name="notice_is_heard_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(closed_at__isnull=True, closed_by__isnull=True, outcome="")
                        | (models.Q(closed_at__isnull=False, closed_by__isnull=False) & ~models.Q(outcome="")),
                        name="hearing_is_closed_with_an_outcome",
                    ),
                    models.CheckConstraint(
                        condition=~models.Q(outcome__in=HELD) | models.Q(closed_at__gte=models.F("starts_at")),
                        name="hearing_is_over_after_it_began",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(starts_at__gt=models.F("set_at")), name="hearing_is_set_ahead"
                    ),
                ],
            },
        ),
        migrations.RunSQL(BEFORE),
        migrations.RemoveConstraint("notice", "notice_gives_time_to_answer"),
        migrations.AddConstraint(
            "notice",
            models.CheckConstraint(
                condition=models.Q(is_order=False, answer_due_at__gt=models.F("sent_at"))
                | models.Q(
                    is_order=True,
                    answer_due_at=models.F("sent_at"),
                    ran_out_at__isnull=False,
                    ran_out_at=models.F("sent_at"),
                    hearing_asked_at__isnull=True,
                ),
                name="notice_gives_time_to_answer_but_of_an_order",
            ),
        ),
        migrations.AddConstraint(
            "notice",
            models.CheckConstraint(
                condition=models.Q(hearing_over_at__isnull=True)
                | models.Q(hearing_asked_at__isnull=False, hearing_over_at__gte=models.F("hearing_asked_at")),
                name="hearing_is_over_after_it_was_asked_for",
            ),
        ),
        migrations.AddIndex(
            "notice",
            models.Index(
                fields=["decide_by"],
                condition=models.Q(decide_by__isnull=False, withdrawn_at__isnull=True, concluded_at__isnull=True),
                name="notices_undecided",
            ),
        ),
        migrations.AddConstraint(
            "revocation",
            models.CheckConstraint(
                condition=models.Q(kind="striking_out", ends_at__isnull=True)
                | models.Q(
                    kind="suspension",
                    ends_at__isnull=False,
                    ends_at__gt=models.F("at"),
                    ends_at__lte=models.F("at") + datetime.timedelta(days=400),
                ),
                name="suspension_names_its_end",
            ),
        ),
        migrations.AddConstraint(
            "revocation",
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, ended_by="")
                | (models.Q(kind="suspension", ended_at__isnull=False) & models.Q(ended_by__startswith="rule:"))
                | models.Q(
                    kind="suspension", ended_by="clock", ended_at__isnull=False, ended_at__gte=models.F("ends_at")
                ),
                name="suspension_is_ended_by_the_clock_or_a_rule",
            ),
        ),
        migrations.RunSQL(GUARDS),
    ]
