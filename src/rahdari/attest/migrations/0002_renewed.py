from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("attest", "0001_initial")]

    operations = [migrations.AddField("attestation", "renewed_at", models.DateTimeField(blank=True, null=True))]
