from typing import ClassVar

from django.db import migrations, models

ONLY_GROWS = """
CREATE FUNCTION journal_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal only grows: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER journal_only_grows BEFORE UPDATE OR DELETE ON journal_entry
    FOR EACH ROW EXECUTE FUNCTION journal_only_grows();
CREATE TRIGGER journal_is_never_emptied BEFORE TRUNCATE ON journal_entry
    FOR EACH STATEMENT EXECUTE FUNCTION journal_only_grows();
"""

UNDO = """
DROP TRIGGER journal_is_never_emptied ON journal_entry;
DROP TRIGGER journal_only_grows ON journal_entry;
DROP FUNCTION journal_only_grows();
"""


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("act", models.CharField(max_length=80)),
                ("actor", models.CharField(max_length=120)),
                ("subject", models.CharField(max_length=120)),
                ("reason", models.TextField(blank=True)),
                ("ground", models.CharField(blank=True, max_length=200)),
                ("detail", models.JSONField(default=dict)),
            ],
            options={"ordering": ["-id"]},
        ),
        migrations.AddIndex("entry", models.Index(fields=["subject", "-id"], name="journal_by_subject")),
        migrations.AddIndex("entry", models.Index(fields=["actor", "-id"], name="journal_by_actor")),
        migrations.RunSQL(ONLY_GROWS, UNDO),
    ]
