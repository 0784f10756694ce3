from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("web", "0001_allowances")]
    operations = [
        migrations.RunSQL(
            """CREATE TABLE web_position (
                key text PRIMARY KEY, position bigint NOT NULL, at timestamptz NOT NULL
            ) WITH (fillfactor = 70)""",
            "DROP TABLE web_position",
        )
    ]
