"""The database holds it too: an incident begins open and moves as the table of moves says; what happened is only added;
of whom a report is does not change. When its time of keeping is over the words go, and whose it was.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION incident_may_move(source text, target text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT source = target OR (source, target) IN (VALUES
        ('acknowledged', 'closed_by_itself'),
        ('acknowledged', 'false_alarm'),
        ('acknowledged', 'merged'),
        ('acknowledged', 'open'),
        ('acknowledged', 'resolved'),
        ('acknowledged', 'with_operator'),
        ('closed_by_itself', 'open'),
        ('closed_with_proof', 'open'),
        ('false_alarm', 'open'),
        ('open', 'acknowledged'),
        ('open', 'closed_by_itself'),
        ('open', 'false_alarm'),
        ('open', 'merged'),
        ('open', 'resolved'),
        ('open', 'with_operator'),
        ('resolved', 'closed_by_itself'),
        ('resolved', 'closed_with_proof'),
        ('resolved', 'false_alarm'),
        ('resolved', 'merged'),
        ('resolved', 'with_operator'),
        ('with_operator', 'closed_with_proof'),
        ('with_operator', 'false_alarm'),
        ('with_operator', 'merged'),
        ('with_operator', 'open'),
        ('with_operator', 'resolved'));
$$;

CREATE FUNCTION incident_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an incident is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'an incident begins open' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT incident_may_move(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'no move leads from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.id, NEW.reference, NEW.opened_at) IS DISTINCT FROM (OLD.id, OLD.reference, OLD.opened_at)
       OR (OLD.reported_at IS NOT NULL AND NEW.reported_at IS DISTINCT FROM OLD.reported_at)
       OR NEW.disputes < OLD.disputes
       OR (OLD.late_answer_at IS NOT NULL AND NEW.late_answer_at IS NULL)
       OR (OLD.late_mend_at IS NOT NULL AND NEW.late_mend_at IS NULL)
       OR (OLD.unproved_at IS NOT NULL AND NEW.unproved_at IS NULL) THEN
        RAISE EXCEPTION 'what was late or said of an incident stays' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_stays BEFORE INSERT OR UPDATE OR DELETE ON incident_incident
    FOR EACH ROW EXECUTE FUNCTION incident_stays();

CREATE FUNCTION incident_report_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may text[] := ARRAY['incident_id', 'works_at', 'withdrawn_at'];
    erased text[] := ARRAY['registration_id', 'holder', 'subject', 'block', 'runs'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a report is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF to_jsonb(NEW) - may IS DISTINCT FROM to_jsonb(OLD) - may
       AND NOT (NEW.holder IS NULL AND NEW.block IS NULL AND NEW.registration_id IS NULL AND NEW.subject = ''
                AND to_jsonb(NEW) - may - erased IS NOT DISTINCT FROM to_jsonb(OLD) - may - erased) THEN
        RAISE EXCEPTION 'a report is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_report_stays BEFORE UPDATE OR DELETE ON incident_report
    FOR EACH ROW EXECUTE FUNCTION incident_report_stays();

CREATE FUNCTION incident_happening_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.words = ''::bytea
       AND to_jsonb(NEW) - 'words' IS NOT DISTINCT FROM to_jsonb(OLD) - 'words' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'what happened is only added' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER incident_happening_stays BEFORE UPDATE OR DELETE ON incident_happening
    FOR EACH ROW EXECUTE FUNCTION incident_happening_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("incident", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
