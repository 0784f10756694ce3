"""What was sealed is only added to."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION archive_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was sealed is only added to: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER archive_stays BEFORE UPDATE OR DELETE ON archive_sealed
    FOR EACH ROW EXECUTE FUNCTION archive_stays();
CREATE TRIGGER archive_is_never_emptied BEFORE TRUNCATE ON archive_sealed
    FOR EACH STATEMENT EXECUTE FUNCTION archive_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("archive", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
