import django.db.models.deletion
from django.db import migrations, models

GUARD = """
CREATE FUNCTION register_parts_fit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.part_of_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM register_entry lead
         WHERE lead.id = NEW.part_of_id AND lead.part_of_id IS NULL
           AND lead.registration_id = NEW.registration_id AND lead.block = NEW.block AND lead.kind = NEW.kind) THEN
        RAISE EXCEPTION 'entry % does not fit the one that it is a part of', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER register_parts_fit BEFORE INSERT OR UPDATE OF part_of_id, registration_id, block, kind ON register_entry
    FOR EACH ROW EXECUTE FUNCTION register_parts_fit();
"""
UNDO = """
DROP TRIGGER register_parts_fit ON register_entry;
DROP FUNCTION register_parts_fit();
"""
# One port of IPsec, L2TP or PPTP was registered alone until now. What is missing is entered by the line, a registration
# at a time; here, with the columns and in their transaction, is noted of which.
HALF = """
INSERT INTO register_tocomplete (entry_id)
SELECT id FROM register_entry
 WHERE ended_at IS NULL AND kind <> 'canary'
   AND (protocol = 'esp' OR (protocol = 'udp' AND port IN (500, 1701, 4500)) OR (protocol = 'tcp' AND port = 1723));
"""


class Migration(migrations.Migration):
    dependencies = [
        ("register", "0009_found_by_an_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="entry",
            name="part_of",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="parts",
                to="register.entry",
            ),
        ),
        migrations.CreateModel(
            name="ToComplete",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="register.entry",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(GUARD, UNDO),
        migrations.RunSQL(HALF, migrations.RunSQL.noop),
    ]
