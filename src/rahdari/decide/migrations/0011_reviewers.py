"""Somebody from outside decides one matter where nobody in the office may: for a refusal, a revocation, an appeal, a
complaint. Who had a part in a case, and whether somebody in the office could decide, is asked of the database."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import rahdari.vault.fields

GUARDS = """
-- Of whose own application the case is, or who acted for its holder in the year before it began; and who left it to
-- others.
CREATE FUNCTION decide_has_interest(which uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM decide_recusal WHERE case_id = which AND officer_id = person)
        OR EXISTS (
            SELECT FROM decide_case JOIN apply_application AS sent ON sent.id = decide_case.application_id
            WHERE decide_case.id = which AND (
                sent.applicant_id = person
                OR EXISTS (SELECT FROM people_membership
                           WHERE organisation_id = sent.organisation_id AND user_id = person)
                OR EXISTS (SELECT FROM people_mandate WHERE organisation_id = sent.organisation_id
                           AND agent_id = person
                           AND COALESCE(ended_at, valid_until) > sent.created_at - interval '365 days')
                OR EXISTS (SELECT FROM journal_journalentry
                           WHERE subject = 'organisation:' || sent.organisation_id::text
                           AND act LIKE '%.removed_member' AND detail ->> 'member' = 'person:' || person::text
                           AND at > sent.created_at - interval '365 days')
            )
        )
$$;

