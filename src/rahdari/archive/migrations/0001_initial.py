import uuid

from django.db import migrations, models

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

UNDO = """
DROP TRIGGER archive_is_never_emptied ON archive_sealed;
DROP TRIGGER archive_stays ON archive_sealed;
DROP FUNCTION archive_stays();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Sealed",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("about", models.CharField(db_index=True, max_length=25)),
                ("kind", models.CharField(max_length=40)),
                ("sealed_at", models.DateTimeField()),
                ("key", models.CharField(max_length=16)),
                ("content", models.BinaryField()),
            ],
            options={"ordering": ["sealed_at", "id"]},
        ),
        migrations.RunSQL(GUARDS, UNDO),
    ]
