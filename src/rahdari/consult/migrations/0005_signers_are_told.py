"""Who signed a comment is told what became of it, by its number; an index finds them in that order."""

import django.db.models.deletion
from django.db import migrations, models


GUARDS = """
CREATE OR REPLACE FUNCTION consult_comment_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may text[] := ARRAY['answer_id', 'hidden_at', 'hidden', 'hidden_by', 'appealed_at', 'reviewed_at', 'reviewed_by',
                        'like_id', 'apart_at', 'apart_by', 'answer_told_at', 'name', 'signers_told'];
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


class Migration(migrations.Migration):
    dependencies = [
        ("consult", "0004_name_claims"),
    ]

    operations = [
        migrations.AddField(
            model_name="comment",
            name="signers_told",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="comment",
            name="part_of",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="signatures",
                to="consult.comment",
            ),
        ),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(
                condition=models.Q(("part_of__isnull", False)), fields=["part_of", "number"], name="signatures_of"
            ),
        ),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(
                condition=models.Q(("signers_told__isnull", False)), fields=["id"], name="signers_to_tell"
            ),
        ),
        migrations.RunSQL(GUARDS),
    ]
