"""Files that come with a complaint: until a time that is named to the sender, and before anybody is asked."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

# The guard as it was, but that the sender may end the time for files, and that nothing is looked up before its end.
GUARDS = (
    import_module("rahdari.complaint.migrations.0002_guards")
    .GUARDS.partition("CREATE TRIGGER")[0]
    .replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    .replace("heard := ARRAY['looked_up_at',", "heard := ARRAY['files_until', 'looked_up_at',")
    .replace(
        "    RETURN NEW;\nEND $$;",
        """    IF NEW.files_until > NEW.looked_up_at THEN
        RAISE EXCEPTION 'nobody is asked while files may still come' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;""",
    )
)


class Migration(migrations.Migration):
    dependencies = [("complaint", "0002_guards"), ("apply", "0005_papers_of_others")]

    operations = [
        migrations.AddField(
            model_name="complaint",
            name="files_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="complaint",
            name="copy_of",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="copies",
                to="complaint.complaint",
            ),
        ),
        migrations.AlterField(
            model_name="complaint",
            name="about",
            field=models.CharField(
                choices=[
                    ("sold_on", "sold_on"),
                    ("false_statement", "false_statement"),
                    ("not_the_holder", "not_the_holder"),
                    ("court_finding", "court_finding"),
                    ("address", "address"),
                    ("name", "name"),
                    ("company", "company"),
                    ("entry", "entry"),
                ],
                max_length=15,
            ),
        ),
        migrations.RunSQL(GUARDS),
    ]
