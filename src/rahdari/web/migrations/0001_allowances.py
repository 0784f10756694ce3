from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            """CREATE UNLOGGED TABLE web_allowance (
                key text PRIMARY KEY, tokens double precision NOT NULL, at timestamptz NOT NULL, taken boolean NOT NULL
            ) WITH (fillfactor = 70);
            CREATE INDEX web_allowance_at ON web_allowance (at)""",
            "DROP TABLE web_allowance",
        )
    ]
