import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.comparison
from django.db import migrations, models

import rahdari.register.fields

GUARDS = """
CREATE OR REPLACE FUNCTION register_ended_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- An entry that has ended may be the line of others in the feed: who gets that line follows them.
    IF OLD.ended_at IS NOT NULL AND to_jsonb(NEW) - 'asns' IS DISTINCT FROM to_jsonb(OLD) - 'asns' THEN
        RAISE EXCEPTION 'entry % has ended and cannot be changed', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION register_shared_by_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line register_entry%ROWTYPE;
BEGIN
    IF NEW.shared_id IS NULL AND NEW.carrier_id IS NULL THEN
        RETURN NEW;
    END IF;
    IF NEW.kind <> 'static'
        OR NOT EXISTS (SELECT 1 FROM register_sharedblock s WHERE s.id = NEW.shared_id AND s.block = NEW.block) THEN
        RAISE EXCEPTION 'entry % does not fit the block that it shares', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    PERFORM 1 FROM register_sharer
      WHERE shared_id = NEW.shared_id AND holder = NEW.holder AND ended_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the holder of entry % is no sharer of its block', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.carrier_id IS NOT NULL THEN
        SELECT * INTO line FROM register_entry WHERE id = NEW.carrier_id;
        IF line.carrier_id IS NOT NULL OR line.shared_id IS DISTINCT FROM NEW.shared_id
            OR line.protocol <> NEW.protocol OR line.port IS DISTINCT FROM NEW.port THEN
            RAISE EXCEPTION 'entry % does not fit its line', NEW.id USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER register_shared_by_consent
    BEFORE INSERT OR UPDATE OF shared_id, carrier_id, holder, block, protocol, port, kind ON register_entry
    FOR EACH ROW EXECUTE FUNCTION register_shared_by_consent();

CREATE FUNCTION register_sharers_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.ended_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.shared_id <> OLD.shared_id
        OR NEW.holder <> OLD.holder OR NEW.origin <> OLD.origin OR NEW.since_at <> OLD.since_at THEN
        RAISE EXCEPTION 'what sharer % agreed to is not changed', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.ended_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM register_entry e
         WHERE e.shared_id = NEW.shared_id AND e.holder = NEW.holder AND e.ended_at IS NULL) THEN
        RAISE EXCEPTION 'sharer % still has entries of its block', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER register_sharers_stay BEFORE UPDATE OR DELETE ON register_sharer
    FOR EACH ROW EXECUTE FUNCTION register_sharers_stay();

CREATE FUNCTION register_shared_blocks_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a shared block stays what it is: % is refused', TG_OP USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER register_shared_blocks_stay BEFORE UPDATE OR DELETE ON register_sharedblock
    FOR EACH ROW EXECUTE FUNCTION register_shared_blocks_stay();
"""

UNDO = """
DROP TRIGGER register_shared_blocks_stay ON register_sharedblock;
DROP FUNCTION register_shared_blocks_stay();
DROP TRIGGER register_sharers_stay ON register_sharer;
DROP FUNCTION register_sharers_stay();
DROP TRIGGER register_shared_by_consent ON register_entry;
DROP FUNCTION register_shared_by_consent();
CREATE OR REPLACE FUNCTION register_ended_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL AND NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'entry % has ended and cannot be changed', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

NOT_EQUAL = django.contrib.postgres.fields.ranges.RangeOperators.NOT_EQUAL
EQUAL = django.contrib.postgres.fields.ranges.RangeOperators.EQUAL
OVERLAPS = django.contrib.postgres.fields.ranges.RangeOperators.OVERLAPS
INET = django.contrib.postgres.indexes.OpClass("block", name="inet_ops")
Coalesce = django.db.models.functions.comparison.Coalesce


class Migration(migrations.Migration):
    dependencies = [
        ("register", "0006_grace_and_moves"),
    ]

    operations = [
        migrations.CreateModel(
            name="SharedBlock",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("block", rahdari.register.fields.BlockField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Sharer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("holder", models.UUIDField()),
                ("origin", models.CharField(blank=True, max_length=120)),
                ("since_at", models.DateTimeField()),
                ("leaves_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_by", models.UUIDField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "shared",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sharers",
                        to="register.sharedblock",
                    ),
                ),
            ],
            options={"ordering": ["since_at", "id"]},
        ),
        migrations.AddField(
            model_name="entry",
            name="shared",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="register.sharedblock",
            ),
        ),
        migrations.AddField(
            model_name="entry",
            name="carrier",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="carried",
                to="register.entry",
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="about",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="register.entry",
            ),
        ),
        migrations.RemoveConstraint(model_name="entry", name="no_block_under_two_holders"),
        migrations.AddConstraint(
            model_name="entry",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                deferrable=models.Deferrable["IMMEDIATE"],
                expressions=[
                    (INET, OVERLAPS),
                    (Coalesce("shared", "holder", output_field=models.UUIDField()), NOT_EQUAL),
                ],
                name="no_block_under_two_holders",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("ended_at__isnull", True), ("shared__isnull", False)),
                deferrable=models.Deferrable["IMMEDIATE"],
                expressions=[
                    (INET, EQUAL),
                    ("protocol", EQUAL),
                    (Coalesce("port", 0), EQUAL),
                    (Coalesce("carrier", "id", output_field=models.UUIDField()), NOT_EQUAL),
                ],
                name="an_endpoint_has_one_line",
            ),
        ),
        migrations.AddIndex(
            model_name="sharer",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True), ("leaves_at__isnull", False)),
                fields=["leaves_at"],
                name="sharers_to_leave",
            ),
        ),
        migrations.AddIndex(
            model_name="sharer",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)), fields=["holder"], name="sharers_by_holder"
            ),
        ),
        migrations.AddConstraint(
            model_name="sharer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("shared", "holder"),
                name="a_holder_shares_a_block_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("leaves_at__isnull", True), ("withdrawn_by__isnull", True)),
                    models.Q(("leaves_at__isnull", False), ("withdrawn_by__isnull", False)),
                    _connector="OR",
                ),
                name="who_leaves_was_given_notice",
            ),
        ),
        migrations.RunSQL(GUARDS, UNDO),
    ]
