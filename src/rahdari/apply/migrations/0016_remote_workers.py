from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("apply", "0015_found_by_an_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="application",
            name="remote_workers",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
    ]
