"""What the queue filters and counts by is kept on each open case: also what only the checks know.

Each answer of a check marks its case, in the transaction of the answer, whoever writes it. Whoever has a case locked and
then writes checks locks these first (`checks.checking.lock`), for the mark is made with the check locked.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

MARKS = """
CREATE FUNCTION decide_case_marks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of text := 'application:' || NEW.application_id;
BEGIN
    NEW.has_failed := NEW.status = 'open' AND EXISTS (
        SELECT FROM checks_check WHERE subject = of AND outcome = 'failed' AND required
    );
    NEW.has_waiting := NEW.status = 'open' AND EXISTS (
        SELECT FROM checks_check WHERE subject = of AND outcome = 'waiting'
    );
    RETURN NEW;
END $$;
CREATE TRIGGER decide_case_marks BEFORE INSERT OR UPDATE ON decide_case
    FOR EACH ROW EXECUTE FUNCTION decide_case_marks();

CREATE FUNCTION decide_check_marks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept decide_case;
BEGIN
    SELECT * INTO kept FROM decide_case
    WHERE application_id = substr(NEW.subject, length('application:') + 1)::uuid AND status = 'open'
    FOR NO KEY UPDATE;
    -- Two answers at once: the second to get here sees the first.
    IF FOUND AND (kept.has_failed, kept.has_waiting) IS DISTINCT FROM (
        EXISTS (SELECT FROM checks_check WHERE subject = NEW.subject AND outcome = 'failed' AND required),
        EXISTS (SELECT FROM checks_check WHERE subject = NEW.subject AND outcome = 'waiting')
    ) THEN
        UPDATE decide_case SET status = status WHERE id = kept.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER decide_check_marks AFTER INSERT ON checks_check
    FOR EACH ROW WHEN (NEW.subject LIKE 'application:%') EXECUTE FUNCTION decide_check_marks();
CREATE TRIGGER decide_answer_marks AFTER UPDATE ON checks_check
    FOR EACH ROW WHEN (NEW.subject LIKE 'application:%' AND (NEW.outcome, NEW.required) <> (OLD.outcome, OLD.required))
    EXECUTE FUNCTION decide_check_marks();

UPDATE decide_case SET status = status WHERE status = 'open';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("apply", "0002_guards"),
        ("decide", "0002_guards"),
        ("checks", "0002_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="case",
            name="cases_by_due_time",
        ),
        migrations.RemoveIndex(
            model_name="case",
            name="cases_counted",
        ),
        migrations.AddField(
            model_name="case",
            name="has_failed",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="case",
            name="has_waiting",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="case",
            name="proposed_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="second_rank",
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name="case",
            name="service",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.RunSQL(MARKS),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.OrderBy(models.F("due_at"), nulls_first=True),
                models.F("started_at"),
                models.F("id"),
                condition=models.Q(("status", "open")),
                include=("waits_for", "late_at", "assigned_to", "application", "service", "has_failed", "has_waiting"),
                name="cases_by_due_time",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["waits_for", "late_at"], name="cases_counted"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("status", "open")),
                fields=["waits_for", "has_failed", "has_waiting", "service", "assigned_to"],
                name="cases_filtered",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("proposed_by__isnull", False), ("status", "open")),
                fields=["waits_for"],
                include=("proposed_by", "second_rank", "application"),
                name="cases_proposed",
            ),
        ),
    ]
