"""What an invoice asks for never changes; it is paid, refunded or cancelled, and never deleted."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION fees_invoice_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.number, NEW.reference, NEW.subject, NEW.holder, NEW.addresses, NEW.each, NEW.amount, NEW.currency, NEW.issued_at)
       IS DISTINCT FROM
       (OLD.number, OLD.reference, OLD.subject, OLD.holder, OLD.addresses, OLD.each, OLD.amount, OLD.currency, OLD.issued_at)
    THEN
        RAISE EXCEPTION 'what invoice % asks for is never changed', OLD.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fees_invoice_stands BEFORE UPDATE ON fees_invoice
    FOR EACH ROW EXECUTE FUNCTION fees_invoice_stands();

CREATE FUNCTION fees_invoices_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'invoice % is never deleted', OLD.number USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER fees_invoices_stay BEFORE DELETE ON fees_invoice
    FOR EACH ROW EXECUTE FUNCTION fees_invoices_stay();

CREATE FUNCTION fees_refunds_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refunds are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER fees_refunds_only_grow BEFORE UPDATE OR DELETE ON fees_refund
    FOR EACH ROW EXECUTE FUNCTION fees_refunds_only_grow();
CREATE TRIGGER fees_refunds_are_never_emptied BEFORE TRUNCATE ON fees_refund
    FOR EACH STATEMENT EXECUTE FUNCTION fees_refunds_only_grow();
"""


class Migration(migrations.Migration):
    dependencies = [("fees", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
