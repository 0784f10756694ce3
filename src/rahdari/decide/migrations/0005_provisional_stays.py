"""Of a provisional grant too: its end and its codes are never rewritten, and what was confirmed stays confirmed."""

from typing import ClassVar

from django.db import migrations

FIXED = """
CREATE FUNCTION decide_provisional_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.provisional_until, NEW.provisional_codes) IS DISTINCT FROM (OLD.provisional_until, OLD.provisional_codes)
       OR (OLD.confirmed_at IS NOT NULL AND NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at)
       OR (OLD.voided_at IS NOT NULL AND NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at) THEN
        RAISE EXCEPTION 'a decision is never rewritten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decide_provisional_stays BEFORE UPDATE ON decide_decision
    FOR EACH ROW EXECUTE FUNCTION decide_provisional_stays();
"""
UNDO = """
DROP TRIGGER decide_provisional_stays ON decide_decision;
DROP FUNCTION decide_provisional_stays();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("decide", "0004_provisional_grants")]
    operations: ClassVar[list[migrations.operations.base.Operation]] = [migrations.RunSQL(FIXED, UNDO)]
