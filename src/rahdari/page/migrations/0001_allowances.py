from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            """CREATE UNLOGGED TABLE page_allowance (
                key text PRIMARY KEY, tokens double precision NOT NULL, at timestamptz NOT NULL, taken boolean NOT NULL
            ) WITH (fillfactor = 70);
            CREATE INDEX page_allowance_at ON page_allowance (at)""",
            "DROP TABLE page_allowance",
        ),
    ]
