"""What queues of the policy go by is kept on each open case in words: kinds of check that failed or wait (the database
writes them, with each answer) and what became of it before (`queue_columns`); and the number of its addresses.

The two marks that the queue had of all checks together are read from these words.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rahdari.vault.fields

MARKS = """
CREATE FUNCTION decide_marks_of_checks(of text) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(DISTINCT outcome || ':' || kind), '{}') FROM checks_check
    WHERE subject = of AND (outcome = 'waiting' OR (outcome = 'failed' AND required))
$$;
CREATE OR REPLACE FUNCTION decide_case_marks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'open' THEN
        NEW.marks := coalesce((
            SELECT string_agg(word, ' ' ORDER BY word COLLATE "C") FROM (
                SELECT word FROM unnest(string_to_array(NEW.marks, ' ')) AS word WHERE word <> '' AND word !~ ':'
                UNION SELECT unnest(decide_marks_of_checks('application:' || NEW.application_id))
            ) AS words
        ), '');
    ELSE
        NEW.marks := '';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION decide_check_marks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept decide_case;
BEGIN
    SELECT * INTO kept FROM decide_case
    WHERE application_id = substr(NEW.subject, length('application:') + 1)::uuid AND status = 'open'
    FOR NO KEY UPDATE;
    -- Two answers at once: the second to get here sees the first.
    IF FOUND AND decide_marks_of_checks(NEW.subject) IS DISTINCT FROM (
        SELECT coalesce(array_agg(word ORDER BY word), '{}') FROM unnest(string_to_array(kept.marks, ' ')) AS word
        WHERE word ~ ':'
    ) THEN
        UPDATE decide_case SET status = status WHERE id = kept.id;
    END IF;
    RETURN NULL;
END $$;
"""
CASCADE = django.db.models.deletion.CASCADE
OPEN = models.Q(("status", "open"))


class Migration(migrations.Migration):
    dependencies = [
        ("decide", "0009_before_hearing"),
        ("checks", "0002_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("case", "marks", models.TextField(blank=True, default="", editable=False)),
        migrations.AddField("case", "addresses", models.PositiveSmallIntegerField(default=0)),
        migrations.RunSQL(MARKS),
        migrations.RemoveIndex("case", "cases_by_due_time"),
        migrations.RemoveIndex("case", "cases_filtered"),
        migrations.RemoveField("case", "has_failed"),
        migrations.RemoveField("case", "has_waiting"),
        # Each is marked by the trigger; what became of it before is written by the next round of the workflow.
        migrations.RunSQL("UPDATE decide_case SET status = status WHERE status = 'open'"),
        migrations.AddIndex(
            "case",
            models.Index(
                models.OrderBy(models.F("due_at"), nulls_first=True),
                models.F("started_at"),
                models.F("id"),
                condition=OPEN,
                include=("waits_for", "late_at", "assigned_to", "application", "service", "marks", "addresses"),
                name="cases_by_due_time",
            ),
        ),
        migrations.AddIndex(
            "case",
            models.Index(
                condition=OPEN,
                fields=["marks", "waits_for", "service", "addresses", "assigned_to", "late_at", "due_at"],
                name="cases_marked",
            ),
        ),
        migrations.CreateModel(
            "SavedView",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("view", models.CharField(blank=True, max_length=60)),
                ("service", models.CharField(blank=True, max_length=60)),
                ("checks", models.CharField(blank=True, max_length=60)),
                ("who", models.CharField(blank=True, max_length=60)),
                ("queue", models.CharField(blank=True, max_length=60)),
                (
                    "officer",
                    models.ForeignKey(on_delete=CASCADE, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
        ),
    ]
