from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sms", "0002_taken_by")]

    operations = [
        migrations.AddField(
            model_name="contactnumber",
            name="disruptions",
            field=models.BooleanField(default=False),
        ),
    ]
