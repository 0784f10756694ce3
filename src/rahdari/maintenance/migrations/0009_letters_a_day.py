"""Of one announcer a holder gets so many letters a day. What is beyond is gathered into one, which is noted once."""

from django.db import migrations, models

FOLLOWS = """
CREATE OR REPLACE FUNCTION maintenance_notice_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told text[] := ARRAY['told_at', 'letter_on', 'letter_number', 'is_gathered'];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.told_at IS NULL THEN
            IF to_jsonb(NEW) - told IS DISTINCT FROM to_jsonb(OLD) - told THEN
                RAISE EXCEPTION 'a notice is never rewritten' USING ERRCODE = 'insufficient_privilege';
            END IF;
        ELSIF OLD.gathered_at IS NOT NULL
           OR to_jsonb(NEW) - 'gathered_at' IS DISTINCT FROM to_jsonb(OLD) - 'gathered_at' THEN
            RAISE EXCEPTION 'a notice is never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF NEW.sequence <> (SELECT coalesce(max(sequence) + 1, 0) FROM maintenance_notice n
                           WHERE n.work_id = NEW.work_id AND n.holder = NEW.holder) THEN
        RAISE EXCEPTION 'no sequence is left out' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0008_wordings")]

    operations = [
        migrations.AddField("notice", "announcer", models.CharField(blank=True, default="", max_length=60), False),
        migrations.AddField("notice", "letter_on", models.DateField(blank=True, null=True)),
        migrations.AddField("notice", "letter_number", models.PositiveSmallIntegerField(blank=True, null=True)),
        migrations.AddField("notice", "is_gathered", models.BooleanField(default=False)),
        migrations.AddField("notice", "gathered_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddConstraint(
            "notice",
            models.UniqueConstraint(
                fields=("holder", "announcer", "letter_on", "letter_number"), name="a_letter_of_a_day_once"
            ),
        ),
        migrations.AddConstraint(
            "notice",
            models.CheckConstraint(
                condition=models.Q(
                    ("letter_number__isnull", True),
                    ("letter_on__isnull", True),
                )
                | models.Q(
                    ("is_gathered", False),
                    ("letter_number__range", (1, 5)),
                    ("letter_on__isnull", False),
                ),
                name="an_announcer_has_so_many_letters_a_day",
            ),
        ),
        migrations.AddConstraint(
            "notice",
            models.CheckConstraint(
                condition=models.Q(("gathered_at__isnull", True), ("is_gathered", True), _connector="OR"),
                name="what_was_gathered_waited_for_it",
            ),
        ),
        migrations.AddIndex(
            "notice",
            models.Index(
                condition=models.Q(("is_gathered", True)),
                fields=["registration", "-gathered_at"],
                name="notices_gathered",
            ),
        ),
        migrations.RunSQL(FOLLOWS),
    ]
