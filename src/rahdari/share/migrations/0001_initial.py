import uuid

import django.db.models.deletion
from django.db import migrations, models

import rahdari.register.fields
import rahdari.vault.fields

# What a request came to, and what was answered, is not changed, and no row is deleted.
GUARDS = """
CREATE FUNCTION share_answers_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'what was asked and answered about sharing stays' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.ended_at IS NOT NULL AND (NEW.state, NEW.ended_at) IS DISTINCT FROM (OLD.state, OLD.ended_at) THEN
        RAISE EXCEPTION 'request % has come to %', OLD.id, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER share_requests_stay BEFORE UPDATE OR DELETE ON share_request
    FOR EACH ROW EXECUTE FUNCTION share_answers_stay();

CREATE FUNCTION share_replies_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.answered_at IS NOT NULL THEN
        RAISE EXCEPTION 'what was answered about sharing stays' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER share_questions_stay BEFORE UPDATE OR DELETE ON share_question
    FOR EACH ROW EXECUTE FUNCTION share_replies_stay();
"""

UNDO = """
DROP TRIGGER share_questions_stay ON share_question;
DROP FUNCTION share_replies_stay();
DROP TRIGGER share_requests_stay ON share_request;
DROP FUNCTION share_answers_stay();
"""

STATES = ["waiting", "agreed", "declined", "silent", "taken_back", "void"]
REPLIES = ["waiting", "yes", "no"]


class Migration(migrations.Migration):
    initial = True

    dependencies = [("register", "0007_shared_blocks")]

    operations = [
        migrations.CreateModel(
            name="Request",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=120)),
                ("holder", models.UUIDField()),
                ("block", rahdari.register.fields.BlockField()),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("asked_by", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(choices=[(one, one) for one in STATES], default="waiting", max_length=12),
                ),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("remind_at", models.DateTimeField()),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("carried_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("forgotten_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["asked_at", "id"],
                "indexes": [
                    models.Index(fields=["subject", "asked_at"], name="requests_of_a_subject"),
                    models.Index(
                        condition=models.Q(("settled_at__isnull", True)),
                        fields=["asked_at"],
                        name="requests_unsettled",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")),
                        fields=("subject",),
                        name="one_request_of_a_subject_waits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("state", "waiting")),
                            models.Q(models.Q(("state", "waiting"), _negated=True), ("ended_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="request_came_to_something_at_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("carried_at__isnull", True), ("ended_at__isnull", False), _connector="OR"),
                        name="only_what_ended_is_carried",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Question",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("holder", models.UUIDField(db_index=True)),
                (
                    "reply",
                    models.CharField(choices=[(one, one) for one in REPLIES], default="waiting", max_length=8),
                ),
                ("asked_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answered_by", models.CharField(blank=True, max_length=120)),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="questions",
                        to="share.request",
                    ),
                ),
            ],
            options={
                "ordering": ["asked_at", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("request", "holder"), name="a_holder_is_asked_once_by_a_request"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("reply", "waiting")),
                            models.Q(models.Q(("reply", "waiting"), _negated=True), ("answered_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="reply_was_given_at_a_moment",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARDS, UNDO),
    ]
