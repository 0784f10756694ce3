"""Besides those drawn by chance: grants by rule whose card number another account has given too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sampling", "0002_two_people")]

    operations = [
        migrations.AddField(
            model_name="secondlook",
            name="by_chance",
            field=models.BooleanField(default=True, db_default=True),
        ),
    ]
