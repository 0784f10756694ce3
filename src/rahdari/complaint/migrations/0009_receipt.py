"""The sender has a number of their own, and the holder of a name is asked when whoever decides has seen whose it is."""

from django.db import migrations, models

import rahdari.complaint.models

GUARDS = """
CREATE OR REPLACE FUNCTION complaint_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- What may still change once it was received, and once it was decided.
    heard text[] := ARRAY['answer', 'answered_at', 'lapsed_at', 'decided_at', 'decided_by_id', 'outcome', 'why',
        'contested_at', 'taken_back_at', 'overdue_at'];
    after text[] := ARRAY['told_at', 'notice_id'];
    erased text[] := ARRAY['target', 'words', 'email', 'public_body', 'body_reference', 'answer', 'why', 'sender_id',
        'registration_id', 'case_id', 'part_of_id', 'notice_id', 'erased_at'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.received_at IS NOT NULL THEN
            RAISE EXCEPTION 'a complaint that was received is never deleted' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.looked_up_at IS NULL THEN
            heard := ARRAY['files_until', 'looked_up_at', 'registration_id', 'case_id', 'part_of_id'];
        ELSIF OLD.about = 'name' AND OLD.registration_id IS NULL AND NEW.registration_id IS NOT NULL THEN
            heard := ARRAY['registration_id', 'case_id', 'part_of_id', 'answer_due_at'];
        END IF;
        IF OLD.decided_at IS NOT NULL AND OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL
           AND to_jsonb(NEW) - erased IS NOT DISTINCT FROM to_jsonb(OLD) - erased
           AND NEW.words = ''::bytea AND NEW.target = ''::bytea AND NEW.email = ''::bytea AND NEW.answer = ''::bytea
           AND NEW.case_id IS NULL AND NEW.registration_id IS NULL AND NEW.sender_id IS NULL THEN
            RETURN NEW;
        END IF;
        IF (OLD.received_at IS NOT NULL AND OLD.decided_at IS NULL
                AND to_jsonb(NEW) - heard IS DISTINCT FROM to_jsonb(OLD) - heard)
           OR (OLD.decided_at IS NOT NULL AND to_jsonb(NEW) - after IS DISTINCT FROM to_jsonb(OLD) - after)
           OR (OLD.answered_at IS NOT NULL AND (NEW.answer, NEW.answered_at)
                IS DISTINCT FROM (OLD.answer, OLD.answered_at))
           OR (OLD.told_at IS NOT NULL AND NEW.told_at IS DISTINCT FROM OLD.told_at)
           OR (OLD.notice_id IS NOT NULL AND NEW.notice_id IS DISTINCT FROM OLD.notice_id)
           OR (NEW.id, NEW.reference, NEW.receipt, NEW.kind, NEW.about, NEW.target, NEW.words, NEW.sent_at)
                IS DISTINCT FROM
                (OLD.id, OLD.reference, OLD.receipt, OLD.kind, OLD.about, OLD.target, OLD.words, OLD.sent_at) THEN
            RAISE EXCEPTION 'a complaint is never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    IF NEW.decided_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.decided_at IS NULL) THEN
        IF NEW.looked_up_at IS NULL THEN
            RAISE EXCEPTION 'a complaint is looked up before it is decided' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.decided_by_id = NEW.sender_id
           OR (NEW.case_id IS NOT NULL AND appeal_had_part(NEW.case_id, NEW.decided_by_id)) THEN
            RAISE EXCEPTION 'who had a part in it does not decide a complaint' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.case_id IS NOT NULL AND NEW.part_of_id IS NULL AND NEW.answered_at IS NULL AND NEW.lapsed_at IS NULL THEN
            RAISE EXCEPTION 'the holder is heard before a complaint is decided' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.outcome = 'founded' AND NEW.case_id IS NULL THEN
            RAISE EXCEPTION 'nothing is registered of which this could be true' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.files_until > NEW.looked_up_at THEN
        RAISE EXCEPTION 'nobody is asked while files may still come' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
# Links that were sent go on working: until now there was one number for both.
AS_BEFORE = """
ALTER TABLE complaint_complaint DISABLE TRIGGER complaint_stays;
UPDATE complaint_complaint SET receipt = reference;
ALTER TABLE complaint_complaint ENABLE TRIGGER complaint_stays;
"""


class Migration(migrations.Migration):
    dependencies = [("complaint", "0008_taken_back")]

    operations = [
        migrations.AddField("complaint", "receipt", models.CharField(max_length=11, default="")),
        migrations.RunSQL(AS_BEFORE),
        migrations.AlterField(
            "complaint",
            "receipt",
            models.CharField(max_length=11, unique=True, default=rahdari.complaint.models.make_reference),
        ),
        migrations.RunSQL(GUARDS),
    ]
