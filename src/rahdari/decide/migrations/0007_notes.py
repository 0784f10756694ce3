"""Notes of officers about a case, and whom each is meant for. The database keeps both as they were written."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rahdari.vault.fields

GUARDS = """
CREATE FUNCTION decide_note_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT FROM decide_recusal WHERE case_id = NEW.case_id AND officer_id = NEW.author_id) THEN
            RAISE EXCEPTION 'this officer is recused from the case' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'text' IS DISTINCT FROM to_jsonb(OLD) - 'text'
       OR (NEW.text IS DISTINCT FROM OLD.text AND NOT (NEW.text = ''::bytea AND decide_is_erased(OLD.case_id))) THEN
        RAISE EXCEPTION 'a note is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_note_stays BEFORE INSERT OR UPDATE OR DELETE ON decide_note
    FOR EACH ROW EXECUTE FUNCTION decide_note_stays();

CREATE FUNCTION decide_mention_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (
            SELECT FROM decide_recusal JOIN decide_note ON decide_note.case_id = decide_recusal.case_id
            WHERE decide_note.id = NEW.note_id AND officer_id = NEW.officer_id
        ) THEN
            RAISE EXCEPTION 'this officer is recused from the case' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'seen_at' IS DISTINCT FROM to_jsonb(OLD) - 'seen_at'
       OR OLD.seen_at IS NOT NULL THEN
        RAISE EXCEPTION 'a mention is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_mention_stays BEFORE INSERT OR UPDATE OR DELETE ON decide_mention
    FOR EACH ROW EXECUTE FUNCTION decide_mention_stays();
"""
PROTECT = django.db.models.deletion.PROTECT
GROUNDS = ["other_person", "check"]


class Migration(migrations.Migration):
    dependencies = [
        ("decide", "0006_hearings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                (
                    "kept_back",
                    models.CharField(blank=True, choices=[(each, each) for each in GROUNDS], max_length=20),
                ),
                ("at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(on_delete=PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("case", models.ForeignKey(on_delete=PROTECT, related_name="notes", to="decide.case")),
            ],
            options={
                "ordering": ["at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kept_back__in", ["", *GROUNDS])), name="note_is_kept_back_by_a_ground"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Mention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("note", models.ForeignKey(on_delete=PROTECT, related_name="mentions", to="decide.note")),
                (
                    "officer",
                    models.ForeignKey(db_index=False, on_delete=PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("seen_at__isnull", True)), fields=["officer"], name="mentions_not_seen"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("note", "officer"), name="officer_is_mentioned_once_in_a_note")
                ],
            },
        ),
        migrations.RunSQL(GUARDS),
    ]
