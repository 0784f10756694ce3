"""Groups of comments that are nearly the same, and letters about answers that the worker writes. A name may be erased."""

import django.db.models.deletion
from django.db import migrations, models


GUARDS = """
CREATE OR REPLACE FUNCTION consult_comment_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may text[] := ARRAY['answer_id', 'hidden_at', 'hidden', 'hidden_by', 'appealed_at', 'reviewed_at', 'reviewed_by',
                        'like_id', 'apart_at', 'apart_by', 'answer_told_at', 'name'];
    proving text[] := ARRAY['number', 'proved_at', 'speaker_id', 'email', 'code', 'code_until', 'tries', 'part_of_id',
                            'like_id'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.proved_at IS NOT NULL THEN
            RAISE EXCEPTION 'a comment is never deleted' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.name <> OLD.name AND NEW.name <> '' THEN
            RAISE EXCEPTION 'a name is taken off, and no other one put there' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF (OLD.proved_at IS NOT NULL AND to_jsonb(NEW) - may IS DISTINCT FROM to_jsonb(OLD) - may)
           OR (OLD.proved_at IS NULL AND to_jsonb(NEW) - proving IS DISTINCT FROM to_jsonb(OLD) - proving) THEN
            RAISE EXCEPTION 'a comment is never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    IF NEW.proved_at IS NOT NULL AND NEW.email <> ''::bytea THEN
        RAISE EXCEPTION 'a comment that is proved holds no address' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.proved_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.proved_at IS NULL)
       AND EXISTS (SELECT FROM consult_draft
                   WHERE id = NEW.draft_id AND (ending <> '' OR NEW.sent_at >= closes_at)) THEN
        RAISE EXCEPTION 'comments are taken while the draft is open' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
# Of what was answered before, authors were told in that transaction.
TOLD = "UPDATE consult_comment SET answer_told_at = now() WHERE answer_id IS NOT NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("consult", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="Mark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("clause", models.CharField(blank=True, max_length=20)),
                ("value", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="comment",
            name="answer_told_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="comment",
            name="apart_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="comment",
            name="apart_by",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="comment",
            name="like",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="members",
                to="consult.comment",
            ),
        ),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(
                condition=models.Q(("answer__isnull", False), ("answer_told_at__isnull", True)),
                fields=["id"],
                name="answers_to_tell",
            ),
        ),
        migrations.AddConstraint(
            model_name="comment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("like__isnull", True),
                    models.Q(
                        ("body__isnull", True),
                        ("proved_at__isnull", False),
                        models.Q(("like", models.F("id")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="comment_is_like_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="comment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("apart_at__isnull", True), ("apart_by", "")),
                    models.Q(("apart_at__isnull", False), models.Q(("apart_by", ""), _negated=True)),
                    _connector="OR",
                ),
                name="comment_is_set_apart_by_somebody",
            ),
        ),
        migrations.AddField(
            model_name="mark",
            name="comment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="marks", to="consult.comment"
            ),
        ),
        migrations.AddField(
            model_name="mark",
            name="draft",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="consult.draft"),
        ),
        migrations.AddIndex(
            model_name="mark",
            index=models.Index(fields=["draft", "clause", "value", "id"], name="marks_of_draft"),
        ),
        migrations.RunSQL(GUARDS),
        migrations.RunSQL(TOLD),
    ]
