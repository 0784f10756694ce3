"""The contact on the list takes back that a registration is not from it."""

from importlib import import_module

from django.db import migrations, models

GUARDS = import_module("rahdari.complaint.migrations.0007_contested").GUARDS.replace(
    "'contested_at',\n", "'contested_at', 'taken_back_at',\n"
)


class Migration(migrations.Migration):
    dependencies = [("complaint", "0007_contested")]

    operations = [
        migrations.AddField(
            model_name="complaint",
            name="taken_back_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunSQL(GUARDS),
    ]