-- The same, and who proposed, seconded, dropped or decided anything; asked; or did anything in it that the journal
-- knows, but for reading it, and for naming somebody from outside.
CREATE FUNCTION decide_had_part(which uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT decide_has_interest(which, person)
        OR EXISTS (SELECT FROM decide_case WHERE id = which AND assigned_to_id = person)
        OR EXISTS (SELECT FROM decide_casequestion WHERE case_id = which AND asked_by_id = person)
        OR EXISTS (SELECT FROM decide_notice WHERE case_id = which AND person IN (proposed_by_id, withdrawn_by_id))
        OR EXISTS (SELECT FROM decide_decision WHERE case_id = which
                   AND (person IN (proposed_by_id, seconded_by_id) OR decided_by LIKE '%:' || person::text))
        OR EXISTS (SELECT FROM decide_revocation WHERE case_id = which
                   AND person IN (proposed_by_id, seconded_by_id, restored_by_id))
        OR EXISTS (SELECT FROM decide_case JOIN journal_journalentry
                   ON journal_journalentry.subject = 'application:' || decide_case.application_id::text
                   WHERE decide_case.id = which
                     AND journal_journalentry.actor IN ('officer:' || person::text, 'supervisor:' || person::text,
                                                        'reviewer:' || person::text)
                     AND journal_journalentry.act LIKE 'decide.%'
                     AND journal_journalentry.act NOT LIKE 'decide.read%'
                     AND journal_journalentry.act <> 'decide.named_reviewer')
$$;

-- `needs`: second | director (a proposal), appeal (a supervisor or a Director without a part), complaint (an officer
-- without a part).
CREATE FUNCTION decide_somebody_could(which uuid, besides uuid[], needs text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM people_roleassignment AS post JOIN people_user ON people_user.id = post.user_id
        WHERE post.ended_at IS NULL AND people_user.is_active AND post.role IN ('officer', 'supervisor')
          AND NOT (post.user_id = ANY (besides))
          AND CASE needs WHEN 'director' THEN post.rank = 'director'
                         WHEN 'appeal' THEN post.role = 'supervisor' OR post.rank = 'director'
                         ELSE true END
          AND NOT CASE WHEN which IS NULL THEN false
                       WHEN needs IN ('appeal', 'complaint') THEN decide_had_part(which, post.user_id)
                       ELSE decide_has_interest(which, post.user_id) END
    )
$$;

-- Whether somebody may decide such a matter now, by the post that they hold or because they were named for it.
CREATE FUNCTION decide_may(person uuid, needs text, what text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM people_roleassignment AS post
        WHERE post.user_id = person AND post.ended_at IS NULL AND post.role IN ('officer', 'supervisor')
          AND CASE needs WHEN 'director' THEN post.rank = 'director'
                         WHEN 'appeal' THEN post.role = 'supervisor' OR post.rank = 'director'
                         ELSE true END
    ) OR EXISTS (SELECT FROM decide_reviewer WHERE matter = what AND user_id = person AND ended_at IS NULL)
$$;

CREATE FUNCTION decide_reviewer_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - ARRAY['who', 'ended_at'] IS DISTINCT FROM to_jsonb(OLD) - ARRAY['who', 'ended_at']
       OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
       OR (NEW.who IS DISTINCT FROM OLD.who
           AND NOT (NEW.who = ''::bytea AND (OLD.case_id IS NULL OR decide_is_erased(OLD.case_id)))) THEN
        RAISE EXCEPTION 'who was named as a reviewer stays' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_reviewer_stays BEFORE UPDATE OR DELETE ON decide_reviewer
    FOR EACH ROW EXECUTE FUNCTION decide_reviewer_stays();

CREATE FUNCTION decide_reviewer_is_needed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    proposal decide_notice%ROWTYPE;
    besides uuid[] := '{}';
BEGIN
    IF NEW.user_id = NEW.named_by_id OR NOT EXISTS (
        SELECT FROM people_roleassignment
        WHERE user_id = NEW.named_by_id AND role = 'supervisor' AND ended_at IS NULL
    ) THEN
        RAISE EXCEPTION 'a supervisor names a reviewer from outside' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.case_id IS NOT NULL AND decide_had_part(NEW.case_id, NEW.user_id) THEN
        RAISE EXCEPTION 'who had a part in the case does not decide it' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.needs IN ('second', 'director') THEN
        SELECT * INTO proposal FROM decide_notice WHERE 'notice:' || id::text = NEW.matter AND case_id = NEW.case_id
            AND withdrawn_at IS NULL AND concluded_at IS NULL;
        IF NOT FOUND OR NEW.needs <> (CASE proposal.rank WHEN 'director' THEN 'director' ELSE 'second' END) THEN
            RAISE EXCEPTION 'a reviewer decides a proposal that stands' USING ERRCODE = 'check_violation';
        END IF;
        besides := ARRAY[proposal.proposed_by_id];
    END IF;
    -- Of a complaint its own room looks, which knows who sent it.
    IF NEW.needs <> 'complaint' AND decide_somebody_could(NEW.case_id, besides, NEW.needs) THEN
        RAISE EXCEPTION 'somebody in the office could decide it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_reviewer_is_needed BEFORE INSERT ON decide_reviewer
    FOR EACH ROW EXECUTE FUNCTION decide_reviewer_is_needed();

-- Who decides as the second one holds the post and the rank for it now, or was named for this proposal.
CREATE FUNCTION decide_second_may() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    needed text := COALESCE((SELECT rank FROM decide_notice WHERE id = NEW.notice_id), '');
BEGIN
    IF NOT decide_may(NEW.seconded_by_id, CASE needed WHEN '' THEN 'second' ELSE needed END,
                      'notice:' || NEW.notice_id::text)
       OR decide_has_interest(NEW.case_id, NEW.seconded_by_id) THEN
        RAISE EXCEPTION 'the second officer holds no post for this, or has a part in it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_second_may BEFORE INSERT ON decide_decision FOR EACH ROW
    WHEN (NEW.seconded_by_id IS NOT NULL) EXECUTE FUNCTION decide_second_may();
CREATE TRIGGER decide_second_may BEFORE INSERT ON decide_revocation
    FOR EACH ROW EXECUTE FUNCTION decide_second_may();

CREATE FUNCTION decide_notice_rank_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a notice and its answer are never rewritten' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER decide_notice_rank_stays BEFORE UPDATE OF rank ON decide_notice FOR EACH ROW
    WHEN (NEW.rank IS DISTINCT FROM OLD.rank) EXECUTE FUNCTION decide_notice_rank_stays();
"""
PROTECT = django.db.models.deletion.PROTECT
TO_USER = settings.AUTH_USER_MODEL
NEEDS = ["second", "director", "appeal", "complaint"]


class Migration(migrations.Migration):
    dependencies = [
        ("decide", "0010_marks_of_a_case"),
        ("journal", "__first__"),
        migrations.swappable_dependency(TO_USER),
    ]

    operations = [
        migrations.AddField("notice", "rank", models.CharField(blank=True, default="", max_length=10)),
        migrations.CreateModel(
            name="Reviewer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("matter", models.CharField(max_length=60)),
                ("needs", models.CharField(choices=[(each, each) for each in NEEDS], max_length=10)),
                ("who", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "case",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=PROTECT, related_name="reviewers", to="decide.case"
                    ),
                ),
                ("named_by", models.ForeignKey(on_delete=PROTECT, related_name="+", to=TO_USER)),
                ("user", models.ForeignKey(on_delete=PROTECT, related_name="+", to=TO_USER)),
            ],
            options={
                "ordering": ["at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("matter",), condition=Q(ended_at__isnull=True), name="matter_has_one_reviewer"
                    ),
                ],
                "indexes": [
                    models.Index(fields=["user"], condition=Q(ended_at__isnull=True), name="reviewers_now"),
                    models.Index(fields=["at"], name="reviewers_named"),
                ],
            },
        ),
        migrations.RemoveConstraint("revocation", "rule_never_revokes"),
        migrations.AddConstraint(
            "revocation",
            models.CheckConstraint(
                condition=Q(decided_by__startswith="officer:")
                | Q(decided_by__startswith="supervisor:")
                | Q(decided_by__startswith="reviewer:"),
                name="rule_never_revokes",
            ),
        ),
        migrations.RunSQL(GUARDS),
    ]
