"""Registrations that are taken back: with a notice that was heard, and a second officer, or not at all."""

import uuid
from typing import Any, ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import rahdari.vault.fields

GUARDS = """
CREATE FUNCTION decide_taking_back_was_heard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a decision is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - ARRAY['restored_at', 'restored_by_id', 'restored_why']
            IS DISTINCT FROM to_jsonb(OLD) - ARRAY['restored_at', 'restored_by_id', 'restored_why']
            OR OLD.restored_at IS NOT NULL THEN
            RAISE EXCEPTION 'a decision is never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM decide_notice
        WHERE id = NEW.notice_id AND case_id = NEW.case_id AND withdrawn_at IS NULL
          AND proposed_by_id = NEW.proposed_by_id
          AND (answered_at IS NOT NULL OR (ran_out_at IS NOT NULL AND answer_due_at < NEW.at))
    ) THEN
        RAISE EXCEPTION 'a registration is taken back after a notice that was answered or whose time is over'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_taking_back_was_heard BEFORE INSERT OR UPDATE OR DELETE ON decide_takingback
    FOR EACH ROW EXECUTE FUNCTION decide_taking_back_was_heard();

CREATE FUNCTION decide_evidence_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.evidence IS DISTINCT FROM OLD.evidence THEN
        RAISE EXCEPTION 'a notice and its answer are never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_evidence_stays BEFORE UPDATE OF evidence ON decide_notice
    FOR EACH ROW EXECUTE FUNCTION decide_evidence_stays();
"""
UNDO = """
DROP TRIGGER decide_evidence_stays ON decide_notice;
DROP FUNCTION decide_evidence_stays();
DROP TRIGGER decide_taking_back_was_heard ON decide_takingback;
DROP FUNCTION decide_taking_back_was_heard();
"""


def user(**facts: Any) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL, **facts
    )


class Migration(migrations.Migration):
    dependencies: ClassVar[list[Any]] = [
        ("decide", "0010_words_go_with_the_file"),
        ("register", "0012_suspended_and_restored"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations: ClassVar[list[Any]] = [
        migrations.AddField(
            model_name="notice", name="evidence", field=rahdari.vault.fields.EncryptedTextField(blank=True, default="")
        ),
        migrations.CreateModel(
            name="TakingBack",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=20)),
                ("codes", models.JSONField()),
                ("text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("decided_by", models.CharField(max_length=120)),
                ("rule_version", models.CharField(max_length=60)),
                ("at", models.DateTimeField()),
                ("appeal_until", models.DateTimeField()),
                ("restored_at", models.DateTimeField(blank=True, null=True)),
                ("restored_why", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="taken_back", to="decide.case"
                    ),
                ),
                (
                    "notice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="taking_back", to="decide.notice"
                    ),
                ),
                (
                    "registration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="taken_back",
                        to="register.registration",
                    ),
                ),
                ("proposed_by", user()),
                ("seconded_by", user()),
                ("restored_by", user(blank=True, null=True)),
            ],
            options={"ordering": ["at", "id"]},
        ),
        migrations.AddConstraint(
            "takingback",
            models.CheckConstraint(
                condition=~Q(proposed_by=F("seconded_by")) & ~Q(codes=[]) & Q(kind__in=["suspension", "striking_out"]),
                name="taking_back_has_code_and_second_officer",
            ),
        ),
        migrations.AddConstraint(
            "takingback",
            models.CheckConstraint(
                condition=Q(decided_by__startswith="officer:") | Q(decided_by__startswith="supervisor:"),
                name="rule_never_takes_back",
            ),
        ),
        migrations.RunSQL(GUARDS, UNDO),
    ]
