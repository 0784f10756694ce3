from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("apply", "0013_mandates_of_agents"),
    ]

    operations = [
        migrations.AddField(
            model_name="application",
            name="remote_workers",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
    ]
