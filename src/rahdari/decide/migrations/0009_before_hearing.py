"""A suspension that begins before its holder is heard: short, by a proposal and a Director, and once for a registration."""

import datetime

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

GUARDS = """
-- What was proposed is never rewritten, this either.
CREATE FUNCTION decide_notice_before_hearing_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a notice and its answer are never rewritten' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER decide_notice_before_hearing_stays BEFORE UPDATE OF before_hearing ON decide_notice FOR EACH ROW
    WHEN (NEW.before_hearing IS DISTINCT FROM OLD.before_hearing) EXECUTE FUNCTION decide_notice_before_hearing_stays();

-- It decides nothing: the notice that proposes it stands, nobody was heard, and a Director agrees.
CREATE FUNCTION decide_suspended_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM decide_notice
        WHERE id = NEW.notice_id AND case_id = NEW.case_id AND before_hearing AND NOT is_order
          AND proposed_by_id = NEW.proposed_by_id AND codes = NEW.codes
          AND withdrawn_at IS NULL AND concluded_at IS NULL AND hearing_over_at IS NULL
    ) THEN
        RAISE EXCEPTION 'a suspension before a hearing follows a notice that proposes it'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (
        SELECT FROM people_roleassignment WHERE user_id = NEW.seconded_by_id AND ended_at IS NULL
          AND role IN ('officer', 'supervisor') AND rank = 'director'
    ) THEN
        RAISE EXCEPTION 'an officer of Director rank agrees to a suspension before a hearing'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_suspended_first BEFORE INSERT ON decide_revocation FOR EACH ROW
    WHEN (NEW.before_hearing) EXECUTE FUNCTION decide_suspended_first();

-- Everything else is taken back after a notice that was heard.
DROP TRIGGER decide_revocation_was_heard ON decide_revocation;
CREATE TRIGGER decide_revocation_was_heard BEFORE INSERT ON decide_revocation FOR EACH ROW
    WHEN (NOT NEW.before_hearing) EXECUTE FUNCTION decide_revocation_was_heard();
CREATE TRIGGER decide_revocation_stays BEFORE UPDATE OR DELETE ON decide_revocation
    FOR EACH ROW EXECUTE FUNCTION decide_revocation_was_heard();
"""


class Migration(migrations.Migration):
    dependencies = [("decide", "0008_similar_cases"), ("people", "__first__")]

    operations = [
        migrations.AddField("notice", "before_hearing", models.BooleanField(default=False)),
        migrations.AddField("revocation", "before_hearing", models.BooleanField(default=False)),
        migrations.AlterField(
            "revocation",
            "notice",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="revocations", to="decide.notice"
            ),
        ),
        migrations.AddConstraint(
            "revocation",
            models.UniqueConstraint(
                fields=["notice"], condition=Q(before_hearing=False), name="notice_leads_to_one_revocation"
            ),
        ),
        migrations.AddConstraint(
            "revocation",
            models.UniqueConstraint(
                fields=["registration"], condition=Q(before_hearing=True), name="suspended_before_a_hearing_once"
            ),
        ),
        migrations.AddConstraint(
            "revocation",
            models.CheckConstraint(
                condition=Q(before_hearing=False)
                | Q(kind="suspension", ends_at__lte=F("at") + datetime.timedelta(hours=72)),
                name="suspension_before_a_hearing_is_short",
            ),
        ),
        migrations.RemoveConstraint("revocation", "suspension_is_ended_by_the_clock_or_a_rule"),
        migrations.AddConstraint(
            "revocation",
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="")
                | (Q(kind="suspension", ended_at__isnull=False) & Q(ended_by__startswith="rule:"))
                | Q(kind="suspension", ended_by="clock", ended_at__isnull=False, ended_at__gte=F("ends_at"))
                | (Q(before_hearing=True, ended_at__isnull=False) & ~Q(ended_by="")),
                name="suspension_is_ended_by_the_clock_or_a_rule",
            ),
        ),
        migrations.RunSQL(GUARDS),
    ]
