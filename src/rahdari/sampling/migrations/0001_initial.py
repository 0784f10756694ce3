"""Decisions that are looked at again. The database keeps out whoever had a part in them."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rahdari.vault.fields

GUARDS = """
CREATE FUNCTION sampling_look_is_apart() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newcomers uuid[] := ARRAY[NEW.taken_by_id, NEW.closed_by_id];
    found record;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        newcomers := ARRAY[
            CASE WHEN NEW.taken_by_id IS DISTINCT FROM OLD.taken_by_id THEN NEW.taken_by_id END,
            CASE WHEN NEW.closed_by_id IS DISTINCT FROM OLD.closed_by_id THEN NEW.closed_by_id END
        ];
    END IF;
    SELECT decision.decided_by, decision.proposed_by_id, decision.seconded_by_id, decided.id AS case_id,
           decided.assigned_to_id, application.applicant_id
    INTO found
    FROM decide_decision decision
    JOIN decide_case decided ON decided.id = decision.case_id
    JOIN apply_application application ON application.id = decided.application_id
    WHERE decision.id = NEW.decision_id;
    IF found.proposed_by_id = ANY(newcomers) OR found.seconded_by_id = ANY(newcomers)
       OR found.assigned_to_id = ANY(newcomers) OR found.applicant_id = ANY(newcomers)
       OR split_part(found.decided_by, ':', 2) = ANY(newcomers::text[])
       OR EXISTS (SELECT FROM decide_recusal WHERE case_id = found.case_id AND officer_id = ANY(newcomers)) THEN
        RAISE EXCEPTION 'whoever had a part in a decision does not look at it again' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sampling_look_is_apart BEFORE INSERT OR UPDATE ON sampling_secondlook
    FOR EACH ROW EXECUTE FUNCTION sampling_look_is_apart();

-- Empty words may take the place of any, once the application was erased.
CREATE FUNCTION sampling_look_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    erased boolean;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a second look is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT decide_is_erased(case_id) INTO erased FROM decide_decision WHERE id = OLD.decision_id;
    IF (NEW.id, NEW.decision_id, NEW.by_rule, NEW.drawn_at)
        IS DISTINCT FROM (OLD.id, OLD.decision_id, OLD.by_rule, OLD.drawn_at)
       OR (OLD.looked_at IS NOT NULL AND (
            (NEW.taken_by_id, NEW.taken_at, NEW.looked_at, NEW.verdict, NEW.codes, NEW.agrees)
            IS DISTINCT FROM (OLD.taken_by_id, OLD.taken_at, OLD.looked_at, OLD.verdict, OLD.codes, OLD.agrees)
            OR (NEW.text IS DISTINCT FROM OLD.text AND NOT (NEW.text = ''::bytea AND erased))))
       OR (OLD.closed_at IS NOT NULL AND (
            (NEW.closed_by_id, NEW.closed_at, NEW.closed_as)
            IS DISTINCT FROM (OLD.closed_by_id, OLD.closed_at, OLD.closed_as)
            OR (NEW.closed_text IS DISTINCT FROM OLD.closed_text AND NOT (NEW.closed_text = ''::bytea AND erased))))
    THEN
        RAISE EXCEPTION 'a second look is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sampling_look_stays BEFORE UPDATE OR DELETE ON sampling_secondlook
    FOR EACH ROW EXECUTE FUNCTION sampling_look_stays();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("decide", "0005_recusals"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DrawnUpTo",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("row", models.BigIntegerField()),
                ("month", models.DateField()),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="drawn_up_to_is_one_row")],
            },
        ),
        migrations.CreateModel(
            name="SecondLook",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("by_rule", models.BooleanField()),
                ("drawn_at", models.DateTimeField()),
                ("taken_at", models.DateTimeField(blank=True, null=True)),
                ("looked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[("grant", "grant"), ("ask", "ask"), ("refuse", "refuse")],
                        max_length=8,
                    ),
                ),
                ("codes", models.JSONField(default=list)),
                ("text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("agrees", models.BooleanField(null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_as",
                    models.CharField(
                        blank=True,
                        choices=[("stays", "stays"), ("revokes", "revokes"), ("anew", "anew")],
                        max_length=8,
                    ),
                ),
                ("closed_text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="decide.decision"
                    ),
                ),
                (
                    "taken_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["drawn_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("looked_at__isnull", True)),
                        fields=["drawn_at", "id"],
                        name="second_looks_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("agrees", False), ("closed_at__isnull", True)),
                        fields=["looked_at", "id"],
                        name="disagreements_open",
                    ),
                    models.Index(
                        condition=models.Q(("looked_at__isnull", False)),
                        fields=["looked_at"],
                        include=["by_rule", "agrees"],
                        name="second_looks_counted",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("taken_at__isnull", True), ("taken_by__isnull", True)),
                            models.Q(("taken_at__isnull", False), ("taken_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="second_look_is_taken_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("agrees__isnull", True), ("looked_at__isnull", True), ("verdict", "")),
                            models.Q(
                                ("agrees__isnull", False),
                                ("looked_at__isnull", False),
                                ("taken_by__isnull", False),
                                models.Q(("verdict", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="second_look_has_a_verdict",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_as", ""), ("closed_at__isnull", True), ("closed_by__isnull", True)),
                            models.Q(
                                ("agrees", False),
                                ("closed_at__isnull", False),
                                ("closed_by__isnull", False),
                                models.Q(("closed_as", ""), _negated=True),
                                models.Q(("closed_by", models.F("taken_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="disagreement_is_closed_by_another",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARDS),
    ]
