"""Officers who leave a case to others. The database keeps them out of what is decided in it."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rahdari.vault.fields

GUARDS = """
CREATE FUNCTION decide_recusal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'why' IS DISTINCT FROM to_jsonb(OLD) - 'why'
       OR (NEW.why IS DISTINCT FROM OLD.why AND NOT (NEW.why = ''::bytea AND decide_is_erased(OLD.case_id))) THEN
        RAISE EXCEPTION 'a recusal is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_recusal_stays BEFORE UPDATE OR DELETE ON decide_recusal
    FOR EACH ROW EXECUTE FUNCTION decide_recusal_stays();

CREATE FUNCTION decide_recused_has_no_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM decide_recusal WHERE case_id = NEW.id AND officer_id = NEW.assigned_to_id) THEN
        RAISE EXCEPTION 'this officer is recused from the case' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_recused_has_no_case BEFORE UPDATE OF assigned_to_id ON decide_case
    FOR EACH ROW WHEN (NEW.assigned_to_id IS NOT NULL) EXECUTE FUNCTION decide_recused_has_no_case();

CREATE FUNCTION decide_recused_decides_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM decide_recusal WHERE case_id = NEW.case_id AND (
            officer_id IN (NEW.proposed_by_id, NEW.seconded_by_id)
            OR officer_id::text = split_part(NEW.decided_by, ':', 2)
        )
    ) THEN
        RAISE EXCEPTION 'this officer is recused from the case' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_recused_decides_nothing BEFORE INSERT ON decide_decision
    FOR EACH ROW EXECUTE FUNCTION decide_recused_decides_nothing();
CREATE TRIGGER decide_recused_revokes_nothing BEFORE INSERT ON decide_revocation
    FOR EACH ROW EXECUTE FUNCTION decide_recused_decides_nothing();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("decide", "0004_late_ones_counted"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Recusal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("asked_by", models.CharField(max_length=120)),
                ("why", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("at", models.DateTimeField()),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="recusals", to="decide.case"
                    ),
                ),
                (
                    "officer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("case", "officer"), name="officer_is_recused_once_from_a_case")
                ],
            },
        ),
        migrations.RunSQL(GUARDS),
    ]
