from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vouch", "0001_initial")]

    operations = [
        migrations.AddField("referencerequest", "goes_out", models.BooleanField(db_default=True, default=True)),
    ]
