"""Whoever has two accounts is one person: to propose and to second, to have a part in a case, and to be named from
outside. Who in the office could decide a matter is one list, which guards and pages ask."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF proposed_by_id, seconded_by_id ON decide_decision
    FOR EACH ROW EXECUTE FUNCTION people_are_two('proposed_by_id', 'seconded_by_id');
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF proposed_by_id, seconded_by_id ON decide_revocation
    FOR EACH ROW EXECUTE FUNCTION people_are_two('proposed_by_id', 'seconded_by_id');
CREATE TRIGGER people_are_two BEFORE INSERT OR UPDATE OF named_by_id, user_id ON decide_reviewer
    FOR EACH ROW EXECUTE FUNCTION people_are_two('named_by_id', 'user_id');

-- What was asked of an account is asked of each account of the person.
ALTER FUNCTION decide_has_interest(uuid, uuid) RENAME TO decide_account_has_interest;
CREATE FUNCTION decide_has_interest(which uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM people_accounts_of(person) AS account WHERE decide_account_has_interest(which, account))
$$;
ALTER FUNCTION decide_had_part(uuid, uuid) RENAME TO decide_account_had_part;
CREATE FUNCTION decide_had_part(which uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM people_accounts_of(person) AS account WHERE decide_account_had_part(which, account))
$$;
ALTER FUNCTION decide_entered_it(uuid, uuid) RENAME TO decide_account_entered_it;
CREATE FUNCTION decide_entered_it(which uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM people_accounts_of(person) AS account WHERE decide_account_entered_it(which, account))
$$;

CREATE OR REPLACE FUNCTION decide_recused_has_no_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.assigned_to_id IS DISTINCT FROM OLD.assigned_to_id AND decide_has_interest(NEW.id, NEW.assigned_to_id) THEN
        RAISE EXCEPTION 'this officer is recused from the case, or has a part in it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION decide_recused_decides_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF decide_has_interest(NEW.case_id, NEW.proposed_by_id) OR decide_has_interest(NEW.case_id, NEW.seconded_by_id)
       OR decide_has_interest(NEW.case_id, people_account_in(NEW.decided_by)) THEN
        RAISE EXCEPTION 'this officer is recused from the case, or has a part in it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- Everybody in the office who could decide, today or once they are no longer new; `needs` as `decide_may` has it.
CREATE FUNCTION decide_who_could(which uuid, besides uuid[], needs text) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT DISTINCT post.user_id
    FROM people_roleassignment AS post JOIN people_user ON people_user.id = post.user_id
    WHERE post.ended_at IS NULL AND people_user.is_active AND post.role IN ('officer', 'supervisor')
      AND NOT EXISTS (SELECT FROM people_accounts_of(post.user_id) AS account WHERE account = ANY (besides))
      AND CASE needs WHEN 'director' THEN post.rank = 'director'
                     WHEN 'appeal' THEN post.role = 'supervisor' OR post.rank = 'director'
                     ELSE true END
      AND NOT CASE WHEN which IS NULL THEN false
                   WHEN needs IN ('appeal', 'complaint') THEN decide_had_part(which, post.user_id)
                   ELSE decide_has_interest(which, post.user_id) END
$$;
CREATE OR REPLACE FUNCTION decide_somebody_could(which uuid, besides uuid[], needs text) RETURNS boolean
    LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT FROM decide_who_could(which, besides, needs)) $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("decide", "0015_entered_at_the_desk"),
        ("people", "0003_one_person"),
        ("journal", "__first__"),
    ]

    operations = [migrations.RunSQL(GUARDS)]
