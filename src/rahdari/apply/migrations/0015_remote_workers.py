from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("apply", "0014_document_noted_from"),
    ]

    operations = [
        migrations.AddField(
            model_name="application",
            name="remote_workers",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
    ]
