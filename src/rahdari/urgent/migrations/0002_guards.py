"""Two officers are two persons, neither is the holder, and what was given is never rewritten."""

from django.db import migrations

GUARDS = """
-- Two accounts are one person for whoever must not be one: the same account, mobile number, or card in their own
-- applications. The names of people are encrypted, and no ground.
CREATE FUNCTION urgent_are_one(one uuid, other uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT one = other
        OR EXISTS (
            SELECT FROM sms_contactnumber a JOIN sms_contactnumber b ON b.index = a.index
            WHERE a.person = one AND b.person = other AND a.index <> ''
        )
        OR EXISTS (
            SELECT FROM apply_application a JOIN apply_application b ON b.cnic_index = a.cnic_index
            WHERE a.applicant_id = one AND b.applicant_id = other AND a.cnic_index <> ''
            AND a.organisation_id IS NULL AND b.organisation_id IS NULL
        )
$$;

-- Whether an officer is, or acts for, the holder, or is whoever has the number.
CREATE FUNCTION urgent_is_theirs(officer uuid, whose uuid, caller uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT (caller IS NOT NULL AND urgent_are_one(officer, caller))
        OR EXISTS (SELECT FROM people_user WHERE id = officer AND holder_ref = whose)
        OR EXISTS (
            SELECT FROM people_membership m JOIN people_organisation o ON o.id = m.organisation_id
            WHERE m.user_id = officer AND o.holder_ref = whose
        )
        OR EXISTS (
            SELECT FROM people_mandate m JOIN people_organisation o ON o.id = m.organisation_id
            WHERE m.agent_id = officer AND o.holder_ref = whose AND m.ended_at IS NULL
        )
$$;

CREATE FUNCTION urgent_in_office(officer uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM people_roleassignment p JOIN people_user u ON u.id = p.user_id
        WHERE p.user_id = officer AND p.role IN ('officer', 'supervisor') AND p.ended_at IS NULL AND u.is_active
    )
$$;

CREATE FUNCTION urgent_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.given_at IS NOT NULL OR NEW.seconded_by_id IS NOT NULL OR NEW.state <> 'asked' THEN
        RAISE EXCEPTION 'an urgent entry begins with the question who asks' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.opened_by_id IS NOT NULL AND (
        NOT urgent_in_office(NEW.opened_by_id) OR urgent_is_theirs(NEW.opened_by_id, NEW.holder, NEW.person_id)
    ) THEN
        RAISE EXCEPTION 'only an officer who is not the holder opens one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER urgent_begins BEFORE INSERT ON urgent_urgententry FOR EACH ROW EXECUTE FUNCTION urgent_begins();

CREATE FUNCTION urgent_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an urgent entry stays on record' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.seconded_by_id IS DISTINCT FROM OLD.seconded_by_id AND (
        OLD.seconded_by_id IS NOT NULL OR NOT urgent_in_office(NEW.seconded_by_id)
        OR urgent_are_one(NEW.seconded_by_id, OLD.opened_by_id)
        OR urgent_is_theirs(NEW.seconded_by_id, OLD.holder, OLD.person_id)
    ) THEN
        RAISE EXCEPTION 'the second officer is another person, and not the holder' USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.registration_id, NEW.way, NEW.opened_by_id, NEW.asked_at, coalesce(NEW.cut_off_id, OLD.cut_off_id))
        IS DISTINCT FROM (OLD.registration_id, OLD.way, OLD.opened_by_id, OLD.asked_at, OLD.cut_off_id) THEN
        RAISE EXCEPTION 'urgent entry % is not another', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.given_at IS NOT NULL AND (
        NEW.given_at, NEW.until, coalesce(NEW.entry_id, OLD.entry_id), NEW.known_at, NEW.seconded_by_id
    ) IS DISTINCT FROM (OLD.given_at, OLD.until, OLD.entry_id, OLD.known_at, OLD.seconded_by_id) THEN
        RAISE EXCEPTION 'what urgent entry % gave stays', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    -- Of one that is closed nothing changes but whose it was, when the register forgets that.
    IF OLD.closed_at IS NOT NULL AND (NEW.state, NEW.closed_at, NEW.why, NEW.given_at)
        IS DISTINCT FROM (OLD.state, OLD.closed_at, OLD.why, OLD.given_at) THEN
        RAISE EXCEPTION 'urgent entry % is closed', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER urgent_stays BEFORE UPDATE OR DELETE ON urgent_urgententry
    FOR EACH ROW EXECUTE FUNCTION urgent_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("urgent", "0001_initial"), ("sms", "0001_initial"), ("apply", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
