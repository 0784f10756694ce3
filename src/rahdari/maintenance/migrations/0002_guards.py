"""The database holds it too: work moves as `rules.MOVES` says and never back, what was announced is not deleted, its
version goes up by one, and once it runs its window and what it affects stay. A consumer's sequences begin at 0 and go
up by one, and what a consumer was told is not rewritten.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION maintenance_work_moves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moves text[] := ARRAY['draft draft', 'draft announced', 'announced announced', 'announced cancelled',
        'announced started', 'announced completed', 'started started', 'started completed', 'cancelled cancelled',
        'completed completed'];
    -- What of work that is over is still noted: that each consumer was told, and what was read of it again.
    noted text[] := ARRAY['spread_at', 'spread_version', 'own_sequence'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'draft' THEN
            RAISE EXCEPTION 'work that was announced is not deleted' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN OLD;
    END IF;
    IF NOT OLD.state || ' ' || NEW.state = ANY (moves) THEN
        RAISE EXCEPTION 'work does not move from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.id, NEW.reference, NEW.operator_id, NEW.own_id, NEW.made_at)
        IS DISTINCT FROM (OLD.id, OLD.reference, OLD.operator_id, OLD.own_id, OLD.made_at) THEN
        RAISE EXCEPTION 'whose work it is, and how it is called, stays' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.version IS DISTINCT FROM OLD.version AND NEW.version IS DISTINCT FROM coalesce(OLD.version + 1, 0) THEN
        RAISE EXCEPTION 'no version is left out' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state = 'started' AND (NEW.starts_at, NEW.ends_at, NEW.announced_at, NEW.told_at, NEW.started_at)
        IS DISTINCT FROM (OLD.starts_at, OLD.ends_at, OLD.announced_at, OLD.told_at, OLD.started_at) THEN
        RAISE EXCEPTION 'the window of work that has begun stays' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state IN ('cancelled', 'completed')
       AND to_jsonb(NEW) - noted IS DISTINCT FROM to_jsonb(OLD) - noted THEN
        RAISE EXCEPTION 'work that is over stays as it is' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER maintenance_work_moves BEFORE UPDATE OR DELETE ON maintenance_work
    FOR EACH ROW EXECUTE FUNCTION maintenance_work_moves();

CREATE FUNCTION maintenance_affected_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM maintenance_work w WHERE w.id = coalesce(NEW.work_id, OLD.work_id)
               AND w.state NOT IN ('draft', 'announced')) THEN
        RAISE EXCEPTION 'what work affects stays once it has begun' USING ERRCODE = 'check_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER maintenance_affected_stays BEFORE INSERT OR UPDATE OR DELETE ON maintenance_affected
    FOR EACH ROW EXECUTE FUNCTION maintenance_affected_stays();

CREATE FUNCTION maintenance_notice_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.told_at IS NOT NULL
           OR to_jsonb(NEW) - 'told_at' IS DISTINCT FROM to_jsonb(OLD) - 'told_at' THEN
            RAISE EXCEPTION 'a notice is never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF NEW.sequence <> (SELECT coalesce(max(sequence) + 1, 0) FROM maintenance_notice n
                           WHERE n.work_id = NEW.work_id AND n.holder = NEW.holder) THEN
        RAISE EXCEPTION 'no sequence is left out' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER maintenance_notice_follows BEFORE INSERT OR UPDATE ON maintenance_notice
    FOR EACH ROW EXECUTE FUNCTION maintenance_notice_follows();
"""


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
