from django.db import migrations, models

import rahdari.vault.fields


class Migration(migrations.Migration):
    dependencies = [
        ("attest", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="memberlist",
            name="revocation",
            field=models.SlugField(blank=True, default="", max_length=60),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="memberlist",
            name="told",
            field=rahdari.vault.fields.EncryptedTextField(blank=True, default=""),
        ),
    ]
