"""A line that is known or has ended has no number in clear; what changed and what was received is only added."""

from django.db import migrations

GUARDS = """
ALTER TABLE mobile_mobilenumber ADD CONSTRAINT a_known_line_has_no_number CHECK (
    (octet_length(reference) = 0 AND answer <> 'yes') OR (octet_length(number) = 0 AND octet_length(asked) = 0)
);
ALTER TABLE mobile_mobilenumber ADD CONSTRAINT a_line_that_ended_has_no_number CHECK (
    ended_at IS NULL OR (octet_length(number) = 0 AND octet_length(asked) = 0)
);

CREATE FUNCTION mobile_rows_are_not_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: rows are only added', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER mobile_changes_are_not_changed BEFORE UPDATE ON mobile_mobilelistchange
    FOR EACH ROW EXECUTE FUNCTION mobile_rows_are_not_changed();
CREATE TRIGGER mobile_receipts_are_not_changed BEFORE UPDATE OR DELETE ON mobile_mobilelistreceipt
    FOR EACH ROW EXECUTE FUNCTION mobile_rows_are_not_changed();
"""


class Migration(migrations.Migration):
    dependencies = [("mobile", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
