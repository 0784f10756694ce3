"""A registration may be suspended and resumed, and what was struck out may be restored: only then does an entry that
has ended begin again."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q

GUARD = """
CREATE OR REPLACE FUNCTION register_ended_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- An entry that has ended may be the line of others in the feed: who gets that line follows them.
    free text[] := ARRAY['asns'];
    back text[] := ARRAY['ended_at', 'end_reason', 'shared_id', 'carrier_id'];
BEGIN
    -- With its registration, which was struck out and stands again, and in no other way.
    IF OLD.end_reason = 'strike_out' AND OLD.ended_at IS NOT NULL AND NEW.ended_at IS NULL
        AND to_jsonb(NEW) - back IS NOT DISTINCT FROM to_jsonb(OLD) - back
        AND EXISTS (
            SELECT 1 FROM register_registration
            WHERE id = NEW.registration_id AND struck_out_at IS NULL AND expired_at IS NULL
        )
    THEN
        RETURN NEW;
    END IF;
    IF NEW.origin LIKE 'forgotten:%' THEN
        free := free || ARRAY['holder', 'origin'];
    END IF;
    IF OLD.ended_at IS NOT NULL AND to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'entry % has ended and cannot be changed', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("register", "0011_holders_forgotten")]
    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        migrations.AddField(
            "registration",
            "struck_out_by",
            models.CharField(blank=True, default="", max_length=120),
            preserve_default=False,
        ),
        migrations.AddField("registration", "suspended_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "registration",
            "suspended_code",
            models.CharField(blank=True, default="", max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            "registration",
            "suspended_by",
            models.CharField(blank=True, default="", max_length=120),
            preserve_default=False,
        ),
        migrations.AddField("registration", "suspended_until", models.DateTimeField(blank=True, null=True)),
        migrations.AddIndex(
            "registration",
            models.Index(
                condition=Q(("suspended_until__isnull", False)), fields=["suspended_until"], name="registration_resumes"
            ),
        ),
        migrations.AddConstraint(
            "registration",
            models.CheckConstraint(
                condition=Q(suspended_at__isnull=True, suspended_code="", suspended_by="", suspended_until__isnull=True)
                | (Q(suspended_at__isnull=False) & ~Q(suspended_code="") & ~Q(suspended_by="")),
                name="suspended_for_a_code_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            "registration",
            models.CheckConstraint(
                condition=~Q(struck_out_by__startswith="rule:") & ~Q(suspended_by__startswith="rule:"),
                name="rule_never_suspends_or_strikes_out",
            ),
        ),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
