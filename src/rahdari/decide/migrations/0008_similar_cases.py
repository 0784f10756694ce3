"""What was in the way is kept on each case that an officer decided, so that similar ones are found."""

from django.db import migrations, models

LIKENESS = """
CREATE FUNCTION decide_likeness(which uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT left(service || ':' || coalesce((
        SELECT string_agg(kind, ',' ORDER BY kind COLLATE "C") FROM (
            SELECT DISTINCT kind FROM checks_check
            WHERE subject = 'application:' || which AND required AND (outcome <> 'passed' OR finding = 'by_hand')
        ) AS in_the_way
    ), ''), 300) FROM apply_application WHERE id = which
$$;

UPDATE decide_case SET likeness = decide_likeness(application_id) WHERE status = 'decided' AND lane = 'review';

CREATE FUNCTION decide_case_keeps_likeness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'decided' OR NEW.lane <> 'review' THEN
        NEW.likeness := '';
    ELSIF OLD.status = 'decided' THEN
        NEW.likeness := OLD.likeness;
    ELSE
        NEW.likeness := decide_likeness(NEW.application_id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_case_keeps_likeness BEFORE UPDATE ON decide_case
    FOR EACH ROW EXECUTE FUNCTION decide_case_keeps_likeness();
"""


class Migration(migrations.Migration):
    dependencies = [("decide", "0007_notes"), ("checks", "0002_guards")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="likeness",
            field=models.CharField(blank=True, editable=False, default="", max_length=300),
            preserve_default=False,
        ),
        migrations.RunSQL(LIKENESS),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                fields=["likeness", "-decided_at", "-id"],
                condition=models.Q(("status", "decided"), models.Q(("likeness", ""), _negated=True)),
                name="cases_by_likeness",
            ),
        ),
    ]
