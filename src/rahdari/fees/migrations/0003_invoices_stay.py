"""An invoice is paid, refunded or cancelled, and never deleted."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION fees_invoices_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'invoice % is never deleted', OLD.number USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER fees_invoices_stay BEFORE DELETE ON fees_invoice
    FOR EACH ROW EXECUTE FUNCTION fees_invoices_stay();
"""

UNDO = """
DROP TRIGGER fees_invoices_stay ON fees_invoice;
DROP FUNCTION fees_invoices_stay();
"""


class Migration(migrations.Migration):
    dependencies = [("fees", "0002_payers_erased")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
